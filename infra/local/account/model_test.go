package account

import (
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

// values makes inputs out of plain values.
func values(m map[string]any) resource.PropertyMap { return resource.NewPropertyMapFromMap(m) }

func TestEveryTypeHasAnIdentifier(t *testing.T) {
	for _, typ := range Types() {
		require.NotEmpty(t, kinds[typ].id, "%s needs a line in kinds.go", typ)
	}
	for typ := range kinds {
		require.True(t, Known(typ), "%s is in kinds.go and nowhere else", typ)
	}
}

// Whatever a template names must exist: unknown placeholders panic, unknown properties would be left out in silence.
func TestTemplatesNameWhatExists(t *testing.T) {
	for _, typ := range Types() {
		schema := known().Resources[typ]
		for name, v := range kinds[typ].outputs {
			_, input := schema.Inputs[name]
			require.True(t, input || slices.Contains(schema.Outputs, name), "%s has no output %q", typ, name)
			if s, ok := v.(string); ok {
				subject{typ: typ, name: "n", inputs: resource.PropertyMap{}}.expand(s)
			}
		}
		subject{typ: typ, name: "n", inputs: resource.PropertyMap{}}.expand(kinds[typ].id + kinds[typ].arn)
	}
}
