package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"twip/infra/release"
)

// The keys that a promotion and a rollback write.
const (
	releaseKey       = "twip:release"
	releaseBeforeKey = "twip:releaseBefore"
)

func promoteFlags(f *flag.FlagSet, o *options) {
	f.StringVar(&o.from, "from", "", "the stack whose images are taken")
}

func checkPromote(o options) error {
	if o.from == "" || o.from == o.stack {
		return fmt.Errorf("%s: from %q to %q: name two stacks, as in make %[1]s FROM=train STACK=prod", o.verb, o.from,
			o.stack)
	}
	return nil
}

// promote names what another stack runs as this one's release. What this stack runs now becomes the release before,
// even if it was promoted several times since its last update.
func promote(ctx context.Context, t task) error {
	options := t.options
	options.stack = t.from
	other, err := newCloud(options, t.in, io.Discard)
	if err != nil {
		return err
	}
	return t.promoteFrom(ctx, other)
}

func (t task) promoteFrom(ctx context.Context, other cloud) error {
	from, err := stackOf(ctx, t.from, other)
	if err != nil {
		return err
	}
	to, err := stackOf(ctx, t.stack, t.cloud)
	if err != nil {
		return err
	}
	chosen, err := release.Promote(ctx, from, to, t.out)
	if err != nil {
		return err
	}
	values := map[string]release.Digests{releaseKey: chosen}
	if difference := release.Difference(to.Running, chosen); !to.Runs(chosen) {
		values[releaseBeforeKey] = to.Running
		fmt.Fprintf(t.out, "stack %s would run:\n%s", t.stack, difference)
	} else {
		fmt.Fprintf(t.out, "stack %s runs this release already:\n%s", t.stack, difference)
	}
	return t.choose(ctx, values)
}

// rollback changes places between the release and the one before it, so that a second rollback undoes the first.
func rollback(ctx context.Context, t task) error {
	values, err := t.cloud.Config(ctx)
	if err != nil {
		return err
	}
	before, err := release.Parse(values[releaseBeforeKey])
	if err != nil {
		return fmt.Errorf("%s: %w", releaseBeforeKey, err)
	}
	now, err := release.Parse(values[releaseKey])
	if err != nil {
		return fmt.Errorf("%s: %w", releaseKey, err)
	}
	if len(before) == 0 {
		return fmt.Errorf("rollback of stack %q: %s names no release to go back to: nothing was promoted to it yet; name "+
			"digests that make images lists, or build an older commit", t.stack, releaseBeforeKey)
	}
	stack, err := stackOf(ctx, t.stack, t.cloud)
	if err != nil {
		return err
	}
	if err := release.Present(ctx, stack, before); err != nil {
		return fmt.Errorf("rollback of stack %q: %w", t.stack, err)
	}
	fmt.Fprintf(t.out, "stack %s would run:\n%s", t.stack, release.Difference(now, before))
	return t.choose(ctx, map[string]release.Digests{releaseKey: before, releaseBeforeKey: now})
}

func (t task) choose(ctx context.Context, values map[string]release.Digests) error {
	if err := t.cloud.Configure(ctx, values); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "nothing runs it yet: make up STACK=%s CLOUD=%s\n", t.stack, t.options.cloud)
	return nil
}

func stackOf(ctx context.Context, name string, c cloud) (release.Stack, error) {
	outputs, err := c.Outputs(ctx)
	if err != nil {
		return release.Stack{}, err
	}
	return release.StackOf(name, outputs, c.Find)
}
