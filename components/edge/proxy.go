package edge

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/problem"
	"twip/components/internal/tag"
	"twip/components/network"
	"twip/components/tier"
	"twip/infra/boot"
)

// Token is the type of an edge in the state of environments, whichever form it has.
const Token = "twip:components:EdgeProxy"

const (
	sitePort  = 80
	statsPort = 1936
)

// ProxyArgs describe the edge of one host.
type ProxyArgs struct {
	tier.Common

	Static     *tier.StaticTier // required; gets /styles/* and /images/*
	App        *tier.AppTier    // required; gets everything else
	SiteCIDRs  []string         // required; IPv4 ranges that may see the site
	StatsCIDRs []string         // IPv4 ranges that may see the statistics page; none: it is not published at all
	Domain     *Domain          // nil: the site is known by its address
}

// Domain is a name for the site in a hosted zone of Route 53.
type Domain struct {
	Name   string // such as news.example.com
	ZoneID string // the hosted zone's id
}

// Proxy is the edge of one host: a public address, and the HAProxy behind it.
type Proxy struct {
	pulumi.ResourceState
	Workload     tier.Workload // for the compute.Host
	URL          pulumi.StringOutput
	StatsURL     *pulumi.StringOutput // nil when nobody may see the statistics page
	AddressID    pulumi.StringOutput  // the Elastic IP's allocation; the Host takes it
	ImageDigest  pulumi.StringOutput
	Repository   pulumi.StringOutput // URL of the image's repository
	LogGroupName pulumi.StringOutput
}

// NewProxy creates the address, the record of the domain, the image and the log group. It refuses bad args before it
// registers anything.
func NewProxy(ctx *pulumi.Context, name string, args *ProxyArgs, opts ...pulumi.ResourceOption) (*Proxy, error) {
	if err := args.validate().Err("edge proxy", name); err != nil {
		return nil, err
	}
	p := &Proxy{}
	if err := ctx.RegisterComponentResource(Token, name, p, opts...); err != nil {
		return nil, err
	}
	if err := p.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("edge proxy %q: %w", name, err)
	}
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{
		"url": p.URL, "imageDigest": p.ImageDigest, "logGroupName": p.LogGroupName,
	})
}

func (p *Proxy) register(ctx *pulumi.Context, name string, args *ProxyArgs) error {
	child := pulumi.Parent(p)
	image, group, err := args.NewImageAndLogGroup(ctx, name, child)
	if err != nil {
		return err
	}
	address, err := ec2.NewEip(ctx, name, &ec2.EipArgs{Domain: pulumi.String("vpc"), Tags: tag.Named(name)}, child)
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
	p.Workload = tier.Workload{
		Containers: []tier.Container{{Spec: args.container(), Image: image, LogGroup: group}},
		Ingress:    args.ingress(),
	}
	p.AddressID, p.LogGroupName = address.ID().ToStringOutput(), group.Name
	p.ImageDigest, p.Repository = image.Digest, image.Repository.RepositoryUrl
	p.URL = pulumi.Sprintf("http://%s", host)
	if len(args.StatsCIDRs) > 0 {
		stats := pulumi.Sprintf("http://%s:%d", host, statsPort)
		p.StatsURL = &stats
	}
	return nil
}

func (a *ProxyArgs) ingress() []network.Flow {
	flows := []network.Flow{{Name: "site", Port: sitePort, CIDRs: a.SiteCIDRs}}
	if len(a.StatsCIDRs) > 0 {
		flows = append(flows, network.Flow{Name: "stats", Port: statsPort, CIDRs: a.StatsCIDRs})
	}
	return flows
}

func (a *ProxyArgs) container() boot.Container {
	ports := []boot.Port{{Host: sitePort, Container: tier.HTTPPort}}
	if len(a.StatsCIDRs) > 0 {
		ports = append(ports, boot.Port{Host: statsPort, Container: statsPort})
	}
	return boot.Container{
		Name:       "proxy",
		MemoryMiB:  a.MemoryMiB,
		PIDs:       64,
		Ports:      ports,
		PeersMount: tier.PeersMount,
		Env: map[string]string{
			"STATIC_SERVERS": strings.Join(a.Static.Servers, " "),
			"APP_SERVERS":    strings.Join(a.App.Servers, " "),
		},
		Tmpfs:       []string{"/run:size=4m,mode=1777", "/tmp:size=4m,mode=1777"},
		Health:      []string{"/usr/local/bin/healthcheck"},
		StopSeconds: 30, // HAProxy finishes the answers that it has begun
	}
}

func (a *ProxyArgs) validate() problem.List {
	p := a.Common.Validate()
	p.Unless(a.Static != nil, "static", nil, "give it the StaticTier to send /styles/* and /images/* to")
	p.Unless(a.App != nil, "app", nil, "give it the AppTier to send everything else to")
	p.Unless(len(a.SiteCIDRs) > 0, "siteCIDRs", a.SiteCIDRs,
		"name at least one range that may see the site, such as 0.0.0.0/0")
	p = append(p, network.CheckFlows(a.ingress())...)
	return append(p, a.Domain.validate()...)
}

func (d *Domain) validate() (p problem.List) {
	if d != nil {
		p.Unless(d.Name != "" && d.ZoneID != "", "domain", *d, "give both the name and its hosted zone's id")
	}
	return p
}
