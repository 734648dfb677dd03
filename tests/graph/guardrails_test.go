package graph

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"twip/components/guardrails"
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
	guarded(t, "train", Committed(t, "train", nil))
	guarded(t, "train", Committed(t, "train", open))
	for name, steps := range prodShapes {
		t.Run(name, func(t *testing.T) { guarded(t, "prod", prodConfig(t, steps...)) })
	}
}

func TestTrainHasFewExceptions(t *testing.T) {
	guard, _ := guarded(t, "train", Committed(t, "train", open))
	require.LessOrEqual(t, len(guard.Exceptions()), 6)
}
