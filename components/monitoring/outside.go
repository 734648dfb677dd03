package monitoring

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/compute"
	"twip/components/edge"
	"twip/components/internal/alarm"
	"twip/components/internal/problem"
	"twip/components/internal/tag"
)

// OutsideArgs describe how the site is watched from outside of its region.
type OutsideArgs struct {
	Domain        string             // required; whose front page is asked for
	LoadBalancer  *edge.LoadBalancer // required; with its CDN, if it has one
	Notifications *Notifications     // required; of us-east-1
	After         []pulumi.Resource  // what has to be there before the site can answer
}

// Outside sees what readers see: Amazon's checkers ask for the front page from several places of the world, by the
// site's name and over TLS, so that a lost record, certificate or region is noticed as well. What is worldwide has its
// metrics in us-east-1, and so have its alarms: give it a provider of that region.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html
type Outside struct {
	pulumi.ResourceState
}

// NewOutside creates the health check and the alarms on it and on the CDN. It refuses bad args before it registers
// anything.
func NewOutside(ctx *pulumi.Context, name string, args *OutsideArgs, opts ...pulumi.ResourceOption) (*Outside, error) {
	if err := args.validate().Err("watch from outside", name); err != nil {
		return nil, err
	}
	o := &Outside{}
	if err := ctx.RegisterComponentResource("twip:components:Outside", name, o, opts...); err != nil {
		return nil, err
	}
	if err := o.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("watch from outside %q: %w", name, err)
	}
	return o, ctx.RegisterResourceOutputs(o, pulumi.Map{})
}

func (o *Outside) register(ctx *pulumi.Context, name string, args *OutsideArgs) error {
	child := pulumi.Parent(o)
	check, err := route53.NewHealthCheck(ctx, name, &route53.HealthCheckArgs{
		Type:             pulumi.String("HTTPS"),
		Fqdn:             pulumi.String(args.Domain),
		Port:             pulumi.Int(443),
		ResourcePath:     pulumi.String("/"),
		EnableSni:        pulumi.Bool(true),
		RequestInterval:  pulumi.Int(30), // seconds, of each checker
		FailureThreshold: pulumi.Int(3),
		Tags:             tag.Named(name),
	}, child, pulumi.DependsOn(args.After))
	if err != nil {
		return fmt.Errorf("health check: %w", err)
	}
	urgent := pulumi.Array{args.Notifications.UrgentARN}
	if _, err = (alarm.Alarm{
		Name: name + "-away", Namespace: "AWS/Route53", Metric: "HealthCheckStatus", Statistic: "Minimum",
		Dimensions: pulumi.StringMap{"HealthCheckId": check.ID().ToStringOutput()},
		Description: fmt.Sprintf("https://%s/ does not answer when it is asked for from around the world. If the alarms of "+
			"the site's own region are quiet, look at its DNS records and its certificate.", args.Domain),
		Below: alarm.Limit(1), Period: 60, Minutes: 3, Missing: "missing", // the check is younger than the site
	}).Register(ctx, urgent, child); err != nil {
		return err
	}
	cdn := args.LoadBalancer.Distribution
	if cdn == nil {
		return nil
	}
	site := pulumi.StringMap{"DistributionId": cdn.ID().ToStringOutput(), "Region": pulumi.String("Global")}
	if _, err = (alarm.Alarm{
		Name: name + "-cdn-errors",
		Description: fmt.Sprintf("More than %g %% of CloudFront's answers are 5xx. If the load balancer's own are not, "+
			"CloudFront does not reach it: look at the certificate of its origin and at twip:cdnSecret.", visitorErrorPercent),
		// A rate of a handful of requests says nothing.
		Expression: fmt.Sprintf("IF(requests * rate / 100 >= %d, rate, 0)", compute.ErrorFloor),
		Queries: cloudwatch.MetricAlarmMetricQueryArray{
			alarm.Query("requests", "AWS/CloudFront", "Requests", site, 60, "Sum"),
			alarm.Query("rate", "AWS/CloudFront", "5xxErrorRate", site, 60, "Average"),
		},
		Above: alarm.Limit(visitorErrorPercent), Minutes: 3, Missing: "notBreaching",
	}).Register(ctx, urgent, child); err != nil {
		return err
	}
	_, err = certificateEnds(name+"-cdn-certificate", args.LoadBalancer.CDNCertificate).
		Register(ctx, pulumi.Array{args.Notifications.MorningARN}, child)
	return err
}

// certificateEnds is the alarm on a certificate that ACM has not renewed.
func certificateEnds(name string, certificate pulumi.StringInput) alarm.Alarm {
	return alarm.Alarm{
		Name: name, Namespace: "AWS/CertificateManager", Metric: "DaysToExpiry", Statistic: "Minimum",
		Dimensions: pulumi.StringMap{"CertificateArn": certificate},
		Description: fmt.Sprintf("The certificate ends in less than %d days, and ACM has not renewed it: are its DNS "+
			"records still there?", certificateDays),
		Below: alarm.Limit(certificateDays), Period: 86400, Minutes: 1, Missing: "missing",
	}
}

func (a *OutsideArgs) validate() (p problem.List) {
	p.Unless(a.Domain != "", "domain", a.Domain, "name the domain that readers ask for")
	p.Unless(a.LoadBalancer != nil, "loadBalancer", nil, "give it the LoadBalancer of the EdgeProxy")
	p.Unless(a.Notifications != nil, "notifications", nil, "give it Notifications of us-east-1")
	return p
}
