package graph

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"twip/infra/boot"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

// Of returns every resource of a type, in the order of their URNs. None is a failure that names the types there are; to
// show that there is none, use Has.
func (g *Graph) Of(t testing.TB, typ string) []*Node {
	t.Helper()
	nodes := g.of(typ)
	require.NotEmpty(t, nodes, "no resource of type %s; there are:\n%s", typ, g.known())
	return nodes
}

// Has says whether there is a resource of a type.
func (g *Graph) Has(typ string) bool { return len(g.of(typ)) > 0 }

// One returns the resource of a type and name.
func (g *Graph) One(t testing.TB, typ, name string) *Node {
	t.Helper()
	var found []*Node
	for _, node := range g.Of(t, typ) {
		if node.Name == name {
			found = append(found, node)
		}
	}
	require.Len(t, found, 1, "%s %q; there are:\n%s", typ, name, g.known())
	return found[0]
}

// By returns the resource of a URN.
func (g *Graph) By(t testing.TB, urn string) *Node {
	t.Helper()
	node, ok := g.nodes[urn]
	require.True(t, ok, "no resource %s; there are:\n%s", urn, g.known())
	return node
}

// Output returns a stack output as plain Go, without the mark of a secret.
func (g *Graph) Output(t testing.TB, name string) any {
	t.Helper()
	value, ok := g.Outputs[resource.PropertyKey(name)]
	require.True(t, ok, "no stack output %q; there are %v", name, g.Outputs.StableKeys())
	return Plain(value)
}

// At returns an input of a resource as plain Go: "metadataOptions.httpTokens", "ingress[0].fromPort".
func (g *Graph) At(t testing.TB, node *Node, path string) any {
	t.Helper()
	value, ok := node.at(path)
	require.True(t, ok, "%s has no input %q; it has %v", node.URN, path, node.Inputs.StableKeys())
	return Plain(value)
}

// Waits says whether a resource is made after another: because it says so, uses it, or something that it waits for
// does.
func (g *Graph) Waits(node, other *Node) bool {
	seen := map[string]bool{}
	queue := slices.Clone(node.Dependencies)
	for len(queue) > 0 {
		urn := queue[0]
		queue = queue[1:]
		if urn == other.URN {
			return true
		}
		if next, ok := g.nodes[urn]; ok && !seen[urn] {
			seen[urn] = true
			queue = append(queue, next.Dependencies...)
		}
	}
	return false
}

// Plain turns a property into plain Go, without the marks of secrets; what is not known is the value Unknown.
func Plain(value resource.PropertyValue) any {
	switch {
	case value.IsSecret():
		return Plain(value.SecretValue().Element)
	case value.IsComputed() || value.IsOutput():
		return Unknown
	case value.IsArray():
		list := make([]any, len(value.ArrayValue()))
		for i, item := range value.ArrayValue() {
			list[i] = Plain(item)
		}
		return list
	case value.IsObject():
		object := map[string]any{}
		for key, item := range value.ObjectValue() {
			object[string(key)] = Plain(item)
		}
		return object
	default:
		return value.V
	}
}

// Unknown stands for a value that only a deployment will know.
const Unknown = "(unknown)"

func (g *Graph) of(typ string) (nodes []*Node) {
	for _, node := range g.Nodes {
		if node.Type == typ {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

func (n *Node) at(path string) (resource.PropertyValue, bool) {
	parsed, err := resource.ParsePropertyPath(path)
	if err != nil {
		return resource.PropertyValue{}, false
	}
	return parsed.Get(resource.NewObjectProperty(n.Inputs))
}

func (g *Graph) known() string {
	lines := make([]string, len(g.Nodes))
	for i, node := range g.Nodes {
		lines[i] = fmt.Sprintf("  %s %q", node.Type, node.Name)
	}
	return strings.Join(lines, "\n")
}

// Document is the user data of a machine, or of a launch template, with what is packed in it.
func (g *Graph) Document(t testing.TB, node *Node) string {
	t.Helper()
	text := g.At(t, node, "userData").(string)
	if decoded, err := base64.StdEncoding.DecodeString(text); err == nil {
		text = string(decoded)
	}
	require.LessOrEqual(t, len(text), boot.MaxBytes)
	document, err := boot.ReadDocument(text)
	require.NoError(t, err)
	return document.Text
}
