package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"text/tabwriter"
	"time"

	"twip/infra/release"
)

// deliverWait is how long a site may take to answer after an up: a machine installs itself.
const deliverWait = 10 * time.Minute

// sequence is what the pipeline does, in one go: from a stack that builds to one that runs the same images.
type sequence struct {
	from, to task
	rows     []row
}

type row struct {
	step   string
	took   time.Duration
	result string
}

// deliver runs the whole sequence and prints what each step took. When the new release does not do, what ran before
// runs again, and the delivery has failed.
func deliver(ctx context.Context, t task) error {
	if t.wait == 0 {
		t.wait = deliverWait
	}
	options := t.options
	options.stack = t.from
	other, err := newCloud(options, t.in, t.out)
	if err != nil {
		return err
	}
	d := &sequence{from: task{options: options, cloud: other, in: t.in, out: t.out}, to: t}
	err = d.run(ctx)
	return errors.Join(err, d.report())
}

func (d *sequence) run(ctx context.Context) error {
	for _, s := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"up " + d.from.stack, d.from.cloud.Up},
		{"smoke " + d.from.stack, d.from.visited},
		{"first up " + d.to.stack, d.firstUp},
		{"promote", func(ctx context.Context) error { return d.to.promoteFrom(ctx, d.from.cloud) }},
	} {
		if err := d.step(ctx, s.name, s.do); err != nil {
			return err
		}
	}
	err := d.step(ctx, "up "+d.to.stack, d.to.cloud.Up)
	if err == nil {
		err = d.step(ctx, "smoke "+d.to.stack, d.to.visited)
	}
	if err == nil {
		return nil
	}
	err = fmt.Errorf("the new release does not do: %w", err)
	for _, s := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"roll back", func(ctx context.Context) error { return rollback(ctx, d.to) }},
		{"up " + d.to.stack + " as before", d.to.cloud.Up},
		{"smoke " + d.to.stack, d.to.visited},
	} {
		if failed := d.step(ctx, s.name, s.do); failed != nil {
			return errors.Join(err, fmt.Errorf("and the one before could not be brought back: %w", failed))
		}
	}
	return err
}

// firstUp makes the places of the images of a stack that is new.
func (d *sequence) firstUp(ctx context.Context) error {
	outputs, err := d.to.cloud.Outputs(ctx)
	if err != nil {
		return err
	}
	if _, err := release.StackOf(d.to.stack, outputs, d.to.cloud.Find); err == nil {
		return nil
	}
	return d.to.cloud.Up(ctx)
}

func (d *sequence) step(ctx context.Context, name string, do func(context.Context) error) error {
	fmt.Fprintf(d.to.out, "\n== %s\n", name)
	start := time.Now()
	err := do(ctx)
	result := "done"
	if err != nil {
		result = "FAILED"
		err = fmt.Errorf("%s: %w", name, err)
	}
	d.rows = append(d.rows, row{name, time.Since(start), result})
	return err
}

func (d *sequence) report() error {
	fmt.Fprintf(d.to.out, "\ndelivery from %s to %s\n", d.from.stack, d.to.stack)
	table := tabwriter.NewWriter(d.to.out, 0, 0, 2, ' ', 0)
	for _, r := range d.rows {
		fmt.Fprintf(table, "  %s\t%.0f s\t%s\n", r.step, r.took.Seconds(), r.result)
	}
	return table.Flush()
}

// visited waits for the site and visits it.
func (t task) visited(ctx context.Context) error { return smoke(ctx, t) }

func deliverFlags(f *flag.FlagSet, o *options) {
	promoteFlags(f, o)
	upFlags(f, o)
	smokeFlags(f, o)
}
