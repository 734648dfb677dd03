package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"twip/infra/ops"
)

// place is where a verb works.
type place string

const (
	thisComputer place = "this computer, whatever CLOUD says" // the local cloud and nothing else
	anyCloud     place = "any cloud: CLOUD=local|aws"
	inAWS        place = "AWS, whatever CLOUD says"
)

// verb is one thing that an operator can ask for. The Makefile has a target of the same name with the same help.
type verb struct {
	name  string
	place place
	help  string
	flags func(*flag.FlagSet, *options) // nil: it takes none
	check func(options) error           // nil: the flags need no check
	run   func(context.Context, task) error
}

// task is one call of a verb.
type task struct {
	options
	cloud cloud
	in    io.Reader // what a person types
	out   io.Writer
}

// verbs are all there are, in the order in which help lists them.
var verbs = []verb{
	{name: "prepare", place: thisComputer, run: onLocal(localCloud.Prepare),
		help: "install and build what the local cloud needs, once"},
	{name: "local", place: thisComputer, run: onLocal(localCloud.Up),
		help: "bring the environment up on this computer, without an AWS account"},
	{name: "local-destroy", place: thisComputer, run: onLocal(localCloud.Destroy),
		help: "destroy it, data included"},
	{name: "local-clean", place: thisComputer, run: onLocal(localCloud.Clean),
		help: "remove everything the local cloud ever made here, even after a crash"},
	{name: "drill", place: thisComputer, run: runDrills, flags: drillFlags,
		help: "break the environment under load, fault by fault, and judge what people saw; DRILL=name,name"},
	{name: "cost", place: thisComputer, run: listCost, flags: costFlags, check: checkCost,
		help: "what the environment costs a month by list prices, resource by resource; VISITS=pages a second"},
	{name: "account", place: thisComputer, run: writeAccount, flags: accountFlags,
		help: "print the CloudFormation template of the pipeline's roles and state; REPOSITORY=owner/name"},

	{name: "up", place: anyCloud, run: onCloud(cloud.Up), flags: upFlags,
		help: "bring the environment up"},
	{name: "preview", place: anyCloud, run: onCloud(cloud.Preview),
		help: "show what `up` would change (with CLOUD=local no account is needed)"},
	{name: "refresh", place: anyCloud, run: onCloud(cloud.Refresh),
		help: "read the real state back into the stack"},
	{name: "destroy", place: anyCloud, run: destroy, flags: confirmFlag,
		help: "destroy the environment; on AWS the stack's name is asked for, or CONFIRM=<stack>"},
	{name: "scale", place: anyCloud, run: scale, flags: scaleFlags, check: checkScale,
		help: "run APP=n app containers on the machine, or n app servers at the least"},
	{name: "outputs", place: anyCloud, run: outputs,
		help: "print the stack's outputs"},
	{name: "status", place: anyCloud, run: onEnvironment(ops.Status),
		help: "machines, containers, health"},
	{name: "watch", place: anyCloud, run: onEnvironment(watch),
		help: "status, again and again until Ctrl+C"},
	{name: "smoke", place: anyCloud, run: smoke, flags: smokeFlags,
		help: "visit the site: read, a static file, a post that is read back, refused attacks; WAIT=10m for it to come up"},
	{name: "bench", place: anyCloud, run: bench, flags: benchFlags, check: checkBench,
		help: "ApacheBench through the edge (on the local cloud also straight at Jetty); N=1000 C=10"},
	{name: "images", place: anyCloud, run: onEnvironment(images),
		help: "which image every tier runs"},
	{name: "promote", place: anyCloud, run: promote, flags: promoteFlags, check: checkPromote,
		help: "copy the images that FROM runs to STACK and name them there; builds nothing, runs nothing"},
	{name: "deliver", place: anyCloud, run: deliver, flags: deliverFlags, check: checkPromote,
		help: "up FROM, smoke, promote, up STACK, smoke; rolls STACK back if its release does not do; prints times"},
	{name: "rollback", place: anyCloud, run: rollback,
		help: "name the release before in STACK; builds nothing, runs nothing"},
	{name: "restore-points", place: anyCloud, run: restorePoints,
		help: "list the states of the data that can be gone back to"},
	{name: "restore", place: anyCloud, run: restore, flags: restoreFlags, check: checkRestore,
		help: "go back to POINT=<epoch> of restore-points; the stack's name is asked for, or CONFIRM=<stack>"},
	{name: "restore-drill", place: anyCloud, run: restoreDrill,
		help: "start the application on a copy of the data beside the site and compare their articles"},

	{name: "review", place: inAWS, run: review,
		help: "what up would change, and what it costs, as a comment on a pull request"},
	{name: "drift", place: inAWS, run: drift,
		help: "fail if what runs is not what the program declares; changes nothing"},
	{name: "record", place: inAWS, run: record,
		help: "commit and push the release that promote wrote into the stack's file"},
	{name: "preflight", place: inAWS, run: askFirst,
		help: "before a first up: does the account let the environment be made? changes nothing"},
	{name: "machine-image", place: inAWS, run: machineImage, flags: machineImageFlags,
		help: "make a machine image that has what machines install, from FROM=debian-13-…; SUBNET=subnet-…"},
	{name: "newer-images", place: inAWS, run: newerImages, flags: newerImagesFlags,
		help: "write the newest machine image and base image into the stack's file; PROPOSE=1: as a pull request"},
}

func find(name string) (verb, error) {
	i := slices.IndexFunc(verbs, func(v verb) bool { return v.name == name })
	if i < 0 {
		return verb{}, fmt.Errorf("verb %q is unknown: use one of %s", name, strings.Join(verbNames(), ", "))
	}
	return verbs[i], nil
}

func verbNames() []string {
	var names []string
	for _, v := range verbs {
		names = append(names, v.name)
	}
	return names
}

// usage lists the verbs by the place where they work.
func usage(out io.Writer) {
	fmt.Fprintln(out, "usage: twip [-stack train] [-cloud local|aws] VERB [options of the verb]")
	for _, where := range []place{thisComputer, anyCloud, inAWS} {
		fmt.Fprintf(out, "\n%s\n", where)
		for _, v := range verbs {
			if v.place == where {
				fmt.Fprintf(out, "  %-16s %s\n", v.name, v.help)
			}
		}
	}
}

// onLocal is a verb of the local cloud that needs nothing else.
func onLocal(do func(localCloud, context.Context) error) func(context.Context, task) error {
	return func(ctx context.Context, t task) error {
		here, ok := t.cloud.(localCloud)
		if !ok {
			return fmt.Errorf("%s works on this computer only, and was given %T: this is a bug", t.verb, t.cloud)
		}
		return do(here, ctx)
	}
}

// onCloud is a verb that needs nothing but its cloud.
func onCloud(do func(cloud, context.Context) error) func(context.Context, task) error {
	return func(ctx context.Context, t task) error { return do(t.cloud, ctx) }
}

// onEnvironment is a verb that works on a running environment.
func onEnvironment(do func(context.Context, ops.Environment, io.Writer) error) func(context.Context, task) error {
	return func(ctx context.Context, t task) error {
		env, err := t.environment(ctx)
		if err != nil {
			return err
		}
		return do(ctx, env, t.out)
	}
}

// watch asks often enough to see a takeover, and seldom enough for what AWS answers for nothing.
func watch(ctx context.Context, env ops.Environment, out io.Writer) error {
	return ops.Watch(ctx, env, 2*time.Second, out)
}

func (t task) environment(ctx context.Context) (ops.Environment, error) {
	outputs, err := t.cloud.Outputs(ctx)
	if err != nil {
		return ops.Environment{}, err
	}
	return ops.FromOutputs(t.stack, outputs, t.cloud.Machines())
}

func destroy(ctx context.Context, t task) error {
	// What is on this computer costs minutes; what is on AWS may be somebody's data.
	if t.options.cloud == onAWS {
		loss, err := t.cloud.(*aws).Loss(ctx)
		if err != nil {
			return err
		}
		if err := t.confirmed("destroy", loss); err != nil {
			return err
		}
	}
	return t.cloud.Destroy(ctx)
}

func outputs(ctx context.Context, t task) error {
	outputs, err := t.cloud.Outputs(ctx)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(t.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(outputs)
}

func images(_ context.Context, env ops.Environment, out io.Writer) error { return ops.Images(env, out) }

func scaleFlags(f *flag.FlagSet, o *options) {
	f.IntVar(&o.app, "app", 0, "app containers on the machine, or fewest app servers of a group")
}

func checkScale(o options) error {
	if o.app < 1 {
		return fmt.Errorf("scale: app: %d cannot be used: say how many, as in make scale APP=2", o.app)
	}
	return nil
}

func scale(ctx context.Context, t task) error { return t.cloud.Scale(ctx, t.app) }

func benchFlags(f *flag.FlagSet, o *options) {
	f.IntVar(&o.requests, "n", 1000, "requests on every route")
	f.IntVar(&o.concurrency, "c", 10, "requests at a time")
}

func checkBench(o options) error {
	if o.requests < 1 || o.concurrency < 1 || o.concurrency > o.requests {
		return fmt.Errorf("bench: n %d and c %d cannot be used: use 1 <= c <= n", o.requests, o.concurrency)
	}
	return nil
}

func bench(ctx context.Context, t task) error {
	env, err := t.environment(ctx)
	if err != nil {
		return err
	}
	routes, err := t.cloud.Routes(ctx, env)
	if err != nil {
		return err
	}
	return ops.Bench(ctx, routes, ops.Load{Requests: t.requests, Concurrency: t.concurrency}, t.out)
}

func restoreFlags(f *flag.FlagSet, o *options) {
	f.Uint64Var(&o.point, "point", 0, "the epoch to go back to, as restore-points lists them")
	confirmFlag(f, o)
}

func checkRestore(o options) error {
	if o.point == 0 {
		return errors.New(
			"restore: point is missing: choose one that make restore-points lists, as in make restore POINT=3")
	}
	return nil
}
