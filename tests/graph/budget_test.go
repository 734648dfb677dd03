package graph

import (
	"testing"

	"github.com/stretchr/testify/require"

	"twip/stacks"
)

// A preview of what costs more than the budget fails, says what it is, and how to allow it. What costs less passes.
func TestBudget(t *testing.T) {
	for name, tc := range map[string]struct {
		change map[string]string
		err    string
	}{
		"no budget":       {map[string]string{"twip:monthlyBudgetUsd": "0"}, ""},
		"enough":          {map[string]string{"twip:monthlyBudgetUsd": "300"}, ""},
		"too little":      {map[string]string{"twip:monthlyBudgetUsd": "150"}, "more than twip:monthlyBudgetUsd = 150; most of it: twip-prod-network-nat-"},
		"a change for it": {map[string]string{"twip:monthlyBudgetUsd": "300", "twip:appServers": `{"min":20,"max":20}`}, "raise twip:monthlyBudgetUsd to allow it"},
	} {
		t.Run(name, func(t *testing.T) {
			config := prodConfig(t, map[string]string{"twip:alarmEmail": "ops@example.com"}, tc.change)
			_, err := PreviewStack("prod", config, stacks.Program)
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
			_, err = RunStack("prod", config, stacks.Program)
			require.NoError(t, err, "an update is not stopped halfway")
		})
	}
	_, err := PreviewStack("train", Fixture(t, "train", map[string]string{"twip:monthlyBudgetUsd": "10"}), stacks.Program)
	require.ErrorContains(t, err, "twip-train-host 10 (instance.t2.micro)")
}
