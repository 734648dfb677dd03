package graph

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

// testdata is found before the tests leave their directory.
var testdata = filepath.Join(Root(), "tests", "graph", "testdata")

// TestMain runs the tests where Pulumi runs the program, in infra/ under a project's root, but of a project that is
// empty: no build context of the checkout is touched, and no artifact of a developer is found.
func TestMain(m *testing.M) {
	flag.Parse()
	// A thousand small graphs are made and dropped: collecting them less often takes a third off the time.
	debug.SetGCPercent(400)
	os.Exit(inEmptyProject(m.Run))
}

func inEmptyProject(tests func() int) int {
	project, err := os.MkdirTemp("", "twip-graph-")
	if err == nil {
		defer func() { _ = os.RemoveAll(project) }()
		err = os.Mkdir(filepath.Join(project, "infra"), 0o700)
	}
	if err == nil {
		err = os.Chdir(filepath.Join(project, "infra"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "graph: an empty project to run in:", err)
		return 1
	}
	return tests()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join(testdata, name)
	if *update {
		require.NoError(t, os.MkdirAll(testdata, 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run the test with -update to make it")
	require.Equal(t, string(want), got, "run the test with -update if the change is meant")
}
