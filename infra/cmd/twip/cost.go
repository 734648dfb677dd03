package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"twip/infra/cost"
	"twip/infra/local"
)

func costFlags(f *flag.FlagSet, o *options) {
	f.Float64Var(&o.visits, "visits", 0, "pages that visitors ask for in a second, all day")
}

func checkCost(o options) error {
	if o.visits < 0 {
		return errors.New("cost: visits cannot be fewer than none: make cost STACK=prod VISITS=2.5")
	}
	return nil
}

// listCost prints what the stack's file declares, wherever it runs or does not yet.
func listCost(_ context.Context, t task) error {
	root, err := checkout()
	if err != nil {
		return err
	}
	values, err := local.New(local.Options{Checkout: root, Stack: t.stack}).FileConfig()
	if err != nil {
		return err
	}
	declared, err := local.Declared(t.stack, values)
	if err != nil {
		return err
	}
	bill, err := cost.Of(declared, cost.Use{Visits: t.visits})
	if err != nil {
		return err
	}
	if region := values["aws:region"]; region != bill.Where {
		fmt.Fprintf(t.out, "stack %s is in %s, the prices are those of %s\n", t.stack, region, bill.Where)
	}
	return bill.Write(t.out)
}
