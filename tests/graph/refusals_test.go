package graph

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"twip/components"
	"twip/infra/images"
	"twip/stacks"
)

// zone is a subnet of nobody's, for components that are tested on their own.
var zone = components.Subnet{ID: pulumi.String("subnet-0123456789abcdef0"), Zone: "eu-central-1a"}

// build is a build context as images.Stage assembles it.
func build(kind images.Kind) *images.Context {
	return &images.Context{Kind: kind, Dir: "../.build/" + string(kind), Tag: "0123456789abcdef", Args: map[string]string{"BASE_IMAGE": "debian:trixie-slim"}}
}

func storeArgs() *components.SharedStoreArgs {
	return &components.SharedStoreArgs{Placement: components.OnHost{Subnet: zone}, SizeGiB: 8, Protect: true}
}

func staticArgs() *components.StaticTierArgs {
	return &components.StaticTierArgs{Placement: components.OnHost{Subnet: zone}, Build: build(images.Static), MemoryMiB: 32, LogRetentionDays: 30}
}

func appArgs() *components.AppTierArgs {
	return &components.AppTierArgs{Placement: components.OnHost{Subnet: zone}, Build: build(images.App), Store: &components.SharedStore{},
		Containers: 2, MemoryMiB: 512, LogRetentionDays: 30}
}

func edgeArgs() *components.EdgeProxyArgs {
	return &components.EdgeProxyArgs{Placement: components.OnHost{Subnet: zone}, Build: build(images.Proxy),
		Static: &components.StaticTier{Servers: []string{"static:8080"}}, App: &components.AppTier{Servers: []string{"app-1:8080", "app-2:8080"}},
		SiteCIDRs: []string{"0.0.0.0/0"}, StatsCIDRs: []string{"203.0.113.7/32"}, MemoryMiB: 64, LogRetentionDays: 30}
}

func networkArgs() *components.NetworkArgs {
	return &components.NetworkArgs{CIDR: "10.20.0.0/16", Zones: []string{"eu-central-1a", "eu-central-1b"}}
}

// spoilt makes arguments and breaks them in one way.
func spoilt[A any](args *A, spoil func(*A)) *A {
	spoil(args)
	return args
}

// A component that refuses its arguments says which component and which field, and has registered nothing.
func TestComponentsRefuseBadArguments(t *testing.T) {
	type part = func(*pulumi.Context) error
	network := func(spoil func(*components.NetworkArgs)) part {
		return func(ctx *pulumi.Context) error {
			_, err := components.NewNetwork(ctx, "net", spoilt(networkArgs(), spoil))
			return err
		}
	}
	store := func(spoil func(*components.SharedStoreArgs)) part {
		return func(ctx *pulumi.Context) error {
			_, err := components.NewSharedStore(ctx, "store", spoilt(storeArgs(), spoil))
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
	edge := func(spoil func(*components.EdgeProxyArgs)) part {
		return func(ctx *pulumi.Context) error {
			_, err := components.NewEdgeProxy(ctx, "edge", spoilt(edgeArgs(), spoil))
			return err
		}
	}
	host := func(spoil func(*components.HostArgs)) part {
		return func(ctx *pulumi.Context) error {
			args := &components.HostArgs{Hostname: "train", Region: "eu-central-1", Network: &components.Network{}, Subnet: zone, InstanceType: "t2.micro",
				MachineImage: "debian-13-amd64-20251117-2299", Store: &components.SharedStore{}, AddressID: pulumi.String("eipalloc-0123456789abcdef0")}
			_, err := components.NewHost(ctx, "host", spoilt(args, spoil))
			return err
		}
	}
	for name, tc := range map[string]struct {
		part part
		want []string
	}{
		"network: range":         {network(func(a *components.NetworkArgs) { a.CIDR = "10.20.0.1/16" }), []string{`network "net"`, "CIDR", "10.20.0.1/16"}},
		"network: small":         {network(func(a *components.NetworkArgs) { a.CIDR = "10.20.0.0/25" }), []string{"CIDR", "/16 to /24"}},
		"network: no zone":       {network(func(a *components.NetworkArgs) { a.Zones = nil }), []string{"zones", "at least one"}},
		"network: zone twice":    {network(func(a *components.NetworkArgs) { a.Zones[1] = a.Zones[0] }), []string{"zones", "once"}},
		"network: zone":          {network(func(a *components.NetworkArgs) { a.Zones[0] = "eu-central-1" }), []string{"zones", "eu-central-1"}},
		"store: no place":        {store(func(a *components.SharedStoreArgs) { a.Placement = nil }), []string{`shared store "store"`, "placement"}},
		"store: no size":         {store(func(a *components.SharedStoreArgs) { a.SizeGiB = 0 }), []string{"sizeGiB: 0"}},
		"store: no zone":         {store(func(a *components.SharedStoreArgs) { a.Placement = components.OnHost{} }), []string{"placement: zone"}},
		"static: no place":       {static(func(a *components.StaticTierArgs) { a.Placement = nil }), []string{`static tier "static"`, "placement"}},
		"static: not staged":     {static(func(a *components.StaticTierArgs) { a.Build = nil }), []string{"build", "images.Stage"}},
		"static: no tag":         {static(func(a *components.StaticTierArgs) { a.Build.Tag = "" }), []string{"build: tag"}},
		"static: memory":         {static(func(a *components.StaticTierArgs) { a.MemoryMiB = 4 }), []string{"memoryMiB: 4"}},
		"static: retention":      {static(func(a *components.StaticTierArgs) { a.LogRetentionDays = 2 }), []string{"logRetentionDays: 2"}},
		"app: no place":          {app(func(a *components.AppTierArgs) { a.Placement = nil }), []string{`app tier "app"`, "placement"}},
		"app: none":              {app(func(a *components.AppTierArgs) { a.Containers = 0 }), []string{"containers: 0"}},
		"app: no store":          {app(func(a *components.AppTierArgs) { a.Store = nil }), []string{"store"}},
		"app: memory":            {app(func(a *components.AppTierArgs) { a.MemoryMiB = 0 }), []string{"memoryMiB: 0"}},
		"edge: no place":         {edge(func(a *components.EdgeProxyArgs) { a.Placement = nil }), []string{`edge proxy "edge"`, "placement"}},
		"edge: nothing behind":   {edge(func(a *components.EdgeProxyArgs) { a.Static, a.App = nil, nil }), []string{"static", "app"}},
		"edge: nobody may see":   {edge(func(a *components.EdgeProxyArgs) { a.SiteCIDRs = nil }), []string{"siteCIDRs"}},
		"edge: range":            {edge(func(a *components.EdgeProxyArgs) { a.StatsCIDRs = []string{"here"} }), []string{"flow stats: CIDR", "here"}},
		"edge: range twice":      {edge(func(a *components.EdgeProxyArgs) { a.SiteCIDRs = []string{"10.0.0.0/8", "10.0.0.0/8"} }), []string{"flow site: CIDR", "once"}},
		"edge: domain":           {edge(func(a *components.EdgeProxyArgs) { a.Domain = &components.Domain{Name: "a.example.com"} }), []string{"domain"}},
		"host: nothing to run":   {host(func(*components.HostArgs) {}), []string{`host "host"`, "containers"}},
		"host: type":             {host(func(a *components.HostArgs) { a.InstanceType = "t4g.nano" }), []string{"instanceType", "t4g.nano", "t2.micro"}},
		"host: no address":       {host(func(a *components.HostArgs) { a.AddressID = nil }), []string{"addressID"}},
		"host: nowhere":          {host(func(a *components.HostArgs) { a.Network, a.Subnet = nil, components.Subnet{} }), []string{"network", "subnet"}},
		"host: no store":         {host(func(a *components.HostArgs) { a.Store = nil }), []string{"store"}},
		"host: no machine image": {host(func(a *components.HostArgs) { a.MachineImage = "" }), []string{"machineImage"}},
		"host: host name":        {host(func(a *components.HostArgs) { a.Hostname = "a b" }), []string{"hostname", "a b"}},
		"host: flows of one name": {host(func(a *components.HostArgs) {
			flow := components.Flow{Name: "site", Port: 80, CIDRs: []string{"0.0.0.0/0"}}
			a.Workloads = []components.Workload{{Ingress: []components.Flow{flow, flow}}}
		}), []string{"flow site", "a name of its own"}},
		"host: container without image": {host(func(a *components.HostArgs) {
			a.Workloads = []components.Workload{{Containers: []components.Container{{}}}}
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
			g, err := Run(Committed(t, "train", tc.overrides), stacks.Program)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			require.Empty(t, g.Nodes, "a refusal must register nothing")
		})
	}
}
