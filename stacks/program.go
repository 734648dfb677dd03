package stacks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/guardrails"
)

// topology declares the resources of an environment, with the build contexts of its images and the providers that every
// component gets.
type topology func(ctx *pulumi.Context, c *Config, build builds, providers pulumi.ResourceOption) error

var topologies = map[Topology]topology{
	SingleHost: singleHost,
	MultiZone:  multiZone,
}

func topologyNames() []string {
	names := make([]string, 0, len(topologies))
	for _, name := range sortedKeys(topologies) {
		names = append(names, string(name))
	}
	return names
}

// Program declares the environment that the stack's configuration describes, under the rules that hold for all of them.
func Program(ctx *pulumi.Context) error {
	c, err := Load(ctx)
	if err != nil {
		return err
	}
	ctx, guard, err := guardrails.Watch(ctx)
	if err != nil {
		return err
	}
	if err := guardrails.Enforce(ctx, c.declare); err != nil {
		return err
	}
	return c.affordable(ctx, guard.Graph())
}

// Declare is Program without its rules, for whoever only wants to know what is in an environment.
func Declare(ctx *pulumi.Context) error {
	c, err := Load(ctx)
	if err != nil {
		return err
	}
	return c.declare(ctx)
}

func (c *Config) declare(ctx *pulumi.Context) error {
	build, err := stage(ctx, c)
	if err != nil {
		return err
	}
	providers, err := newProviders(ctx, c)
	if err != nil {
		return err
	}
	declared, err := listed(ctx)
	if err != nil {
		return err
	}
	origin := c.Release.Origin
	if len(c.Release.Images) == 0 {
		origin = originOf(build)
	}
	ctx.Export("origin", origin.output())
	if len(c.ReleaseBefore.Images) > 0 {
		ctx.Export("releaseBefore", c.ReleaseBefore.output())
	}
	if err := topologies[c.Topology](ctx, c, build, providers); err != nil {
		return err
	}
	return c.protect(ctx, *declared)
}
