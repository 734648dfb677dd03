package stacks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components"
	"twip/components/compute"
	"twip/components/edge"
	"twip/components/network"
	"twip/components/store"
	"twip/components/tier"
	"twip/infra/images"
)

// singleHost is everything on one machine:
//
//	internet ── Elastic IP ── proxy ┬── static
//	                                └── app-1 … app-n ── data volume
func singleHost(ctx *pulumi.Context, c *Config, build builds, providers pulumi.ResourceOption) error {
	vpc, err := network.NewPublic(ctx, c.name("network"), &network.PublicArgs{
		CIDR:  c.VPCCIDR,
		Zones: c.ZoneNames()[:1],
	}, providers)
	if err != nil {
		return err
	}
	subnet := vpc.Public[0]

	data, err := components.NewSharedStore(ctx, c.name("store"), &components.SharedStoreArgs{Volume: &store.VolumeArgs{
		Zone:    subnet.Zone,
		SizeGiB: c.DataVolumeGiB, Snapshots: c.NightlySnapshots,
		Protect: c.ProtectData,
	}}, providers)
	if err != nil {
		return err
	}
	static, err := components.NewStaticTier(ctx, c.name("static"), &components.StaticTierArgs{
		Common: c.common(build, images.Static),
	}, providers)
	if err != nil {
		return err
	}
	app, err := components.NewAppTier(ctx, c.name("app"), &components.AppTierArgs{
		Common:     c.common(build, images.App),
		Containers: c.AppContainers,
		ExpectData: c.ExpectData, Uploads: c.Uploads, Outbound: c.Outbound,
	}, providers)
	if err != nil {
		return err
	}
	front, err := components.NewEdgeProxy(ctx, c.name("edge"), &components.EdgeProxyArgs{Proxy: &edge.ProxyArgs{
		Common:     c.common(build, images.Proxy),
		Static:     static,
		App:        app,
		SiteCIDRs:  c.SiteCIDRs,
		StatsCIDRs: c.StatsCIDRs,
		Domain:     c.domain(),
	}}, providers)
	if err != nil {
		return err
	}
	proxy := front.Proxy
	host, err := compute.NewHost(ctx, c.name("host"), &compute.HostArgs{
		Machine:   c.machine(c.InstanceType),
		Hostname:  c.Stack,
		Network:   vpc,
		Subnet:    subnet,
		Workloads: []tier.Workload{static.Workload, app.Workload, proxy.Workload},
		Volume:    data.Volume,
		AddressID: proxy.AddressID,
	}, providers)
	if err != nil {
		return err
	}

	if c.WorkingHours != nil {
		if _, err = compute.NewWorkingHours(ctx, c.name("night"), &compute.WorkingHoursArgs{
			InstanceID: host.InstanceID,
			Region:     c.Region,
			Hours:      *c.WorkingHours,
		}, providers); err != nil {
			return err
		}
	}

	ctx.Export("url", proxy.URL)
	if proxy.StatsURL != nil {
		ctx.Export("statsUrl", *proxy.StatsURL)
	}
	ctx.Export("instanceId", host.InstanceID)
	ctx.Export("dataVolumeId", data.Volume.VolumeID)
	ctx.Export("images", pulumi.StringMap{
		"static": static.ImageDigest, "app": app.ImageDigest, "proxy": proxy.ImageDigest,
	})
	ctx.Export("repositories", pulumi.StringMap{
		"static": static.Repository, "app": app.Repository, "proxy": proxy.Repository,
	})
	ctx.Export("journals", pulumi.StringMap{"host": host.JournalName})
	ctx.Export("logGroups", pulumi.StringMap{
		"static": static.LogGroupName, "app": app.LogGroupName, "proxy": proxy.LogGroupName,
	})
	return nil
}

// common is what every tier is told.
func (c *Config) common(build builds, kind images.Kind) tier.Common {
	return tier.Common{Build: build[kind], MemoryMiB: c.MemoryMiB[kind], LogRetentionDays: c.LogRetentionDays}
}

// machine is what every machine is told.
func (c *Config) machine(instanceType string) compute.Machine {
	return compute.Machine{
		Region: c.Region, InstanceType: instanceType, MachineImage: c.MachineImage, LogRetentionDays: c.LogRetentionDays,
	}
}

func (c *Config) domain() *edge.Domain {
	if c.Domain == "" {
		return nil
	}
	return &edge.Domain{Name: c.Domain, ZoneID: c.HostedZone}
}
