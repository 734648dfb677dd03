//go:build race

package keeper

// defaultSchedules is small with the race detector, which makes each ten times slower and has nothing to find in
// tasks that run one at a time.
const defaultSchedules = 500
