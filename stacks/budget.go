package stacks

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/cost"
	"twip/infra/guardrails"
)

// affordable ends a preview of what costs more by list prices than the budget allows; to allow it, raise the budget. An
// update is not stopped halfway.
func (c *Config) affordable(ctx *pulumi.Context, graph *guardrails.Graph) error {
	if !ctx.DryRun() || c.MultiZone.MonthlyBudgetUSD == 0 {
		return nil
	}
	var declared []cost.Resource
	for _, r := range graph.Resources {
		declared = append(declared, cost.Resource{URN: r.URN, Type: r.Type, Name: r.Name, Dependencies: r.Dependencies,
			Properties: r.Properties})
	}
	bill, err := cost.Of(declared, cost.Use{})
	if err != nil {
		return err
	}
	budget := float64(c.MultiZone.MonthlyBudgetUSD)
	if sum := bill.Sum(); sum > budget {
		return fmt.Errorf("cost: what is declared has a list price of US$ %.0f a month, more than twip:monthlyBudgetUsd = "+
			"%.0f; most of it: %s; take something back, or raise twip:monthlyBudgetUsd to allow it (make cost STACK=%s "+
			"lists everything)", sum, budget, bill.Dearest(4), c.Stack)
	}
	return nil
}
