package components

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/images"
)

const (
	// httpPort is where every image serves, inside its container.
	httpPort = 8080

	// minMemoryMiB is the least that any of the images starts with.
	minMemoryMiB = 16
)

// newImageAndLogs registers what every tier that runs containers has: their image, and where they log.
func newImageAndLogs(ctx *pulumi.Context, name string, build *images.Context, retentionDays int, child pulumi.ResourceOrInvokeOption) (*Image, *cloudwatch.LogGroup, error) {
	image, err := newImage(ctx, name, build, child)
	if err != nil {
		return nil, nil, err
	}
	group, err := newLogGroup(ctx, name, retentionDays, child)
	return image, group, err
}

// checkTier looks at what every tier is told.
func checkTier(placement Placement, build *images.Context, logRetentionDays int) (p problems) {
	p = append(p, checkPlacement(placement)...)
	p = append(p, checkBuild(build)...)
	return append(p, checkRetention("logRetentionDays", logRetentionDays)...)
}

func checkPlacement(placement Placement) (p problems) {
	switch place := placement.(type) {
	case OnHost:
	case InGroup:
		p.unless(place.Network != nil, "placement: network", nil, "give it the ZonedNetwork to stand in")
	default:
		p = append(p, errPlacement)
	}
	return p
}

func checkRetention(field string, days int) (p problems) {
	p.unless(slices.Contains(LogRetentionDays, days), field, days, fmt.Sprintf("use one of %v", LogRetentionDays))
	return p
}
