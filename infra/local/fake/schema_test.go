package fake

import (
	"os"
	"os/exec"
	"path/filepath"
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
	require.Equal(t, string(schemaJSON), string(b), "run: go generate ./infra/local/fake")
}
