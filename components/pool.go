package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Pool is a tier's servers as their load balancer and their group see them: requests go to its targets, and only what its
// rules let through.
type Pool struct {
	targets *lb.TargetGroup
	wall    *firewall
	check   healthCheck
	store   *SharedStore // nil: the servers keep no data
	ready   []pulumi.Resource
}

// healthCheck says how a load balancer finds out that a server can answer, and whether the group may throw away a server
// that cannot.
type healthCheck struct {
	port     int
	path     string
	replaces bool // true: the group replaces a server that fails the check; false: only one whose machine fails
}

const (
	// checkSeconds and checkFailures bound how long a dead server gets requests: ten seconds, the least that an ALB offers.
	checkSeconds  = 5
	checkFailures = 2
)

// newPool makes the target group and the security group of servers on httpPort. The physical name is left to the
// provider: a target group that has to be replaced under its listener needs another name than its successor.
func newPool(ctx *pulumi.Context, name string, place InGroup, check healthCheck, drainSeconds int, parent pulumi.ResourceOption) (*Pool, error) {
	wall, err := newFirewall(ctx, name, place.Network.VPCID, nil, outbound, parent)
	if err != nil {
		return nil, err
	}
	targets, err := lb.NewTargetGroup(ctx, name, &lb.TargetGroupArgs{
		VpcId:      place.Network.VPCID,
		TargetType: pulumi.String("instance"),
		Port:       pulumi.Int(httpPort),
		Protocol:   pulumi.String("HTTP"),
		// Requests go where the fewest are waiting: what one server is slow at should not queue behind it.
		LoadBalancingAlgorithmType: pulumi.String("least_outstanding_requests"),
		DeregistrationDelay:        pulumi.Int(drainSeconds),
		HealthCheck: &lb.TargetGroupHealthCheckArgs{
			Protocol:           pulumi.String("HTTP"),
			Port:               pulumi.String(fmt.Sprint(check.port)),
			Path:               pulumi.String(check.path),
			Matcher:            pulumi.String("200"),
			Interval:           pulumi.Int(checkSeconds),
			Timeout:            pulumi.Int(checkSeconds - 1),
			HealthyThreshold:   pulumi.Int(2),
			UnhealthyThreshold: pulumi.Int(checkFailures),
		},
		Tags: named(name),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("target group: %w", err)
	}
	return &Pool{targets: targets, wall: wall, check: check, ready: wall.rules}, nil
}

// ports are those that a load balancer calls, each once.
func (p *Pool) ports() []int {
	if p.check.port == httpPort {
		return []int{httpPort}
	}
	return []int{httpPort, p.check.port}
}

// maxPoolName is what AWS leaves of a target group's 32 characters once the provider has made the name unique.
const maxPoolName = 24

func checkPoolOf(placement Placement, name string) (p problems) {
	_, grouped := placement.(InGroup)
	p.unless(!grouped || len(name) <= maxPoolName, "name", name, fmt.Sprintf("use at most %d characters (a shorter stack name): AWS takes 32 for a load balancer's parts, of which 8 make it unique", maxPoolName))
	return p
}
