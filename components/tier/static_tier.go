package tier

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/problem"
	"twip/components/network"
	"twip/infra/boot"
)

// StaticTierArgs describe the servers of images and stylesheets.
type StaticTierArgs struct {
	Common

	// Network places the servers in a group in its private subnets, behind a load balancer; nil: on one host, behind
	// the proxy there.
	Network *network.Private
}

// StaticTier serves /styles/* and /images/* with nginx.
type StaticTier struct {
	pulumi.ResourceState
	Tier
}

// NewStaticTier creates the image and the log group, and in a group the target group. It refuses bad args before it
// registers anything.
func NewStaticTier(
	ctx *pulumi.Context, name string, args *StaticTierArgs, opts ...pulumi.ResourceOption,
) (*StaticTier, error) {
	if err := args.validate(name).Err("static tier", name); err != nil {
		return nil, err
	}
	t := &StaticTier{}
	if err := ctx.RegisterComponentResource("twip:components:StaticTier", name, t, opts...); err != nil {
		return nil, err
	}
	if err := t.register(ctx, name, args.Common, []boot.Container{args.container()}, t); err != nil {
		return nil, fmt.Errorf("static tier %q: %w", name, err)
	}
	if args.Network != nil {
		var err error
		t.TargetGroup, err = newTargetGroup(ctx, name, args.Network, staticCheck, staticDrainSeconds, pulumi.Parent(t))
		if err != nil {
			return nil, fmt.Errorf("static tier %q: %w", name, err)
		}
	}
	return t, ctx.RegisterResourceOutputs(t, t.outputs())
}

// staticCheck replaces a server that does not answer: nginx needs nothing but itself, so that the fault is the server's
// own.
var staticCheck = HealthCheck{Port: HTTPPort, Path: "/healthz", Replaces: true}

// staticDrainSeconds lets a slow client finish the largest file.
const staticDrainSeconds = 30

func (a *StaticTierArgs) container() boot.Container {
	c := boot.Container{
		Name:        "static",
		MemoryMiB:   a.MemoryMiB,
		PIDs:        64,
		Tmpfs:       []string{"/run:size=4m,mode=1777", "/tmp:size=16m,mode=1777"},
		Health:      []string{"/usr/local/bin/healthcheck"},
		StopSeconds: 15, // enough for the largest file to reach a slow client

		// Pages that browsers still show, and those of app servers that are not replaced yet, ask for files that this
		// release may not have any more.
		Before: a.Build.Before,
	}
	if a.Network != nil {
		c.Ports = []boot.Port{{Host: HTTPPort, Container: HTTPPort}}
	}
	return c
}

func (a *StaticTierArgs) validate(name string) problem.List {
	p := a.Common.Validate()
	if a.Network != nil {
		p = append(p, CheckName(name)...)
	}
	return p
}
