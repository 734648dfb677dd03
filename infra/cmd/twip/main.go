// Command twip is what the Makefile calls: it brings an environment up and looks after it, on this computer
// (-cloud local) or in AWS (-cloud aws). What its verbs do with a running environment lives in infra/ops, the local
// cloud in infra/local; here they are put together. The table of verbs is in verbs.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"twip/infra/drill"
	"twip/infra/local"
	"twip/infra/local/region"
	"twip/infra/ops"
	"twip/infra/release"
)

// The values of -cloud.
const (
	onThisComputer = "local"
	onAWS          = "aws"
)

// cloud is where an environment runs.
type cloud interface {
	Up(ctx context.Context) error
	Preview(ctx context.Context) error
	Refresh(ctx context.Context) error
	Destroy(ctx context.Context) error // asks nobody: whoever calls it has asked
	Scale(ctx context.Context, appContainers int) error
	Outputs(ctx context.Context) (map[string]any, error)
	Machines() ops.Machines
	// Config is the stack's configuration by full key, without secrets; what is no text is JSON.
	Config(ctx context.Context) (map[string]string, error)
	Configure(ctx context.Context, values map[string]release.Digests) error
	Find(ctx context.Context, repositoryURL string) (release.Repository, error)
	// Routes are the ways to the application that can be measured from here.
	Routes(ctx context.Context, env ops.Environment) ([]ops.Route, error)
	// Store is the machine that has the data, or the error that says how to get there.
	Store(ctx context.Context) (ops.Host, error)
}

// localCloud is what only this computer can do.
type localCloud interface {
	cloud
	Prepare(ctx context.Context) error // install or build what the local cloud needs
	Clean(ctx context.Context) error   // remove everything that it ever made
	// Drills are those that the environment is for; scale is a command that one of them kills.
	Drills(ctx context.Context, scale func(servers int) *exec.Cmd) ([]drill.Drill, drill.Options, error)
}

func main() {
	region.Main() // does not return in the process that controls groups
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	stack, cloud          string
	verb                  string
	confirm, from, subnet string
	repository, drill     string
	app                   int
	point                 uint64
	requests, concurrency int
	visits                float64
	yes                   bool
	propose               bool
	wait                  time.Duration
}

func parse(args []string, out io.Writer) (o options, err error) {
	global := flag.NewFlagSet("twip", flag.ContinueOnError)
	global.Usage = func() { usage(out) }
	global.StringVar(&o.stack, "stack", "train", "the environment: Pulumi.<stack>.yaml describes it")
	global.StringVar(&o.cloud, "cloud", onThisComputer, "where it runs: local (this computer) or aws")
	if err := global.Parse(args); err != nil {
		return o, err
	}
	if global.NArg() == 0 {
		return o, fmt.Errorf("no verb given: use one of %s", strings.Join(verbNames(), ", "))
	}
	v, err := find(global.Arg(0))
	if err != nil {
		return o, err
	}
	o.verb = v.name
	switch v.place {
	case thisComputer:
		o.cloud = onThisComputer // an exported CLOUD=aws must not turn local-destroy into a destroy on AWS
	case inAWS:
		o.cloud = onAWS
	}
	own := flag.NewFlagSet("twip "+v.name, flag.ContinueOnError)
	if v.flags != nil {
		v.flags(own, &o)
	}
	if err := own.Parse(global.Args()[1:]); err != nil {
		return o, err
	}
	if own.NArg() > 0 {
		return o, fmt.Errorf("%s: argument %q is not understood: options begin with a dash", v.name, own.Arg(0))
	}
	if v.check != nil {
		return o, v.check(o)
	}
	return o, nil
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	o, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	where, err := newCloud(o, in, out)
	if err != nil {
		return err
	}
	v, err := find(o.verb)
	if err != nil {
		return err
	}
	return v.run(ctx, task{options: o, cloud: where, in: in, out: out})
}

func newCloud(o options, in io.Reader, out io.Writer) (cloud, error) {
	root, err := checkout()
	if err != nil {
		return nil, err
	}
	switch o.cloud {
	case onThisComputer:
		state, err := stateDir()
		if err != nil {
			return nil, err
		}
		return local.New(local.Options{Name: "local", Checkout: root, Stack: o.stack, State: state, Out: out}), nil
	case onAWS:
		return newAWS(root, o, in, out), nil
	}
	return nil, fmt.Errorf("cloud %q is unknown: use CLOUD=local or CLOUD=aws", o.cloud)
}
