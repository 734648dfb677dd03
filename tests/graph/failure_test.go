package graph

import (
	"testing"

	"github.com/stretchr/testify/require"

	"twip/stacks"
)

// Whatever cannot be made, the program ends with that error, and no machine is started that would lack it.
func TestFailuresReachThePersonAndStopTheMachine(t *testing.T) {
	config := Fixture(t, "train", open)
	whole := train(t, open)
	machine := whole.Of(t, instanceType)[0]
	seen := map[string]bool{}
	for _, node := range whole.Nodes {
		if seen[node.Type] {
			continue
		}
		seen[node.Type] = true
		t.Run(node.Type, func(t *testing.T) {
			g, err := RunFailing(node.Type, config, stacks.Program)
			require.ErrorContains(t, err, "the cloud has failed")
			require.Less(t, len(g.Nodes), len(whole.Nodes))
			if whole.Waits(machine, node) {
				require.False(t, g.Has(instanceType), "the machine starts without %s", node.Type)
			}
		})
	}
}
