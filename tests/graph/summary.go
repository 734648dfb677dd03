package graph

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Summary writes the graph for people: each resource under its parent, with its options, its inputs and what it waits
// for. Long texts are cut and hashes of contents left out: other tests look at those, and the graph is the same graph
// when a word changes in an image or in the user data.
func (g *Graph) Summary() string {
	var out strings.Builder
	g.children(&out, "", 0)
	fmt.Fprintln(&out, "outputs")
	for _, key := range g.Outputs.StableKeys() {
		value := brief(Plain(g.Outputs[key]))
		if key == "origin" {
			value = "<of this checkout>"
		}
		fmt.Fprintf(&out, "  %s: %s\n", key, value)
	}
	return out.String()
}

func (g *Graph) children(out *strings.Builder, parent string, depth int) {
	for _, node := range g.Nodes {
		if node.Parent != parent {
			continue
		}
		indent := strings.Repeat("  ", depth)
		fmt.Fprintf(out, "%s%s %s%s\n", indent, node.Type, node.Name, node.options())
		for _, key := range node.Inputs.StableKeys() {
			fmt.Fprintf(out, "%s    %s: %s\n", indent, key, brief(Plain(node.Inputs[key])))
		}
		if waits := g.labels(node.Dependencies); len(waits) > 0 {
			fmt.Fprintf(out, "%s    after: %s\n", indent, strings.Join(waits, ", "))
		}
		g.children(out, node.URN, depth+1)
	}
}

func (n *Node) options() string {
	var options []string
	for _, o := range []struct {
		set  bool
		text string
	}{
		{n.Protect, "protected"},
		{n.RetainOnDelete, "retained"},
		{n.DeleteBeforeReplace, "deleted before replaced"},
		{len(n.IgnoreChanges) > 0, "ignores " + strings.Join(n.IgnoreChanges, " ")},
	} {
		if o.set {
			options = append(options, o.text)
		}
	}
	if len(options) == 0 {
		return ""
	}
	return " (" + strings.Join(options, ", ") + ")"
}

// labels names resources by the last part of their type and their name.
func (g *Graph) labels(urns []string) []string {
	var labels []string
	for _, urn := range urns {
		if node, ok := g.nodes[urn]; ok {
			labels = append(labels, node.Type[strings.LastIndex(node.Type, ":")+1:]+" "+node.Name)
		}
	}
	slices.Sort(labels)
	return labels
}

const briefLength = 160

// contentRE finds an image's tag or digest.
var contentRE = regexp.MustCompile(`(sha256:|:)([0-9a-f]{64}|[0-9a-f]{16})`)

func brief(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	short := contentRE.ReplaceAllString(string(text), "$1<content>")
	if len(short) > briefLength {
		return short[:briefLength] + "…"
	}
	return short
}
