package components

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/boot"
	"twip/infra/images"
)

// StaticTierArgs describe the servers of images and stylesheets.
type StaticTierArgs struct {
	Placement        Placement       // required
	Build            *images.Context // required; the static image's
	MemoryMiB        int             // required; hard limit of a container
	LogRetentionDays int             // required; one of LogRetentionDays
}

// StaticTier serves /styles/* and /images/* with nginx.
type StaticTier struct {
	pulumi.ResourceState
	Workload     Workload // for the Host or the Group
	Servers      []string // host:port of each server, as the edge on the same host reaches them
	Pool         *Pool    // the servers behind a load balancer, when placed in a group
	ImageDigest  pulumi.StringOutput
	LogGroupName pulumi.StringOutput
}

// NewStaticTier refuses bad args before it registers anything.
func NewStaticTier(ctx *pulumi.Context, name string, args *StaticTierArgs, opts ...pulumi.ResourceOption) (*StaticTier, error) {
	if err := args.validate(name).err("static tier", name); err != nil {
		return nil, err
	}
	t := &StaticTier{}
	if err := ctx.RegisterComponentResource("twip:components:StaticTier", name, t, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(t)
	image, group, err := newImageAndLogs(ctx, name, args.Build, args.LogRetentionDays, child)
	if err != nil {
		return nil, fmt.Errorf("static tier %q: %w", name, err)
	}
	spec := args.container()
	if place, grouped := args.Placement.(InGroup); grouped {
		spec.Ports = []boot.Port{{Host: httpPort, Container: httpPort}}
		if t.Pool, err = newPool(ctx, name, place, staticCheck, staticDrainSeconds, child); err != nil {
			return nil, fmt.Errorf("static tier %q: %w", name, err)
		}
	}
	t.Workload = Workload{Containers: []Container{{Spec: spec, Image: image, LogGroup: group}}}
	t.Servers = []string{fmt.Sprintf("%s:%d", spec.Name, httpPort)}
	t.ImageDigest, t.LogGroupName = image.Digest, group.Name
	return t, ctx.RegisterResourceOutputs(t, pulumi.Map{"imageDigest": t.ImageDigest, "logGroupName": t.LogGroupName})
}

// staticCheck replaces a server that does not answer: nginx needs nothing but itself, so that the fault is the server's own.
var staticCheck = healthCheck{port: httpPort, path: "/healthz", replaces: true}

// staticDrainSeconds lets a slow client finish the largest file.
const staticDrainSeconds = 30

func (a *StaticTierArgs) container() boot.Container {
	return boot.Container{
		Name:        "static",
		MemoryMiB:   a.MemoryMiB,
		PIDs:        64,
		Tmpfs:       []string{"/run:size=4m,mode=1777", "/tmp:size=16m,mode=1777"},
		Health:      []string{"/usr/local/bin/healthcheck"},
		StopSeconds: 15, // enough for the largest file to reach a slow client
	}
}

func (a *StaticTierArgs) validate(name string) (p problems) {
	p = append(p, checkTier(a.Placement, a.Build, a.LogRetentionDays)...)
	p = append(p, checkPoolOf(a.Placement, name)...)
	p.unless(a.MemoryMiB >= minMemoryMiB, "memoryMiB", a.MemoryMiB, fmt.Sprintf("use %d or more", minMemoryMiB))
	return p
}
