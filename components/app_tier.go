package components

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/tier"
)

// AppTier runs companyNews in Jetty, under a keeper that lets one server at a time write: containers on a host, or
// servers in a group of their own. Its image, containers and health check are in tier/app_tier.go.
type AppTier = tier.AppTier

// AppTierArgs describe an AppTier; its Group decides between a host and a group.
type AppTierArgs = tier.AppTierArgs

// NewAppTier creates the image and the log group, and in a group the target group and the ways to the store and to the
// leader. It refuses bad args before it registers anything.
func NewAppTier(
	ctx *pulumi.Context, name string, args *AppTierArgs, opts ...pulumi.ResourceOption,
) (*AppTier, error) {
	return tier.NewAppTier(ctx, name, args, opts...)
}
