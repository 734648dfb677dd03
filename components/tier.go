package components

import (
	"fmt"
	"slices"

	"twip/infra/images"
)

const (
	// httpPort is where every image serves, inside its container.
	httpPort = 8080

	// minMemoryMiB is the least that any of the images starts with.
	minMemoryMiB = 16
)

// checkTier looks at what every tier is told.
func checkTier(placement Placement, build *images.Context, logRetentionDays int) (p problems) {
	switch placement.(type) {
	case OnHost:
	default:
		p = append(p, errPlacement)
	}
	p = append(p, checkBuild(build)...)
	p.unless(slices.Contains(LogRetentionDays, logRetentionDays), "logRetentionDays", logRetentionDays, fmt.Sprintf("use one of %v", LogRetentionDays))
	return p
}
