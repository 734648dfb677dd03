package tier

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/problem"
	"twip/components/internal/tag"
	"twip/components/network"
)

// TargetGroup is a tier's servers as their load balancer and their autoscaling group see them: requests go to its
// targets, and only what its security group lets through.
type TargetGroup struct {
	Group         *lb.TargetGroup
	SecurityGroup *network.SecurityGroup // of the servers' machines
	HealthCheck   HealthCheck
	Ready         []pulumi.Resource // depend on these before launching a server
}

// HealthCheck says how a load balancer finds out that a server can answer, and whether the autoscaling group may throw
// away a server that cannot.
type HealthCheck struct {
	Port     int
	Path     string
	Replaces bool // true: the group replaces a server that fails the check; false: only one whose machine fails
}

const (
	// checkSeconds and checkFailures bound how long a dead server gets requests: ten seconds, the least that an ALB
	// offers.
	checkSeconds  = 5
	checkFailures = 2
)

// Outbound is what a machine needs from outside: Debian's archive speaks both, ECR and CloudWatch Logs speak TLS.
var Outbound = []network.Flow{
	{Name: "archive", Port: 80, CIDRs: []string{network.Anywhere}},
	{Name: "tls", Port: 443, CIDRs: []string{network.Anywhere}},
}

// newTargetGroup creates the target group and the security group of servers on HTTPPort. The physical name is left to
// the provider: a target group that has to be replaced under its listener needs another name than its successor.
func newTargetGroup(
	ctx *pulumi.Context, name string, place *network.Private, check HealthCheck, drainSeconds int,
	parent pulumi.ResourceOption,
) (*TargetGroup, error) {
	servers, err := network.NewSecurityGroup(ctx, name, place.VPCID, nil, Outbound, parent)
	if err != nil {
		return nil, err
	}
	targets, err := lb.NewTargetGroup(ctx, name, &lb.TargetGroupArgs{
		VpcId:      place.VPCID,
		TargetType: pulumi.String("instance"),
		Port:       pulumi.Int(HTTPPort),
		Protocol:   pulumi.String("HTTP"),
		// Requests go where the fewest are waiting: what one server is slow at should not queue behind it.
		LoadBalancingAlgorithmType: pulumi.String("least_outstanding_requests"),
		DeregistrationDelay:        pulumi.Int(drainSeconds),
		HealthCheck: &lb.TargetGroupHealthCheckArgs{
			Protocol:           pulumi.String("HTTP"),
			Port:               pulumi.String(fmt.Sprint(check.Port)),
			Path:               pulumi.String(check.Path),
			Matcher:            pulumi.String("200"),
			Interval:           pulumi.Int(checkSeconds),
			Timeout:            pulumi.Int(checkSeconds - 1),
			HealthyThreshold:   pulumi.Int(2),
			UnhealthyThreshold: pulumi.Int(checkFailures),
		},
		Tags: tag.Named(name),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("target group: %w", err)
	}
	return &TargetGroup{Group: targets, SecurityGroup: servers, HealthCheck: check, Ready: servers.Rules}, nil
}

// Ports are those that a load balancer calls, each once.
func (t *TargetGroup) Ports() []int {
	if t.HealthCheck.Port == HTTPPort {
		return []int{HTTPPort}
	}
	return []int{HTTPPort, t.HealthCheck.Port}
}

// maxName is what AWS leaves of a target group's 32 characters once the provider has made the name unique.
const maxName = 24

// CheckName refuses a component name that is too long for a load balancer or a target group.
func CheckName(name string) (p problem.List) {
	p.Unless(len(name) <= maxName, "name", name, fmt.Sprintf("use at most %d characters (a shorter stack name): "+
		"AWS takes 32 for a load balancer's parts, of which 8 make it unique", maxName))
	return p
}
