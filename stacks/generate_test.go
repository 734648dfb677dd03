package stacks

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write what is made of the table of keys")

const (
	keysStart = "  # Written from the table of stacks/keys.go by: go test ./stacks -update\n"
	start     = "<!-- keys -->\n"
	end       = "<!-- /keys -->\n"
)

// Pulumi.yaml is what people read and Pulumi checks by; the table is what the program knows.
func TestPulumiYAMLDeclaresTheTable(t *testing.T) {
	var section strings.Builder
	for _, key := range Keys {
		section.WriteString(declaration(t, key))
	}
	require.Equal(t, section.String(), generated(t, "../Pulumi.yaml", keysStart, "", section.String()))

	project, err := workspace.LoadProject("../Pulumi.yaml")
	require.NoError(t, err, "Pulumi has to understand it")
	require.Equal(t, "infra", project.Main)
	require.Equal(t, []any{"*"}, project.Config["pulumi:disable-default-providers"].Value)
	require.Len(t, project.Config, len(Keys)+1)
}

func TestREADMEShowsTheTable(t *testing.T) {
	var table strings.Builder
	table.WriteString("| key | type | default | meaning |\n|---|---|---|---|\n")
	for _, key := range Keys {
		value := "`" + key.defaultText() + "`"
		if key.Default == "" {
			value = "–"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n",
			key.Name, typeOf(t, key), value, strings.ReplaceAll(key.Description, "|", "\\|"))
	}
	require.Equal(t, table.String(), generated(t, "README.md", start, end, table.String()))
}

// generated is what a file has between two marks, an empty one being its end; with -update it is written first.
func generated(t *testing.T, file, start, end, text string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(content), start)
	require.True(t, found, "%s has lost its line %s", file, start)
	shown, after := rest, ""
	if end != "" {
		shown, after, found = strings.Cut(rest, end)
		require.True(t, found, "%s has lost its line %s", file, end)
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(before+start+text+end+after), 0o644))
		return text
	}
	return shown
}

// declaration is a key as Pulumi.yaml has it:
// https://www.pulumi.com/docs/iac/concepts/projects/project-file/#config-options
func declaration(t *testing.T, key Key) string {
	t.Helper()
	var text strings.Builder
	line := func(name string, value any) {
		var node yaml.Node
		require.NoError(t, node.Encode(value))
		node.Style |= yaml.FlowStyle
		rendered, err := yaml.Marshal(&node)
		require.NoError(t, err)
		fmt.Fprintf(&text, "    %s: %s", name, rendered)
	}
	fmt.Fprintf(&text, "  %s:\n", key.Name)
	if !key.Secret { // Pulumi wants a typed secret to be set in every stack, encrypted: it takes no default for one
		line("type", typeOf(t, key))
	}
	if typeOf(t, key) == "array" {
		line("items", map[string]string{"type": "string"})
	}
	line("description", key.Description)
	if key.Secret {
		line("secret", true)
	}
	line("default", key.Default)
	return text.String()
}

// typeOf is a key's type as Pulumi names it.
func typeOf(t *testing.T, key Key) string {
	t.Helper()
	switch key.Default.(type) {
	case string:
		return "string"
	case int:
		return "integer"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	require.Fail(t, "a default has a type that Pulumi does not know", "%s: %T", key.Name, key.Default)
	return ""
}

// jsonOf turns a value as it stands in YAML into the form in which Pulumi hands it over.
func jsonOf(t *testing.T, text string) string {
	t.Helper()
	var value any
	require.NoError(t, yaml.Unmarshal([]byte(text), &value))
	return Key{Default: value}.defaultText()
}
