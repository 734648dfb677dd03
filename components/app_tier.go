package components

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/boot"
	"twip/infra/images"
)

// AppTierArgs describe the servers of the dynamic pages.
type AppTierArgs struct {
	Placement        Placement       // required
	Build            *images.Context // required; the app image's
	Store            *SharedStore    // required; keeps what people post
	Containers       int             // required on a host, from 1 to MaxAppContainers; in a group every machine has one
	MemoryMiB        int             // required; hard limit of a container, the JVM's heap and all else
	LogRetentionDays int             // required; one of LogRetentionDays
}

// MaxAppContainers bounds the app servers of one host: its user data has to hold a unit for each.
const MaxAppContainers = 4

// AppTier runs companyNews in Jetty. Each server is a container whose keeper lets one of them at a time be the writer;
// the others forward to it, so all of them can answer.
type AppTier struct {
	pulumi.ResourceState
	Workload     Workload // for the Host or the Group
	Servers      []string // host:port of each server, as the edge on the same host reaches them
	Pool         *Pool    // the servers behind a load balancer, when placed in a group
	ImageDigest  pulumi.StringOutput
	LogGroupName pulumi.StringOutput
}

// NewAppTier refuses bad args before it registers anything.
func NewAppTier(ctx *pulumi.Context, name string, args *AppTierArgs, opts ...pulumi.ResourceOption) (*AppTier, error) {
	if err := args.validate(name).err("app tier", name); err != nil {
		return nil, err
	}
	t := &AppTier{}
	if err := ctx.RegisterComponentResource("twip:components:AppTier", name, t, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(t)
	image, group, err := newImageAndLogs(ctx, name, args.Build, args.LogRetentionDays, child)
	if err != nil {
		return nil, fmt.Errorf("app tier %q: %w", name, err)
	}
	for number := range max(args.Containers, 1) {
		spec := args.container(fmt.Sprintf("app-%d", number+1))
		t.Workload.Containers = append(t.Workload.Containers, Container{Spec: spec, Image: image, LogGroup: group})
		t.Servers = append(t.Servers, fmt.Sprintf("%s:%d", spec.Name, httpPort))
	}
	if place, grouped := args.Placement.(InGroup); grouped {
		if err = t.join(ctx, name, args, place); err != nil {
			return nil, fmt.Errorf("app tier %q: %w", name, err)
		}
	}
	t.ImageDigest, t.LogGroupName = image.Digest, group.Name
	return t, ctx.RegisterResourceOutputs(t, pulumi.Map{"imageDigest": t.ImageDigest, "logGroupName": t.LogGroupName})
}

func (a *AppTierArgs) container(name string) boot.Container {
	return boot.Container{
		Name:       name,
		MemoryMiB:  a.MemoryMiB,
		PIDs:       512, // a thread counts as one; Jetty's pool has up to 200
		Tmpfs:      []string{"/run:size=16m,mode=1777", "/tmp:size=64m,mode=1777"},
		StoreMount: "/store",
		// A container that fails this is restarted, which is no help when the store is away: it asks only for the process.
		Health: []string{"/usr/local/bin/keeper", "health", "--live"},
		// Prevayler takes its snapshot only when it is stopped in an orderly way; the snapshot grows with the data.
		StopSeconds: 75,
	}
}

func (a *AppTierArgs) validate(name string) (p problems) {
	p = append(p, checkTier(a.Placement, a.Build, a.LogRetentionDays)...)
	p.unless(a.MemoryMiB >= minMemoryMiB, "memoryMiB", a.MemoryMiB, fmt.Sprintf("use %d or more", minMemoryMiB))
	p.unless(a.Store != nil, "store", nil, "give it the SharedStore that keeps its data")
	if _, grouped := a.Placement.(InGroup); grouped {
		p = append(p, checkPoolOf(a.Placement, name)...)
		p.unless(a.Containers == 0, "containers", a.Containers, "leave it out: in a group every machine has one")
		p.unless(a.Store == nil || a.Store.files != nil, "store", "a volume", "give it a SharedStore placed InGroup: a volume cannot be on several machines")
	} else {
		p.unless(a.Containers >= 1 && a.Containers <= MaxAppContainers, "containers", a.Containers, fmt.Sprintf("use 1 to %d", MaxAppContainers))
	}
	return p
}
