package components

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rooms stand in the order of doc.go: each depends only on those before it.
var rooms = []string{"internal", "network", "store", "tier", "edge", "compute", "monitoring"}

func TestRoomsDependInOneDirection(t *testing.T) {
	files, err := filepath.Glob("*/*.go")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, file := range files {
		room := filepath.Dir(file)
		place := slices.Index(rooms, room)
		require.GreaterOrEqual(t, place, 0, "room %s has no place in the order of doc.go and of this test", room)
		seen[room] = true
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			require.NotEqual(t, "twip/components", path, "%s: a room does not look at the public face", file)
			if other, ours := strings.CutPrefix(path, "twip/components/"); ours {
				other, _, _ = strings.Cut(other, "/")
				require.Less(t, slices.Index(rooms, other), place, "%s: %s must not depend on %s", file, room, other)
			}
		}
	}
	require.Len(t, seen, len(rooms)-1, "internal has only packages")
}
