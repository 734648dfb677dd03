package account

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The schema is of the SDKs that go.mod names, and of the types that the facts name.
func TestSchemaIsCurrent(t *testing.T) {
	made := filepath.Join(t.TempDir(), "sdk-schema.json")
	out, err := exec.Command("go", "run", "./schemagen", "aws-properties.json", made).CombinedOutput()
	require.NoError(t, err, string(out))
	b, err := os.ReadFile(made)
	require.NoError(t, err)
	require.Equal(t, string(schemaJSON), string(b), "run: go generate ./infra/local/account")
}

// The facts are older than the schema: what they name must still be there.
func TestFactsNameWhatTheSchemaHas(t *testing.T) {
	for typ, f := range known().facts {
		schema := known().Resources[typ]
		for _, path := range slices.Concat(f.Required, f.ReplaceOnChange, f.OutputOnly, slices.Collect(maps.Keys(f.ConflictsWith))) {
			name := strings.TrimSuffix(strings.Split(path, ".")[0], "[]")
			_, input := schema.Inputs[name]
			if name == "id" {
				continue // every resource has one
			}
			require.True(t, input || slices.Contains(schema.Outputs, name), "%s: %s", typ, path)
		}
	}
}
