package graph

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"twip/components"
	"twip/components/compute"
	"twip/components/edge"
	"twip/components/network"
	"twip/components/store"
	"twip/components/tier"
	"twip/infra/images"
	"twip/stacks"
)

// zone is a subnet of nobody's, for components that are tested on their own.
var zone = network.Subnet{ID: pulumi.String("subnet-0123456789abcdef0"), Zone: "eu-central-1a"}

// common is what every tier is told, with a build context as images.Stage assembles it.
func common(kind images.Kind, memoryMiB int) tier.Common {
	return tier.Common{MemoryMiB: memoryMiB, LogRetentionDays: 30, Build: &images.Context{
		Kind: kind, Dir: "../.build/" + string(kind), Tag: "0123456789abcdef",
		Args: map[string]string{"BASE_IMAGE": "debian:trixie-slim"},
	}}
}

func volumeArgs() *store.VolumeArgs {
	return &store.VolumeArgs{Zone: zone.Zone, SizeGiB: 8, Protect: true}
}

func staticArgs() *components.StaticTierArgs {
	return &components.StaticTierArgs{Common: common(images.Static, 32)}
}

func appArgs() *components.AppTierArgs {
	return &components.AppTierArgs{Common: common(images.App, 512), Containers: 2}
}

func proxyArgs() *edge.ProxyArgs {
	return &edge.ProxyArgs{
		Common: common(images.Proxy, 64),
		Static: &components.StaticTier{Tier: tier.Tier{Servers: []string{"static:8080"}}},
		App:    &components.AppTier{Tier: tier.Tier{Servers: []string{"/sockets/app-1", "/sockets/app-2"}}},

		SiteCIDRs: []string{"0.0.0.0/0"}, StatsCIDRs: []string{"203.0.113.7/32"},
	}
}

func networkArgs() *network.PublicArgs {
	return &network.PublicArgs{CIDR: "10.20.0.0/16", Zones: []string{"eu-central-1a", "eu-central-1b"}}
}

func hostArgs() *compute.HostArgs {
	return &compute.HostArgs{
		Machine: compute.Machine{
			Region:       "eu-central-1",
			InstanceType: "t2.micro",
			MachineImage: "debian-13-amd64-20251117-2299",
		},
		Hostname: "train", Network: &network.Public{}, Subnet: zone, Volume: &store.Volume{},
		AddressID: pulumi.String("eipalloc-0123456789abcdef0"),
	}
}

// spoilt makes arguments and breaks them in one way.
func spoilt[A any](args *A, spoil func(*A)) *A {
	spoil(args)
	return args
}

// A component that refuses its arguments says which component and which field, and has registered nothing.
func TestComponentsRefuseBadArguments(t *testing.T) {
	type part = func(*pulumi.Context) error
	aNetwork := func(spoil func(*network.PublicArgs)) part {
		return func(ctx *pulumi.Context) error {
			_, err := network.NewPublic(ctx, "net", spoilt(networkArgs(), spoil))
			return err
		}
	}
	aStore := func(spoil func(*components.SharedStoreArgs)) part {
		return func(ctx *pulumi.Context) error {
			_, err := components.NewSharedStore(ctx, "store",
				spoilt(&components.SharedStoreArgs{Volume: volumeArgs()}, spoil))
			return err
		}
	}
	static := func(spoil func(*components.StaticTierArgs)) part {
		return func(ctx *pulumi.Context) error {
			_, err := components.NewStaticTier(ctx, "static", spoilt(staticArgs(), spoil))
			return err
		}
	}
	app := func(spoil func(*components.AppTierArgs)) part {
		return func(ctx *pulumi.Context) error {
			_, err := components.NewAppTier(ctx, "app", spoilt(appArgs(), spoil))
			return err
		}
	}
	anEdge := func(spoil func(*edge.ProxyArgs)) part {
		return func(ctx *pulumi.Context) error {
			_, err := components.NewEdgeProxy(ctx, "edge", &components.EdgeProxyArgs{Proxy: spoilt(proxyArgs(), spoil)})
			return err
		}
	}
	host := func(spoil func(*compute.HostArgs)) part {
		return func(ctx *pulumi.Context) error {
			_, err := compute.NewHost(ctx, "host", spoilt(hostArgs(), spoil))
			return err
		}
	}
	for name, tc := range map[string]struct {
		part part
		want []string
	}{
		"network: range":          {aNetwork(func(a *network.PublicArgs) { a.CIDR = "10.20.0.1/16" }), []string{`public network "net"`, "CIDR", "10.20.0.1/16"}},
		"network: small":          {aNetwork(func(a *network.PublicArgs) { a.CIDR = "10.20.0.0/25" }), []string{"CIDR", "/16 to /24"}},
		"network: no zone":        {aNetwork(func(a *network.PublicArgs) { a.Zones = nil }), []string{"zones", "at least one"}},
		"network: zone twice":     {aNetwork(func(a *network.PublicArgs) { a.Zones[1] = a.Zones[0] }), []string{"zones", "once"}},
		"network: zone":           {aNetwork(func(a *network.PublicArgs) { a.Zones[0] = "eu-central-1" }), []string{"zones", "eu-central-1"}},
		"store: no place":         {aStore(func(a *components.SharedStoreArgs) { a.Volume = nil }), []string{`shared store "store"`, "exactly one"}},
		"store: two places":       {aStore(func(a *components.SharedStoreArgs) { a.FileSystem = &store.FileSystemArgs{} }), []string{"exactly one"}},
		"store: no size":          {aStore(func(a *components.SharedStoreArgs) { a.Volume.SizeGiB = 0 }), []string{"sizeGiB: 0"}},
		"store: no zone":          {aStore(func(a *components.SharedStoreArgs) { a.Volume.Zone = "" }), []string{"zone"}},
		"static: not staged":      {static(func(a *components.StaticTierArgs) { a.Build = nil }), []string{"build", "images.Stage"}},
		"static: no tag":          {static(func(a *components.StaticTierArgs) { a.Build.Tag = "" }), []string{"build: tag"}},
		"static: memory":          {static(func(a *components.StaticTierArgs) { a.MemoryMiB = 4 }), []string{"memoryMiB: 4"}},
		"static: retention":       {static(func(a *components.StaticTierArgs) { a.LogRetentionDays = 2 }), []string{"logRetentionDays: 2"}},
		"app: too many":           {app(func(a *components.AppTierArgs) { a.Containers = 5 }), []string{"containers: 5"}},
		"app: fewer than none":    {app(func(a *components.AppTierArgs) { a.Containers = -1 }), []string{"containers: -1"}},
		"app: a group of nowhere": {app(func(a *components.AppTierArgs) { a.Group = &tier.AppGroup{} }), []string{"group: network", "group: store"}},
		"app: memory":             {app(func(a *components.AppTierArgs) { a.MemoryMiB = 0 }), []string{"memoryMiB: 0"}},
		"edge: nothing behind":    {anEdge(func(a *edge.ProxyArgs) { a.Static, a.App = nil, nil }), []string{"static", "app"}},
		"edge: nobody may see":    {anEdge(func(a *edge.ProxyArgs) { a.SiteCIDRs = nil }), []string{"siteCIDRs"}},
		"edge: range":             {anEdge(func(a *edge.ProxyArgs) { a.StatsCIDRs = []string{"here"} }), []string{"flow stats: CIDR", "here"}},
		"edge: range twice":       {anEdge(func(a *edge.ProxyArgs) { a.SiteCIDRs = []string{"10.0.0.0/8", "10.0.0.0/8"} }), []string{"flow site: CIDR", "once"}},
		"edge: domain":            {anEdge(func(a *edge.ProxyArgs) { a.Domain = &edge.Domain{Name: "a.example.com"} }), []string{"domain"}},
		"host: nothing to run":    {host(func(*compute.HostArgs) {}), []string{`host "host"`, "containers"}},
		"host: type":              {host(func(a *compute.HostArgs) { a.InstanceType = "t4g.nano" }), []string{"instanceType", "t4g.nano", "t2.micro"}},
		"host: no address":        {host(func(a *compute.HostArgs) { a.AddressID = nil }), []string{"addressID"}},
		"host: nowhere":           {host(func(a *compute.HostArgs) { a.Network, a.Subnet = nil, network.Subnet{} }), []string{"network", "subnet"}},
		"host: no store":          {host(func(a *compute.HostArgs) { a.Volume = nil }), []string{"volume"}},
		"host: no machine image":  {host(func(a *compute.HostArgs) { a.MachineImage = "" }), []string{"machineImage"}},
		"host: host name":         {host(func(a *compute.HostArgs) { a.Hostname = "a b" }), []string{"hostname", "a b"}},
		"host: flows of one name": {host(func(a *compute.HostArgs) {
			flow := network.Flow{Name: "site", Port: 80, CIDRs: []string{"0.0.0.0/0"}}
			a.Workloads = []tier.Workload{{Ingress: []network.Flow{flow, flow}}}
		}), []string{"flow site", "a name of its own"}},
		"host: container without image": {host(func(a *compute.HostArgs) {
			a.Workloads = []tier.Workload{{Containers: []tier.Container{{}}}}
		}), []string{"workloads", "take workloads from tiers"}},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := Run(nil, tc.part)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			require.Empty(t, g.Nodes, "a refusal must register nothing")
		})
	}
}

// The program says all that is wrong at once, and has registered nothing, not even a provider.
func TestProgramRefusesBadConfiguration(t *testing.T) {
	for name, tc := range map[string]struct {
		overrides map[string]string
		want      []string
	}{
		"several values": {map[string]string{"twip:logRetentionDays": "10", "twip:zones": `["x"]`}, []string{"twip:logRetentionDays", "twip:zones", "nothing has been changed"}},
		"unknown key":    {map[string]string{"twip:siteCidr": "[]"}, []string{"twip:siteCidr", "the nearest is twip:siteCidrs"}},
		"two keys":       {map[string]string{"twip:domain": "news.example.com"}, []string{"twip:hostedZone"}},
		"no artifacts":   {map[string]string{"twip:artifacts": "elsewhere"}, []string{`twip:artifacts = "elsewhere"`, "no such file or directory"}},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := Run(Fixture(t, "train", tc.overrides), stacks.Program)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			require.Empty(t, g.Nodes, "a refusal must register nothing")
		})
	}
}
