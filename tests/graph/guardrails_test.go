package graph

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"twip/infra/guardrails"
	"twip/stacks"
)

// guarded runs a committed environment and returns what its guard saw.
func guarded(t testing.TB, stack string, config map[string]string) (*guardrails.Guard, *Graph) {
	t.Helper()
	var guard *guardrails.Guard
	g, err := RunStack(stack, config, watched(&guard))
	require.NoError(t, err)
	require.Len(t, guard.Graph().Resources, len(g.Nodes), "the guard sees all resources")
	return guard, g
}

// watched is the program with its guard handed out.
func watched(into **guardrails.Guard) pulumi.RunFunc {
	return func(ctx *pulumi.Context) (err error) {
		if ctx, *into, err = guardrails.Watch(ctx); err != nil {
			return err
		}
		return stacks.Program(ctx)
	}
}

// Both environments keep the rules in every shape that they have; what they need exceptions for is said beside it.
func TestGuardrailsHold(t *testing.T) {
	guarded(t, "train", Fixture(t, "train", nil))
	guarded(t, "train", Fixture(t, "train", open))
	for name, steps := range prodShapes {
		t.Run(name, func(t *testing.T) { guarded(t, "prod", prodConfig(t, steps...)) })
	}
}

func TestTrainHasFewExceptions(t *testing.T) {
	guard, _ := guarded(t, "train", Fixture(t, "train", open))
	require.LessOrEqual(t, len(guard.Exceptions()), 6)
}

// The README of package guardrails lists every exception, for people who decide about the environments and read no Go.
func TestREADMEListsTheExceptions(t *testing.T) {
	all := map[string][]guardrails.Exception{}
	for _, env := range []struct {
		name, stack string
		config      map[string]string
	}{
		{"train", "train", Fixture(t, "train", open)},
		{"prod limited", "prod", prodConfig(t)},
		{"prod public", "prod", prodConfig(t, prodShapes["public"]...)},
		{"prod without web ACL", "prod", prodConfig(t, map[string]string{"twip:waf": "false"})},
		{"train before destroy", "train", Fixture(t, "train", map[string]string{"twip:protectData": "false"})},
		{"prod before destroy", "prod", prodConfig(t, map[string]string{"twip:protectEdge": "false", "twip:protectData": "false"})},
	} {
		guard, _ := guarded(t, env.stack, env.config)
		all[env.name] = guard.Exceptions()
	}
	const start, end = "<!-- exceptions -->\n", "<!-- /exceptions -->"
	file := filepath.Join(Root(), "infra", "guardrails", "README.md")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(text), start)
	require.True(t, found, "README.md has lost its mark %s", start)
	shown, after, found := strings.Cut(rest, end)
	require.True(t, found, "README.md has lost its mark %s", end)
	table := guardrails.ExceptionTable(all)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(before+start+table+end+after), 0o644))
		return
	}
	require.Equal(t, table, shown, "write it anew with: go test ./tests/graph -update")
}
