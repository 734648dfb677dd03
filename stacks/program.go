package stacks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/guardrails"
)

// topologies has the program of each topology.
var topologies = map[Topology]func(*pulumi.Context, *Config) error{
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
	return guardrails.Enforce(ctx, func(ctx *pulumi.Context) error { return topologies[c.Topology](ctx, c) })
}
