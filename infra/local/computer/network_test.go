package computer

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A run that was killed while it asked Docker for a free range left a network that is ours and is not the network.
func TestANetworkThatWasOnlyAskedForItsRangeIsNotTheNetwork(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	dockerAnswers(t, `echo "$*" >>`+log+`
case "$*" in
*--format*Name*) echo twip-test-probe ;;
"network ls --quiet"*) echo 123 ;;
"network inspect"*) echo '[{"Subnet": "10.1.2.0/24"}]' ;;
esac`)
	require.NoError(t, New("test", Options{State: t.TempDir()}).ensureNetwork(t.Context()))
	asked, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Contains(t, string(asked), "network rm 123\n")
	require.Regexp(t, `network create .*--subnet 10\.1\.2\.0/24 .* twip-test\n`, string(asked))
}

func TestTheNetworkIsMadeOnce(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	dockerAnswers(t, `echo "$*" >>`+log+`; echo twip-test`)
	require.NoError(t, New("test", Options{State: t.TempDir()}).ensureNetwork(t.Context()))
	asked, err := os.ReadFile(log)
	require.NoError(t, err)
	require.NotContains(t, string(asked), "create")
}

func TestAContainerThatNeverStartedIsHalfMade(t *testing.T) {
	for status, want := range map[string]bool{"created": true, "running": false, "exited": false} {
		b := &body{}
		b.State.Status = status
		require.Equal(t, want, b.halfMade(), status)
	}
	require.False(t, (*body)(nil).halfMade())
}
