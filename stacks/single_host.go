package stacks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components"
)

// singleHost is everything on one machine:
//
//	internet ── Elastic IP ── proxy ┬── static
//	                                └── app-1 … app-n ── data volume
func singleHost(ctx *pulumi.Context, c *Config) error {
	build, err := stage(ctx, c)
	if err != nil {
		return err
	}
	on, err := providers(ctx, c)
	if err != nil {
		return err
	}
	network, err := components.NewNetwork(ctx, c.name("network"), &components.NetworkArgs{
		CIDR:  c.VPCCIDR,
		Zones: c.zoneNames()[:1],
	}, on)
	if err != nil {
		return err
	}
	subnet := network.Public[0]
	here := components.OnHost{Subnet: subnet}

	store, err := components.NewSharedStore(ctx, c.name("store"), &components.SharedStoreArgs{
		Placement: here,
		SizeGiB:   c.DataVolumeGiB,
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
		Containers:       c.AppContainers,
		MemoryMiB:        c.MemoryMiB.App,
		LogRetentionDays: c.LogRetentionDays,
	}, on)
	if err != nil {
		return err
	}
	edge, err := components.NewEdgeProxy(ctx, c.name("edge"), &components.EdgeProxyArgs{
		Placement:        here,
		Build:            build.proxy,
		Static:           static,
		App:              app,
		SiteCIDRs:        c.SiteCIDRs,
		StatsCIDRs:       c.StatsCIDRs,
		Domain:           c.domain(),
		MemoryMiB:        c.MemoryMiB.Proxy,
		LogRetentionDays: c.LogRetentionDays,
	}, on)
	if err != nil {
		return err
	}
	host, err := components.NewHost(ctx, c.name("host"), &components.HostArgs{
		Hostname:     c.Stack,
		Region:       c.Region,
		Network:      network,
		Subnet:       subnet,
		InstanceType: c.InstanceType,
		MachineImage: c.MachineImage,
		Workloads:    []components.Workload{static.Workload, app.Workload, edge.Workload},
		Store:        store,
		AddressID:    edge.AddressID,
	}, on)
	if err != nil {
		return err
	}

	if c.WorkingHours != nil {
		if _, err = components.NewNight(ctx, c.name("night"), &components.NightArgs{
			InstanceID: host.InstanceID,
			Region:     c.Region,
			Hours:      *c.WorkingHours,
		}, on); err != nil {
			return err
		}
	}

	ctx.Export("url", edge.URL)
	if edge.StatsURL != nil {
		ctx.Export("statsUrl", *edge.StatsURL)
	}
	ctx.Export("instanceId", host.InstanceID)
	ctx.Export("dataVolumeId", store.VolumeID)
	ctx.Export("images", pulumi.StringMap{"static": static.ImageDigest, "app": app.ImageDigest, "proxy": edge.ImageDigest})
	ctx.Export("logGroups", pulumi.StringMap{"static": static.LogGroupName, "app": app.LogGroupName, "proxy": edge.LogGroupName})
	return nil
}

func (c *Config) domain() *components.Domain {
	if c.Domain == "" {
		return nil
	}
	return &components.Domain{Name: c.Domain, ZoneID: c.HostedZone}
}
