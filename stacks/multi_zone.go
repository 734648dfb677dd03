package stacks

import (
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components"
	"twip/components/compute"
	"twip/components/edge"
	"twip/components/monitoring"
	"twip/components/network"
	"twip/components/store"
	"twip/components/tier"
	"twip/infra/images"
)

const (
	// staticCPUPercent leaves a static server room for the load of a whole zone that is lost.
	staticCPUPercent = 50
	// appRequestsPerMinute of a server is 200 in a second: standbys forward to the leader and are idle, so that an average
	// of CPU says little. More servers carry connections and survive more failures; a faster writer is a larger
	// instanceType, which the alarm on credits asks for.
	appRequestsPerMinute = 12000
)

// multiZone is every tier in a group over two or three zones:
//
//	internet ── (CloudFront) ── load balancer ┬── static servers
//	                                          └── app servers ── file system, a mount target per zone
func multiZone(ctx *pulumi.Context, c *Config, build builds, providers pulumi.ResourceOption) error {
	vpc, err := network.NewPrivate(ctx, c.name("network"), &network.PrivateArgs{
		Region:             c.Region,
		Zones:              c.ZoneNames(),
		CIDR:               c.VPCCIDR,
		Existing:           c.existing(),
		SingleNAT:          !c.NATPerZone(),
		InterfaceEndpoints: c.MultiZone.InterfaceEndpoints,
		FlowLogDays:        c.LogRetentionDays,
	}, providers)
	if err != nil {
		return err
	}
	backups, err := c.backups(ctx)
	if err != nil {
		return err
	}
	data, err := components.NewSharedStore(ctx, c.name("store"), &components.SharedStoreArgs{
		FileSystem: &store.FileSystemArgs{
			Network: vpc,
			Backups: backups,
			Protect: c.ProtectData,
		},
	}, providers)
	if err != nil {
		return err
	}
	static, err := components.NewStaticTier(ctx, c.name("static"), &components.StaticTierArgs{
		Common:  c.common(build, images.Static),
		Network: vpc,
	}, providers)
	if err != nil {
		return err
	}
	app, err := components.NewAppTier(ctx, c.name("app"), &components.AppTierArgs{
		Common:     c.common(build, images.App),
		ExpectData: c.ExpectData, Uploads: c.Uploads, Outbound: c.Outbound,
		Group: &tier.AppGroup{Network: vpc, Store: data.FileSystem},
	}, providers)
	if err != nil {
		return err
	}
	worldwide, err := c.worldwide(ctx)
	if err != nil {
		return err
	}
	balancer, err := c.loadBalancer(ctx, worldwide)
	if err != nil {
		return err
	}
	balancer.Network, balancer.Static, balancer.App = vpc, static, app
	front, err := components.NewEdgeProxy(ctx, c.name("edge"), &components.EdgeProxyArgs{LoadBalancer: balancer},
		providers)
	if err != nil {
		return err
	}
	refresh, err := compute.NewInstanceRefresh(ctx, c.name("rollouts"), &compute.InstanceRefreshArgs{
		LogRetentionDays: c.LogRetentionDays,
	}, providers)
	if err != nil {
		return err
	}
	var groups []*compute.AutoScalingGroup
	groupNames, journals := pulumi.StringMap{}, pulumi.StringMap{}
	for _, g := range []struct {
		name, instanceType string
		tier               *tier.Tier
		store              *store.FileSystem
		size               compute.Size
		load               compute.Load
		cached             []string
	}{
		{"static", c.MultiZone.StaticInstanceType, &static.Tier, nil, c.MultiZone.StaticServers,
			compute.Load{CPUPercent: staticCPUPercent}, edge.StaticPaths},
		{"app", c.InstanceType, &app.Tier, app.Store, c.MultiZone.AppServers,
			compute.Load{RequestsPerMinute: appRequestsPerMinute}, nil},
	} {
		group, err := compute.NewAutoScalingGroup(ctx, c.name(g.name+"-group"), &compute.AutoScalingGroupArgs{
			Machine:      c.machine(g.instanceType),
			Network:      vpc,
			Tier:         g.tier,
			Store:        g.store,
			LoadBalancer: front.LoadBalancer,
			Refresh:      refresh,
			Size:         g.size,
			Load:         g.load,
			Sessions:     c.Sessions,
			Cached:       g.cached,
			Tags:         c.allTags(),
		}, providers)
		if err != nil {
			return err
		}
		groups = append(groups, group)
		groupNames[g.name], journals[g.name] = group.Name, group.JournalName
	}
	notifications, err := monitoring.NewNotifications(ctx, c.name("alerts"), &monitoring.NotificationsArgs{
		Email:            c.MultiZone.AlarmEmail,
		UrgentEmail:      c.MultiZone.UrgentEmail,
		MonthlyBudgetUSD: c.MultiZone.MonthlyBudgetUSD,
		StackTag:         c.Stack,
	}, providers)
	if err != nil {
		return err
	}
	if _, err = monitoring.NewMonitor(ctx, c.name("watch"), &monitoring.MonitorArgs{
		Region:        c.Region,
		LoadBalancer:  front.LoadBalancer,
		App:           app,
		Static:        static,
		Store:         data.FileSystem,
		Groups:        groups,
		Refresh:       refresh,
		Notifications: notifications,
	}, providers); err != nil {
		return err
	}
	if err = c.watchFromOutside(ctx, worldwide, front.LoadBalancer, refresh.Done()); err != nil {
		return err
	}

	ctx.Export("url", front.LoadBalancer.URL)
	ctx.Export("groups", groupNames)
	ctx.Export("fileSystemId", data.FileSystem.FileSystemID)
	ctx.Export("images", pulumi.StringMap{"static": static.ImageDigest, "app": app.ImageDigest})
	ctx.Export("repositories", pulumi.StringMap{"static": static.Repository, "app": app.Repository})
	ctx.Export("logGroups", pulumi.StringMap{"static": static.LogGroupName, "app": app.LogGroupName})
	ctx.Export("journals", journals)
	ctx.Export("outboundAddresses", vpc.Addresses)
	return nil
}

// loadBalancer is how the edge is to be, by configuration.
func (c *Config) loadBalancer(ctx *pulumi.Context, worldwide *aws.Provider) (*edge.LoadBalancerArgs, error) {
	args := &edge.LoadBalancerArgs{
		SiteCIDRs:        c.SiteCIDRs,
		Domain:           c.domain(),
		LogRetentionDays: c.LogRetentionDays,
		Protect:          c.MultiZone.ProtectEdge,
	}
	if c.Domain == "" {
		if err := ctx.Log.Warn("twip:domain is not set: the site is served WITHOUT TLS, and everyone between a "+
			"visitor and it can read and change what they see. "+
			"Set twip:domain and twip:hostedZone before anyone but you uses it.", nil); err != nil {
			return nil, err
		}
	}
	if c.MultiZone.WAF {
		args.WebACL = &edge.WebACLArgs{
			RequestsPer5Minutes: c.MultiZone.WAFRequestsPer5Minutes,
			Uncounted:           c.MultiZone.WAFUncountedCIDRs,
			LogRetentionDays:    c.LogRetentionDays,
		}
	} else if err := ctx.Log.Warn("twip:waf is false: nobody counts the requests of an address, and of all that "+
		"keeps OGNL from Struts 2.1 only the guard in the app servers is left. "+
		"Set twip:waf: true, unless something else in front of the site does both.", nil); err != nil {
		return nil, err
	}
	if c.MultiZone.CDN {
		args.CDN = &edge.CDNArgs{
			Secret:  pulumi.ToSecret(pulumi.String(c.MultiZone.CDNSecret)).(pulumi.StringOutput),
			USEast1: worldwide,
			Open:    c.MultiZone.CDNBothWays,
		}
		if c.MultiZone.CDNSecretAlso != "" {
			args.CDN.AlsoAccepted = pulumi.ToSecret(pulumi.String(c.MultiZone.CDNSecretAlso)).(pulumi.StringOutput)
		}
		if err := c.warnOfBothWays(ctx); err != nil {
			return nil, err
		}
	}
	return args, nil
}

// worldwide is a provider of the region that has what CloudFront uses and the metrics of what is worldwide; nil without
// a domain, when there is no such thing.
func (c *Config) worldwide(ctx *pulumi.Context) (*aws.Provider, error) {
	if c.Domain == "" {
		return nil, nil
	}
	return newRegionalProvider(ctx, c, "aws-us-east-1", "us-east-1")
}

// watchFromOutside has the site's front page asked for by its name, if anyone in the world may see it.
func (c *Config) watchFromOutside(
	ctx *pulumi.Context, worldwide *aws.Provider, front *edge.LoadBalancer, after []pulumi.Resource,
) error {
	if c.Domain == "" || !slices.Contains(c.SiteCIDRs, network.Anywhere) {
		return nil
	}
	there := pulumi.Providers(worldwide)
	notifications, err := monitoring.NewNotifications(ctx, c.name("alerts-outside"), &monitoring.NotificationsArgs{
		Email:       c.MultiZone.AlarmEmail,
		UrgentEmail: c.MultiZone.UrgentEmail,
	}, there)
	if err != nil {
		return err
	}
	_, err = monitoring.NewOutside(ctx, c.name("outside"), &monitoring.OutsideArgs{
		Domain: c.Domain, LoadBalancer: front, Notifications: notifications, After: after,
	}, there)
	return err
}

// warnOfBothWays reminds of what is meant for an hour.
func (c *Config) warnOfBothWays(ctx *pulumi.Context) error {
	if !c.MultiZone.CDNBothWays {
		return nil
	}
	return ctx.Log.Warn("twip:cdnBothWays is true: the load balancer answers everyone, and whoever comes to it directly "+
		"passes by CloudFront. Remove it when nobody has the old addresses any more, an hour after the first up.", nil)
}

// backups are those of the configuration, with a provider of the second region.
func (c *Config) backups(ctx *pulumi.Context) (store.Backups, error) {
	backups := c.MultiZone.Backups
	if c.MultiZone.BackupRegion == "" {
		return backups, nil
	}
	second, err := newRegionalProvider(ctx, c, "aws-backup-copies", c.MultiZone.BackupRegion)
	if err != nil {
		return backups, err
	}
	backups.Copy = &store.BackupCopy{Region: c.MultiZone.BackupRegion, Provider: second}
	return backups, nil
}
