package graph

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/stacks"
)

// Whatever their owners write into the stack files of this repository, each of them previews and keeps the rules.
func TestCommittedStacksPreview(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(Root(), "Pulumi.*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml")
		t.Run(name, func(t *testing.T) {
			g, err := PreviewStack(name, Merged(t, file, name), stacks.Program)
			require.NoError(t, err)
			require.NotEmpty(t, g.Nodes)
		})
	}
}
