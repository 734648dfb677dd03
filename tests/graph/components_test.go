package graph

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"twip/components"
	"twip/components/edge"
	"twip/components/network"
)

// alone runs one component on its own.
func alone(t *testing.T, part func(ctx *pulumi.Context, on pulumi.ResourceOption) error) *Graph {
	t.Helper()
	g, err := Run(nil, with(part))
	require.NoError(t, err)
	return g
}

func TestNetwork(t *testing.T) {
	g := alone(t, func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
		vpc, err := network.NewPublic(ctx, "net", networkArgs(), on)
		if err != nil {
			return err
		}
		ctx.Export("second", vpc.Public[1].ID)
		return nil
	})
	component := g.One(t, "twip:components:Network", "net")
	subnets := g.Of(t, subnetType)
	require.Len(t, subnets, 2)
	for i, want := range []struct{ zone, cidr string }{{"eu-central-1a", "10.20.0.0/20"}, {"eu-central-1b", "10.20.16.0/20"}} {
		require.Equal(t, component.URN, subnets[i].Parent)
		require.Equal(t, want.zone, g.At(t, subnets[i], "availabilityZone"))
		require.Equal(t, want.cidr, g.At(t, subnets[i], "cidrBlock"))
	}
	require.Equal(t, subnets[1].ID, g.Output(t, "second"))
	require.Len(t, g.Of(t, "aws:ec2/routeTableAssociation:RouteTableAssociation"), 2)
	require.Equal(t, "0.0.0.0/0", g.At(t, g.Of(t, "aws:ec2/route:Route")[0], "destinationCidrBlock"))
	require.Equal(t, Plain(component.Outputs["vpcId"]), g.Of(t, "aws:ec2/vpc:Vpc")[0].ID)
}

func TestSharedStoreOnHost(t *testing.T) {
	for _, protect := range []bool{true, false} {
		g := alone(t, func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			args := volumeArgs()
			args.Protect = protect
			_, err := components.NewSharedStore(ctx, "store", &components.SharedStoreArgs{Volume: args}, on)
			return err
		})
		volume := g.One(t, volumeType, "store")
		require.Equal(t, protect, volume.Protect)
		require.Equal(t, protect, g.At(t, volume, "finalSnapshot"))
		require.False(t, volume.RetainOnDelete)
		require.Equal(t, "eu-central-1a", g.At(t, volume, "availabilityZone"))
		require.Equal(t, volume.ID, Plain(g.One(t, "twip:components:SharedStore", "store").Outputs["volumeId"]))
	}
}

func TestStaticTierOnHost(t *testing.T) {
	var servers *components.StaticTier
	g := alone(t, func(ctx *pulumi.Context, on pulumi.ResourceOption) (err error) {
		servers, err = components.NewStaticTier(ctx, "static", staticArgs(), on)
		return err
	})
	require.Equal(t, []string{"static:8080"}, servers.Servers)
	require.Empty(t, servers.Workload.Ingress, "only the edge can be reached from outside")
	require.Empty(t, servers.Workload.Containers[0].Spec.Ports)
	requireTier(t, g, "twip:components:StaticTier", "static")
}

func TestAppTierOnHost(t *testing.T) {
	var servers *components.AppTier
	g := alone(t, func(ctx *pulumi.Context, on pulumi.ResourceOption) (err error) {
		servers, err = components.NewAppTier(ctx, "app", appArgs(), on)
		return err
	})
	require.Equal(t, []string{"/sockets/app-1", "/sockets/app-2"}, servers.Servers)
	require.Empty(t, servers.Workload.Ingress, "only the edge can be reached from outside")
	require.Len(t, servers.Workload.Containers, 2)
	for _, c := range servers.Workload.Containers {
		require.Equal(t, "/store", c.Spec.StoreMount)
		require.GreaterOrEqual(t, c.Spec.StopSeconds, 60, "Prevayler takes its snapshot while it stops")
		require.Same(t, servers.Workload.Containers[0].Image, c.Image, "one image for all")
	}
	requireTier(t, g, "twip:components:AppTier", "app")
}

func TestEdgeProxyOnHost(t *testing.T) {
	var front *components.EdgeProxy
	g := alone(t, func(ctx *pulumi.Context, on pulumi.ResourceOption) (err error) {
		front, err = components.NewEdgeProxy(ctx, "edge", &components.EdgeProxyArgs{Proxy: proxyArgs()}, on)
		return err
	})
	spec := front.Proxy.Workload.Containers[0].Spec
	require.Equal(t, map[string]string{"STATIC_SERVERS": "static:8080", "APP_SERVERS": "/sockets/app-1 /sockets/app-2"},
		spec.Env)
	require.Len(t, spec.Ports, 2)
	require.NotNil(t, front.Proxy.StatsURL)
	require.Equal(t, "vpc", g.At(t, g.One(t, "aws:ec2/eip:Eip", "edge"), "domain"))
	require.False(t, g.Has(recordType), "no domain, no record")
	requireTier(t, g, "twip:components:EdgeProxy", "edge")

	g = alone(t, func(ctx *pulumi.Context, on pulumi.ResourceOption) (err error) {
		args := proxyArgs()
		args.StatsCIDRs = nil
		args.Domain = &edge.Domain{Name: "news.example.com", ZoneID: "Z0123456789ABCDEFGHIJ"}
		front, err = components.NewEdgeProxy(ctx, "edge", &components.EdgeProxyArgs{Proxy: args}, on)
		return err
	})
	require.Len(t, front.Proxy.Workload.Containers[0].Spec.Ports, 1, "a page that nobody may see is not published")
	require.Len(t, front.Proxy.Workload.Ingress, 1)
	require.Nil(t, front.Proxy.StatsURL)
	record := g.One(t, recordType, "edge")
	require.Equal(t, "A", g.At(t, record, "type"))
	require.True(t, g.Waits(record, g.One(t, "aws:ec2/eip:Eip", "edge")))
}

// requireTier looks at what every tier makes for itself.
func requireTier(t *testing.T, g *Graph, typ, name string) {
	t.Helper()
	component := g.One(t, typ, name)
	for _, child := range []string{repositoryType, imageType, logGroupType, "aws:ecr/lifecyclePolicy:LifecyclePolicy"} {
		require.Equal(t, component.URN, g.One(t, child, name).Parent)
	}
	image := g.One(t, imageType, name)
	require.Contains(t, g.At(t, image, "imageName"), Plain(g.One(t, repositoryType, name).Outputs["repositoryUrl"]))
	require.Equal(t, Plain(image.Outputs["repoDigest"]), Plain(component.Outputs["imageDigest"]))
	require.Equal(t, 30.0, g.At(t, g.One(t, logGroupType, name), "retentionInDays"))
	for _, node := range g.Nodes {
		require.NotContains(t, node.Inputs, "name", "%s has a fixed physical name", node.URN)
	}
}

// Two of a kind in one stack must not meet in one name.
func TestComponentsCanBeMadeTwice(t *testing.T) {
	alone(t, func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
		for _, name := range []string{"one", "two"} {
			if _, err := components.NewStaticTier(ctx, name, staticArgs(), on); err != nil {
				return err
			}
			if _, err := network.NewPublic(ctx, name, networkArgs(), on); err != nil {
				return err
			}
		}
		return nil
	})
}
