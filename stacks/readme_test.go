package stacks

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the README's configuration table anew")

// The README's table of configuration is the program's.
func TestReadmeShowsTheTable(t *testing.T) {
	var table strings.Builder
	table.WriteString("\n| key | type | default | meaning |\n|---|---|---|---|\n")
	for _, key := range Keys {
		value := "`" + key.defaultText() + "`"
		if key.Default == nil || key.Default == "" {
			value = "–"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", key.Name, key.Type, value, strings.ReplaceAll(key.Description, "|", "\\|"))
	}
	const file, start, end = "../README.md", "<!-- keys -->", "<!-- /keys -->"
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(text), start)
	require.True(t, found, "README.md has lost its mark %s", start)
	shown, after, found := strings.Cut(rest, end)
	require.True(t, found, "README.md has lost its mark %s", end)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(before+start+table.String()+end+after), 0o644))
		return
	}
	require.Equal(t, table.String(), shown, "write it anew with: go test ./stacks -update")
}
