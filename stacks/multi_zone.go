package stacks

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components"
)

const (
	// staticCPUPercent leaves a static server room for the load of a whole zone that is lost.
	staticCPUPercent = 50
	// appCPUPercent is lower: standbys forward and are idle, so that an average this high means a busy leader. More
	// servers carry connections and survive more failures; a faster writer is a larger instanceType.
	appCPUPercent = 40
)

// multiZone is every tier in a group over two or three zones:
//
//	internet ── (CloudFront) ── load balancer ┬── static servers
//	                                          └── app servers ── file system, a mount target per zone
func multiZone(ctx *pulumi.Context, c *Config) error {
	build, err := stage(ctx, c)
	if err != nil {
		return err
	}
	on, err := providers(ctx, c)
	if err != nil {
		return err
	}
	network, err := components.NewZonedNetwork(ctx, c.name("network"), &components.ZonedNetworkArgs{
		Region:             c.Region,
		Zones:              c.zoneNames(),
		CIDR:               c.VPCCIDR,
		Existing:           c.existing(),
		SingleNAT:          c.MultiZone.NATGateways == natSingle,
		InterfaceEndpoints: c.MultiZone.InterfaceEndpoints,
		FlowLogDays:        c.LogRetentionDays,
	}, on)
	if err != nil {
		return err
	}
	here := components.InGroup{Network: network}

	store, err := components.NewSharedStore(ctx, c.name("store"), &components.SharedStoreArgs{
		Placement: here,
		Backups:   c.MultiZone.Backups,
		Protect:   c.ProtectData,
	}, on)
	if err != nil {
		return err
	}
	static, err := components.NewStaticTier(ctx, c.name("static"), &components.StaticTierArgs{
		Placement:        here,
		Build:            build.static,
		MemoryMiB:        c.MemoryMiB.Static,
		LogRetentionDays: c.LogRetentionDays,
	}, on)
	if err != nil {
		return err
	}
	app, err := components.NewAppTier(ctx, c.name("app"), &components.AppTierArgs{
		Placement:        here,
		Build:            build.app,
		Store:            store,
		MemoryMiB:        c.MemoryMiB.App,
		LogRetentionDays: c.LogRetentionDays,
	}, on)
	if err != nil {
		return err
	}
	balancer, err := c.balancer(ctx)
	if err != nil {
		return err
	}
	edge, err := components.NewEdgeProxy(ctx, c.name("edge"), &components.EdgeProxyArgs{
		Placement:        here,
		Static:           static,
		App:              app,
		SiteCIDRs:        c.SiteCIDRs,
		Domain:           c.domain(),
		LogRetentionDays: c.LogRetentionDays,
		Balancer:         balancer,
	}, on)
	if err != nil {
		return err
	}
	rollouts, err := components.NewRollouts(ctx, c.name("rollouts"), &components.RolloutsArgs{LogRetentionDays: c.LogRetentionDays}, on)
	if err != nil {
		return err
	}
	var groups []*components.Group
	groupNames := pulumi.StringMap{}
	for _, tier := range []struct {
		name, instanceType string
		workload           components.Workload
		pool               *components.Pool
		size               components.Size
		cpuPercent         float64
	}{
		{"static", c.MultiZone.StaticInstanceType, static.Workload, static.Pool, c.MultiZone.StaticServers, staticCPUPercent},
		{"app", c.InstanceType, app.Workload, app.Pool, c.MultiZone.AppServers, appCPUPercent},
	} {
		group, err := components.NewGroup(ctx, c.name(tier.name+"-group"), &components.GroupArgs{
			Region:       c.Region,
			Network:      network,
			InstanceType: tier.instanceType,
			MachineImage: c.MachineImage,
			Workload:     tier.workload,
			Pool:         tier.pool,
			Edge:         edge,
			Rollouts:     rollouts,
			Size:         tier.size,
			CPUPercent:   tier.cpuPercent,
			Sessions:     c.Sessions,
			Tags:         c.allTags(),
		}, on)
		if err != nil {
			return err
		}
		groups = append(groups, group)
		groupNames[tier.name] = group.Name
	}
	alerts, err := components.NewAlerts(ctx, c.name("alerts"), &components.AlertsArgs{
		Email:            c.MultiZone.AlarmEmail,
		MonthlyBudgetUSD: c.MultiZone.MonthlyBudgetUSD,
		StackTag:         c.Stack,
	}, on)
	if err != nil {
		return err
	}
	if _, err = components.NewWatch(ctx, c.name("watch"), &components.WatchArgs{
		Region:   c.Region,
		Edge:     edge,
		App:      app,
		Static:   static,
		Store:    store,
		Groups:   groups,
		Rollouts: rollouts,
		Alerts:   alerts,
	}, on); err != nil {
		return err
	}

	ctx.Export("url", edge.URL)
	ctx.Export("groups", groupNames)
	ctx.Export("fileSystemId", store.FileSystemID)
	ctx.Export("images", pulumi.StringMap{"static": static.ImageDigest, "app": app.ImageDigest})
	ctx.Export("logGroups", pulumi.StringMap{"static": static.LogGroupName, "app": app.LogGroupName})
	ctx.Export("outboundAddresses", network.Addresses)
	return nil
}

// balancer is how the edge is to be, by configuration.
func (c *Config) balancer(ctx *pulumi.Context) (*components.BalancerArgs, error) {
	args := &components.BalancerArgs{Protect: c.MultiZone.ProtectEdge}
	if c.Domain == "" {
		if err := ctx.Log.Warn("twip:domain is not set: the site is served WITHOUT TLS, and everyone between a visitor and it can read and change what they see. "+
			"Set twip:domain and twip:hostedZone before anyone but you uses it.", nil); err != nil {
			return nil, err
		}
	}
	if c.MultiZone.WAF {
		args.WebACL = &components.WebACLArgs{RequestsPer5Minutes: c.MultiZone.WAFRequestsPer5Minutes}
	} else if err := ctx.Log.Warn("twip:waf is false: nothing keeps OGNL from Struts 2.1, and whoever gets it in runs programs on the servers. "+
		"Set twip:waf: true, unless something else in front of the site refuses it.", nil); err != nil {
		return nil, err
	}
	if c.MultiZone.CDN {
		worldwide, err := aws.NewProvider(ctx, "aws-us-east-1", &aws.ProviderArgs{
			Region:      pulumi.String("us-east-1"),
			DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(c.allTags())},
		})
		if err != nil {
			return nil, fmt.Errorf("provider aws of us-east-1: %w", err)
		}
		args.CDN = &components.CDNArgs{Secret: pulumi.ToSecret(pulumi.String(c.MultiZone.CDNSecret)).(pulumi.StringOutput), USEast1: worldwide}
	}
	return args, nil
}
