package components

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/boot"
	"twip/infra/images"
)

const (
	sitePort  = 80
	statsPort = 1936
)

// EdgeProxyArgs describe what the internet meets.
type EdgeProxyArgs struct {
	Placement        Placement       // required
	Build            *images.Context // required on a host; the proxy image's
	Static           *StaticTier     // required; gets /styles/* and /images/*
	App              *AppTier        // required; gets everything else
	SiteCIDRs        []string        // IPv4 ranges that may see the site
	StatsCIDRs       []string        // on a host: IPv4 ranges that may see the statistics page; none: it is not published at all
	Domain           *Domain         // nil: the site is known by its address
	MemoryMiB        int             // required on a host; hard limit of a container
	LogRetentionDays int             // required; one of LogRetentionDays
	Balancer         *BalancerArgs   // required in a group
}

// Domain is a name for the site in a hosted zone of Route 53.
type Domain struct {
	Name   string // such as news.example.com
	ZoneID string // the hosted zone's id
}

// EdgeProxy is what the internet meets: on a host a public address and the HAProxy behind it, in a group a load balancer.
type EdgeProxy struct {
	pulumi.ResourceState
	Workload     Workload // for the Host, when placed on one
	URL          pulumi.StringOutput
	StatsURL     *pulumi.StringOutput // nil when nobody may see the statistics page
	AddressID    pulumi.StringOutput  // the Elastic IP's allocation; the Host takes it
	ImageDigest  pulumi.StringOutput
	LogGroupName pulumi.StringOutput
	balancer     *balancer // when placed in a group
}

// NewEdgeProxy refuses bad args before it registers anything.
func NewEdgeProxy(ctx *pulumi.Context, name string, args *EdgeProxyArgs, opts ...pulumi.ResourceOption) (*EdgeProxy, error) {
	if err := args.validate(name).err("edge proxy", name); err != nil {
		return nil, err
	}
	e := &EdgeProxy{}
	if err := ctx.RegisterComponentResource("twip:components:EdgeProxy", name, e, opts...); err != nil {
		return nil, err
	}
	if place, grouped := args.Placement.(InGroup); grouped {
		if err := e.registerBalancer(ctx, name, args, place); err != nil {
			return nil, fmt.Errorf("edge proxy %q: %w", name, err)
		}
		return e, ctx.RegisterResourceOutputs(e, pulumi.Map{"url": e.URL})
	}
	if err := e.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("edge proxy %q: %w", name, err)
	}
	return e, ctx.RegisterResourceOutputs(e, pulumi.Map{"url": e.URL, "imageDigest": e.ImageDigest, "logGroupName": e.LogGroupName})
}

func (e *EdgeProxy) register(ctx *pulumi.Context, name string, args *EdgeProxyArgs) error {
	child := pulumi.Parent(e)
	image, group, err := newImageAndLogs(ctx, name, args.Build, args.LogRetentionDays, child)
	if err != nil {
		return err
	}
	address, err := ec2.NewEip(ctx, name, &ec2.EipArgs{Domain: pulumi.String("vpc"), Tags: named(name)}, child)
	if err != nil {
		return fmt.Errorf("elastic IP: %w", err)
	}
	host := address.PublicIp
	if args.Domain != nil {
		if _, err = route53.NewRecord(ctx, name, &route53.RecordArgs{
			ZoneId:  pulumi.String(args.Domain.ZoneID),
			Name:    pulumi.String(args.Domain.Name),
			Type:    pulumi.String("A"),
			Ttl:     pulumi.Int(60), // seconds; short, because the address goes when the environment goes
			Records: pulumi.StringArray{address.PublicIp},
		}, child); err != nil {
			return fmt.Errorf("record %s: %w", args.Domain.Name, err)
		}
		host = pulumi.String(args.Domain.Name).ToStringOutput()
	}
	e.Workload = Workload{
		Containers: []Container{{Spec: args.container(), Image: image, LogGroup: group}},
		Ingress:    args.ingress(),
	}
	e.AddressID, e.ImageDigest, e.LogGroupName = address.ID().ToStringOutput(), image.Digest, group.Name
	e.URL = pulumi.Sprintf("http://%s", host)
	if len(args.StatsCIDRs) > 0 {
		stats := pulumi.Sprintf("http://%s:%d", host, statsPort)
		e.StatsURL = &stats
	}
	return nil
}

func (a *EdgeProxyArgs) ingress() []Flow {
	flows := []Flow{{Name: "site", Port: sitePort, CIDRs: a.SiteCIDRs}}
	if len(a.StatsCIDRs) > 0 {
		flows = append(flows, Flow{Name: "stats", Port: statsPort, CIDRs: a.StatsCIDRs})
	}
	return flows
}

func (a *EdgeProxyArgs) container() boot.Container {
	ports := []boot.Port{{Host: sitePort, Container: httpPort}}
	if len(a.StatsCIDRs) > 0 {
		ports = append(ports, boot.Port{Host: statsPort, Container: statsPort})
	}
	return boot.Container{
		Name:      "proxy",
		MemoryMiB: a.MemoryMiB,
		PIDs:      64,
		Ports:     ports,
		Env: map[string]string{
			"STATIC_SERVERS": strings.Join(a.Static.Servers, " "),
			"APP_SERVERS":    strings.Join(a.App.Servers, " "),
		},
		Tmpfs:       []string{"/run:size=4m,mode=1777", "/tmp:size=4m,mode=1777"},
		Health:      []string{"/usr/local/bin/healthcheck"},
		StopSeconds: 30, // HAProxy finishes the answers that it has begun
	}
}

func (a *EdgeProxyArgs) validate(name string) (p problems) {
	if _, grouped := a.Placement.(InGroup); grouped {
		return a.validateBalancer(name)
	}
	p = append(p, checkTier(a.Placement, a.Build, a.LogRetentionDays)...)
	p.unless(a.MemoryMiB >= minMemoryMiB, "memoryMiB", a.MemoryMiB, fmt.Sprintf("use %d or more", minMemoryMiB))
	p.unless(a.Static != nil, "static", nil, "give it the StaticTier to send /styles/* and /images/* to")
	p.unless(a.App != nil, "app", nil, "give it the AppTier to send everything else to")
	p.unless(len(a.SiteCIDRs) > 0, "siteCIDRs", a.SiteCIDRs, "name at least one range that may see the site, such as 0.0.0.0/0")
	p = append(p, checkFlows(a.ingress())...)
	if a.Domain != nil {
		p.unless(a.Domain.Name != "" && a.Domain.ZoneID != "", "domain", *a.Domain, "give both the name and its hosted zone's id")
	}
	return p
}
