//go:build !race

package keeper

// defaultSchedules takes ten to thirty seconds on two processors.
const defaultSchedules = 10000
