package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// plan is what a preview found, told as a tree: components with what they would change.
type plan struct {
	parents map[string]string // URN → its parent's
	ops     map[string]string // URN → operation, of what would change
	steps   map[string]string // URN → what a person is told of it
}

// place remembers where a resource belongs, whether or not it changes.
func (p *plan) place(m apitype.StepEventMetadata) {
	for _, state := range []*apitype.StepEventStateMetadata{m.New, m.Old} {
		if state != nil {
			p.parents[m.URN] = state.Parent
			return
		}
	}
}

// tree lists what would change below what it belongs to, in the order of URNs.
func (p *plan) tree() (lines []string) {
	children, shown := map[string][]string{}, map[string]bool{}
	for u := range p.steps {
		for ; u != "" && !shown[u]; u = p.parents[u] {
			shown[u] = true
			children[p.parents[u]] = append(children[p.parents[u]], u)
		}
	}
	var walk func(parent string, depth int)
	walk = func(parent string, depth int) {
		slices.Sort(children[parent])
		for _, u := range children[parent] {
			text, changes := p.steps[u]
			if !changes {
				text = human(u)
			}
			lines = append(lines, fmt.Sprintf("%-10s %s%s", p.ops[u], strings.Repeat("  ", depth), text))
			walk(u, depth+1)
		}
	}
	walk("", 0)
	return lines
}
