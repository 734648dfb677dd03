package compute

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// The function that rolls out is Python, since Lambda's Python brings AWS's clients with it; so are its tests.
func TestRolloutFunction(t *testing.T) {
	python, err := exec.LookPath("python3")
	require.NoError(t, err, "python3 runs the tests of rollout.py: install it (Debian: apt-get install python3)")
	output, err := exec.Command(python, "-B", "-m", "unittest", "rollout_test").CombinedOutput()
	require.NoError(t, err, "%s", output)
	t.Logf("%s", output)
}
