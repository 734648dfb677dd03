package components

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/tier"
)

// StaticTier serves /styles/* and /images/* with nginx: one container on a host, or servers in a group of their own.
// Its image, containers and health check are in tier/static_tier.go.
type StaticTier = tier.StaticTier

// StaticTierArgs describe a StaticTier; its Network decides between a host and a group.
type StaticTierArgs = tier.StaticTierArgs

// NewStaticTier creates the image and the log group, and in a group the target group. It refuses bad args before it
// registers anything.
func NewStaticTier(
	ctx *pulumi.Context, name string, args *StaticTierArgs, opts ...pulumi.ResourceOption,
) (*StaticTier, error) {
	return tier.NewStaticTier(ctx, name, args, opts...)
}
