package graph

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/local/account"
	"twip/stacks"
)

// The account model knows what the program declares in some shape of an environment, and no more: what nobody uses would be
// kept for nobody.
func TestTheModelKnowsWhatTheProgramDeclares(t *testing.T) {
	types, functions := map[string]bool{}, map[string]bool{}
	declared := func(g *Graph, err error) {
		require.NoError(t, err)
		for _, node := range g.Nodes {
			if strings.HasPrefix(node.Type, "aws:") || strings.HasPrefix(node.Type, "docker:") {
				types[node.Type] = true
			}
		}
		for _, invoke := range g.Invokes {
			functions[invoke.Token] = true
		}
	}
	for _, shape := range prodShapes {
		declared(prod(t, shape...), nil)
	}
	declared(prod(t, map[string]string{"twip:sessionAgent": "3.3.987.0@sha256:" + strings.Repeat("0", 64)}), nil)
	declared(prod(t, released), nil)
	declared(prod(t, map[string]string{
		"twip:backups": `{"every":"day","keepDays":90,"lockDays":30,"copyTo":"eu-west-1"}`,
	}), nil)
	declared(RunStack("train", Fixture(t, "train", named), stacks.Program))
	declared(RunStack("train", Fixture(t, "train", map[string]string{
		"twip:workingHours": `{"start":"07:00","stop":"20:00","days":"MON-FRI","timezone":"Europe/Berlin"}`,
	}), stacks.Program))

	require.Equal(t, slices.Sorted(maps.Keys(types)), account.Types(), "infra/local/account/README.md says how to add a type")
	require.Equal(t, slices.Sorted(maps.Keys(functions)), account.Functions(), "see infra/local/account/invoke.go")
}
