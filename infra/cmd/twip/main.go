// Command twip is what the Makefile calls: it brings an environment up and looks after it, on this computer
// (-cloud local) or in AWS (-cloud aws). Its verbs live in infra/ops, the local cloud in infra/local; here they
// are put together.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"twip/infra/local"
	"twip/infra/ops"
)

// cloud is where an environment runs.
type cloud interface {
	Prepare(ctx context.Context) error // install or build what the cloud needs on this computer
	Up(ctx context.Context) error
	Preview(ctx context.Context) error
	Refresh(ctx context.Context) error
	Destroy(ctx context.Context) error
	Clean(ctx context.Context) error // destroy, and remove what was built for it
	Scale(ctx context.Context, appContainers int) error
	Outputs(ctx context.Context) (map[string]any, error)
	Machines() ops.Machines
	// Routes are the ways to the application that can be measured from here.
	Routes(ctx context.Context, env ops.Environment) ([]ops.Route, error)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	stack, cloud          string
	verb                  string
	app                   int
	requests, concurrency int
}

func parse(args []string) (o options, err error) {
	global := flag.NewFlagSet("twip", flag.ContinueOnError)
	global.StringVar(&o.stack, "stack", "train", "the environment: Pulumi.<stack>.yaml describes it")
	global.StringVar(&o.cloud, "cloud", "local", "where it runs: local (this computer) or aws")
	if err := global.Parse(args); err != nil {
		return o, err
	}
	if global.NArg() == 0 {
		return o, fmt.Errorf("no verb given: use one of %s", strings.Join(verbNames(), ", "))
	}
	o.verb = global.Arg(0)
	if _, ok := actions[o.verb]; !ok {
		return o, fmt.Errorf("verb %q is unknown: use one of %s", o.verb, strings.Join(verbNames(), ", "))
	}
	own := flag.NewFlagSet("twip "+o.verb, flag.ContinueOnError)
	switch o.verb {
	case "scale":
		own.IntVar(&o.app, "app", 0, "app containers on the machine")
	case "bench":
		own.IntVar(&o.requests, "n", 1000, "requests on every route")
		own.IntVar(&o.concurrency, "c", 10, "requests at a time")
	}
	if err := own.Parse(global.Args()[1:]); err != nil {
		return o, err
	}
	if own.NArg() > 0 {
		return o, fmt.Errorf("%s: argument %q is not understood: options begin with a dash", o.verb, own.Arg(0))
	}
	if o.verb == "scale" && o.app < 1 {
		return o, fmt.Errorf("scale: app: %d cannot be used: say how many, as in make scale APP=2", o.app)
	}
	if o.verb == "bench" && (o.requests < 1 || o.concurrency < 1 || o.concurrency > o.requests) {
		return o, fmt.Errorf("bench: n %d and c %d cannot be used: use 1 <= c <= n", o.requests, o.concurrency)
	}
	return o, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	where, err := newCloud(o, out)
	if err != nil {
		return err
	}
	return actions[o.verb](ctx, where, o, out)
}

func newCloud(o options, out io.Writer) (cloud, error) {
	root, err := checkout()
	if err != nil {
		return nil, err
	}
	switch o.cloud {
	case "local":
		state, err := stateDir()
		if err != nil {
			return nil, err
		}
		return local.New(local.Options{Name: "local", Checkout: root, Stack: o.stack, State: state, Out: out}), nil
	case "aws":
		return &aws{root: root, stack: o.stack, out: out}, nil
	}
	return nil, fmt.Errorf("cloud %q is unknown: use local or aws", o.cloud)
}

type action func(context.Context, cloud, options, io.Writer) error

// just is a verb that needs nothing but its cloud.
func just(do func(cloud, context.Context) error) action {
	return func(ctx context.Context, c cloud, _ options, _ io.Writer) error { return do(c, ctx) }
}

// with is a verb that works on a running environment.
func with(do func(context.Context, ops.Environment, cloud, options, io.Writer) error) action {
	return func(ctx context.Context, c cloud, o options, out io.Writer) error {
		outputs, err := c.Outputs(ctx)
		if err != nil {
			return err
		}
		env, err := ops.FromOutputs(o.stack, outputs, c.Machines())
		if err != nil {
			return err
		}
		return do(ctx, env, c, o, out)
	}
}

var actions = map[string]action{
	"prepare": just(cloud.Prepare),
	"up":      just(cloud.Up),
	"preview": just(cloud.Preview),
	"refresh": just(cloud.Refresh),
	"destroy": just(cloud.Destroy),
	"clean":   just(cloud.Clean),
	"scale": func(ctx context.Context, c cloud, o options, _ io.Writer) error {
		return c.Scale(ctx, o.app)
	},
	"outputs": func(ctx context.Context, c cloud, _ options, out io.Writer) error {
		outputs, err := c.Outputs(ctx)
		if err != nil {
			return err
		}
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(outputs)
	},
	"status": with(func(ctx context.Context, env ops.Environment, _ cloud, _ options, out io.Writer) error {
		return ops.Status(ctx, env, out)
	}),
	"smoke": with(func(ctx context.Context, env ops.Environment, _ cloud, _ options, out io.Writer) error {
		return ops.Smoke(ctx, env, out)
	}),
	"images": with(func(_ context.Context, env ops.Environment, _ cloud, _ options, out io.Writer) error {
		return ops.Images(env, out)
	}),
	"bench": with(func(ctx context.Context, env ops.Environment, c cloud, o options, out io.Writer) error {
		routes, err := c.Routes(ctx, env)
		if err != nil {
			return err
		}
		return ops.Bench(ctx, routes, ops.Load{Requests: o.requests, Concurrency: o.concurrency}, out)
	}),
}

func verbNames() []string { return slices.Sorted(maps.Keys(actions)) }
