package tier

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/keeper"
)

// A keeper that is cut off while Prevayler writes its snapshot loses the articles' dates, so its machine waits longer
// than the keeper takes at the most.
func TestKeeperIsGivenTimeToStop(t *testing.T) {
	o := keeper.DefaultOptions()
	given := time.Duration((&AppTierArgs{}).container("twip-prod-app", "app-1").StopSeconds) * time.Second
	require.Less(t, o.Timing.Drain+o.Timing.Stop+o.Handover, given)
}
