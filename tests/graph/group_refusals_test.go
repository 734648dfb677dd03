package graph

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"twip/components"
)

// Components in groups refuse what cannot be, name every field that is wrong, and register nothing.
func TestGroupComponentsRefuse(t *testing.T) {
	nowhere := components.InGroup{}
	for name, tc := range map[string]struct {
		part func(*pulumi.Context, pulumi.ResourceOption) error
		want []string
	}{
		"network": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewZonedNetwork(ctx, "x", &components.ZonedNetworkArgs{Zones: []string{"eu-central-1a"}}, on)
			return err
		}, []string{`zoned network "x"`, "region", "two or three", "CIDR", "flowLogDays"}},
		"existing network": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewZonedNetwork(ctx, "x", &components.ZonedNetworkArgs{Region: "eu-central-1", Zones: []string{"eu-central-1a", "eu-central-1b"},
				SingleNAT: true, Existing: &components.ExistingNetwork{Public: map[string]string{"eu-central-1a": "subnet-1"}}}, on)
			return err
		}, []string{"vpcId", "leave NAT", "existing: private", `existing: public: "eu-central-1b"`}},
		"store": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewSharedStore(ctx, "x", &components.SharedStoreArgs{Placement: nowhere}, on)
			return err
		}, []string{`shared store "x"`, "placement: network", "keepDays"}},
		"static tier": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewStaticTier(ctx, "a-name-that-is-far-too-long", &components.StaticTierArgs{Placement: nowhere}, on)
			return err
		}, []string{"at most 24 characters", "placement: network", "build", "memoryMiB"}},
		"app tier": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewAppTier(ctx, "x", &components.AppTierArgs{Placement: nowhere, Containers: 2, Store: &components.SharedStore{}}, on)
			return err
		}, []string{"every machine has one", "a volume cannot be on several machines"}},
		"edge": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewEdgeProxy(ctx, "x", &components.EdgeProxyArgs{Placement: nowhere, Balancer: &components.BalancerArgs{
				WebACL: &components.WebACLArgs{}, CDN: &components.CDNArgs{}}}, on)
			return err
		}, []string{"static", "app", "siteCIDRs", "requestsPer5Minutes", "CDN: secret", "CDN: usEast1", "give the site a domain"}},
		"group": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewGroup(ctx, "x", &components.GroupArgs{Size: components.Size{Min: 1}}, on)
			return err
		}, []string{`group "x"`, "instanceType", "machineImage", "network", "edge", "rollouts", "size: min", "size: max", "cpuPercent", "pool"}},
		"rollouts": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewRollouts(ctx, "x", &components.RolloutsArgs{LogRetentionDays: 2}, on)
			return err
		}, []string{`rollouts "x"`, "logRetentionDays: 2"}},
		"alerts": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewAlerts(ctx, "x", &components.AlertsArgs{MonthlyBudgetUSD: 5}, on)
			return err
		}, []string{`alerts "x"`, "stackTag"}},
		"watch": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewWatch(ctx, "x", &components.WatchArgs{}, on)
			return err
		}, []string{`watch "x"`, "region", "edge", "tiers", "store", "groups", "rollouts", "alerts"}},
		"night": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewNight(ctx, "x", &components.NightArgs{Hours: components.Hours{Start: "7", Stop: "7", Days: "always", Timezone: "here, now"}}, on)
			return err
		}, []string{`night "x"`, "instanceID", "region", "start", "another time", "days", "timezone"}},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := Run(nil, with(tc.part))
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			for _, node := range g.Nodes {
				require.Contains(t, node.Type, "pulumi:providers:", "registered in spite of the refusal")
			}
		})
	}
}
