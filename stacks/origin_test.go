package stacks

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/images"
)

// A commit is told where git is; either way it is one that twip:release takes.
func TestOriginOfWhatIsBuilt(t *testing.T) {
	origin := originOf(builds{
		images.App:    {Artifact: "companyNews.war", Checksum: digestExample},
		images.Static: {Source: "the sample"},
	})
	require.Equal(t, digestExample, origin["companyNews.war"])
	require.NotContains(t, origin, "")
	require.NoError(t, origin.check())
	require.Equal(t, commit(), origin[commitName])
}

func TestCommitOf(t *testing.T) {
	dir := t.TempDir()
	require.Empty(t, commitOf(dir), "it is no checkout")
	require.Empty(t, commitOf(filepath.Join(dir, "absent")))
	for _, args := range [][]string{
		{"init", "--quiet"}, {"add", "--all"},
		{"-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--quiet", "--message=first"},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
		git := exec.Command("git", args...)
		git.Dir = dir
		out, err := git.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	first := commitOf(dir)
	require.Regexp(t, "^[0-9a-f]{40}$", first)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), []byte("changed"), 0o600))
	require.Equal(t, first+"-dirty", commitOf(dir))
}
