package graph

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"twip/components"
	"twip/components/compute"
	"twip/components/edge"
	"twip/components/monitoring"
	"twip/components/network"
	"twip/components/store"
	"twip/components/tier"
)

// Components in groups refuse what cannot be, name every field that is wrong, and register nothing.
func TestGroupComponentsRefuse(t *testing.T) {
	for name, tc := range map[string]struct {
		part func(*pulumi.Context, pulumi.ResourceOption) error
		want []string
	}{
		"network": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := network.NewPrivate(ctx, "x", &network.PrivateArgs{Zones: []string{"eu-central-1a"}}, on)
			return err
		}, []string{`private network "x"`, "region", "two or three", "CIDR", "flowLogDays"}},
		"existing network": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := network.NewPrivate(ctx, "x", &network.PrivateArgs{Region: "eu-central-1", Zones: []string{"eu-central-1a", "eu-central-1b"},
				SingleNAT: true, Existing: &network.Existing{Public: map[string]string{"eu-central-1a": "subnet-1"}}}, on)
			return err
		}, []string{"vpcId", "leave NAT", "existing: private", `existing: public: "eu-central-1b"`}},
		"store": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewSharedStore(ctx, "x", &components.SharedStoreArgs{FileSystem: &store.FileSystemArgs{}}, on)
			return err
		}, []string{`shared store "x"`, "network", "keepDays"}},
		"static tier": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewStaticTier(ctx, "a-name-that-is-far-too-long", &components.StaticTierArgs{Network: &network.Private{}}, on)
			return err
		}, []string{"at most 24 characters", "build", "memoryMiB"}},
		"app tier": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewAppTier(ctx, "x", &components.AppTierArgs{Containers: 2, Group: &tier.AppGroup{}}, on)
			return err
		}, []string{"in a group, add machines", "group: network", "group: store"}},
		"edge": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := components.NewEdgeProxy(ctx, "x", &components.EdgeProxyArgs{LoadBalancer: &edge.LoadBalancerArgs{
				WebACL: &edge.WebACLArgs{}, CDN: &edge.CDNArgs{}}}, on)
			return err
		}, []string{"network", "static", "app", "siteCIDRs", "requestsPer5Minutes", "CDN: secret", "CDN: usEast1", "give the site a domain"}},
		"group": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := compute.NewAutoScalingGroup(ctx, "x", &compute.AutoScalingGroupArgs{Size: compute.Size{Min: 1}, Tier: &tier.Tier{TargetGroup: &tier.TargetGroup{}}}, on)
			return err
		}, []string{`autoscaling group "x"`, "instanceType", "machineImage", "network", "loadBalancer", "refresh", "size: min", "size: max", "load", "region"}},
		"group without a tier": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := compute.NewAutoScalingGroup(ctx, "x", &compute.AutoScalingGroupArgs{}, on)
			return err
		}, []string{"tier", "placed in a group"}},
		"instance refresh": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := compute.NewInstanceRefresh(ctx, "x", &compute.InstanceRefreshArgs{LogRetentionDays: 2}, on)
			return err
		}, []string{`instance refresh "x"`, "logRetentionDays: 2"}},
		"notifications": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := monitoring.NewNotifications(ctx, "x", &monitoring.NotificationsArgs{MonthlyBudgetUSD: 5}, on)
			return err
		}, []string{`notifications "x"`, "stackTag"}},
		"monitor": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := monitoring.NewMonitor(ctx, "x", &monitoring.MonitorArgs{}, on)
			return err
		}, []string{`monitor "x"`, "region", "loadBalancer", "app", "static", "store", "groups", "refresh", "notifications"}},
		"working hours": {func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			_, err := compute.NewWorkingHours(ctx, "x", &compute.WorkingHoursArgs{Hours: compute.Hours{Start: "7", Stop: "7", Days: "always", Timezone: "here, now"}}, on)
			return err
		}, []string{`working hours "x"`, "instanceID", "region", "start", "another time", "days", "timezone"}},
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
