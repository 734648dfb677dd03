// Package local is the local cloud: environments on this computer, made by the real program and the real engine, on
// providers of our own. Here its parts are put together: computer gives bodies to what can run, provider answers the
// engine, account knows AWS, engine runs the program.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"twip/infra/local/computer"
	"twip/infra/local/engine"
	"twip/infra/local/provider"
	"twip/infra/local/region"
	"twip/infra/ops"
	"twip/stacks"
)

// Options of a Cloud.
type Options struct {
	Name     string // label of everything it makes on this computer; two names never touch each other
	Checkout string // directory with Pulumi.yaml
	Stack    string // Pulumi.<stack>.yaml describes the environment

	// StackFiles is the directory of Pulumi.<stack>.yaml. The default is Checkout.
	StackFiles string
	State      string // directory of everything that must outlive a command, the data volumes included
	// Ports lead from an instance's or load balancer's port to one of 127.0.0.1, 0 for a free one; nil: DefaultPorts,
	// which are others for every topology.
	Ports map[int]int
	Out   io.Writer // progress, and what the commands print
}

// Cloud is an environment on this computer.
type Cloud struct {
	Computer *computer.Computer // the bodies of its resources

	options Options
	state   string // directory of this stack's state
	started time.Time
}

// New describes a local cloud; nothing happens before one of its methods is called.
func New(o Options) *Cloud {
	if o.StackFiles == "" {
		o.StackFiles = o.Checkout
	}
	c := &Cloud{options: o, state: filepath.Join(o.State, "stacks", o.Stack), started: time.Now()}
	c.Computer = computer.New(o.Name, computer.Options{
		State: filepath.Join(o.State, "computer"), Stack: o.Stack, Ports: c.ports(), Progress: c.say,
	})
	return c
}

// say prints a line of progress with the time since the command began.
func (c *Cloud) say(line string) {
	fmt.Fprintf(c.options.Out, "%6.1fs  %s\n", time.Since(c.started).Seconds(), line)
}

// Prepare installs what is missing on this computer and builds the Pulumi command if there is none.
func (c *Cloud) Prepare(ctx context.Context) error {
	if err := c.Computer.Ensure(ctx); err != nil {
		return err
	}
	if err := c.ensureBench(ctx); err != nil {
		return err
	}
	_, err := engine.FindCLI(ctx, c.say)
	return err
}

// Up ends when the site answers, or tells what the machine was doing when it did not.
func (c *Cloud) Up(ctx context.Context) error {
	groups, err := c.hasGroups()
	if err != nil {
		return err
	}
	if err := c.Computer.PortsFree(ctx); err != nil {
		return err // before minutes of building
	}
	if err := c.Computer.Ensure(ctx); err != nil {
		return err
	}
	if err := c.Set(baseImage, c.Computer.BaseImage()); err != nil {
		return err
	}
	if err := c.sayChosen(); err != nil {
		return err
	}
	if err := c.reuse(ctx); err != nil {
		return err
	}
	if groups {
		if err := c.startRegion(ctx); err != nil {
			return err
		}
	}
	outputs, err := c.change(ctx, c.Computer, "up", (*engine.Engine).Up)
	if err != nil {
		return err
	}
	if groups {
		r, err := c.Region(ctx)
		if err != nil {
			return err
		}
		if err := r.Await(ctx, siteTimeout, c.say); err != nil {
			return err
		}
	}
	if outputs, err = c.here(ctx, outputs); err != nil {
		return err
	}
	env, err := ops.FromOutputs(c.options.Stack, outputs, c.Machines())
	if err != nil {
		return err
	}
	instance, _ := outputs["instanceId"].(string)
	if err := c.awaitSite(ctx, env.URL, instance); err != nil {
		return err
	}
	stats, stack := "", ""
	if env.StatsURL != "" {
		stats = "\n  stats  " + env.StatsURL
	}
	if c.options.Stack != "train" {
		stack = " STACK=" + c.options.Stack
	}
	fmt.Fprintf(c.options.Out, "\n  site   %s%s\n\nready after %.0f s; take it down with: make local-destroy%s\n",
		env.URL, stats, time.Since(c.started).Seconds(), stack)
	return nil
}

// Preview tells what Up would do. It changes nothing, and needs no Docker.
func (c *Cloud) Preview(ctx context.Context) error {
	_, err := c.change(ctx, nil, "preview", (*engine.Engine).Preview)
	return err
}

// Refresh notices what vanished from this computer behind the engine's back; the next Up makes it anew.
func (c *Cloud) Refresh(ctx context.Context) error {
	if err := c.Computer.Ensure(ctx); err != nil {
		return err
	}
	_, err := c.change(ctx, c.Computer, "refresh", (*engine.Engine).Refresh)
	return err
}

// Destroy deletes the stack's resources, data included, and what the local cloud needs besides, unless another stack
// needs it too. What runs that were killed have left goes by its label. Images stay, so that the next Up is quick;
// Clean removes them.
func (c *Cloud) Destroy(ctx context.Context) error {
	if err := c.Computer.Ensure(ctx); err != nil {
		return err
	}
	// Before its machines, which it would replace.
	if err := region.Stop(c.regionDir()); err != nil {
		return err
	}
	if _, err := c.change(ctx, c.Computer, "destroy", (*engine.Engine).Destroy); err != nil {
		return err
	}
	if err := os.RemoveAll(c.state); err != nil {
		return err
	}
	switch inUse, err := c.Computer.InUse(ctx); {
	case err != nil:
		return err
	case inUse:
		c.say(
			"stack " + c.options.Stack + " is gone; another stack uses the local cloud, so its network and " +
				"endpoints stay")
		return nil
	}
	if err := c.Computer.Remove(ctx); err != nil {
		return err
	}
	c.say(
		"no container, volume, network or loop device of the local cloud is left; make local-clean removes its " +
			"images too")
	return nil
}

// Clean removes everything that this local cloud made, of all its stacks, whether or not an engine remembers it.
func (c *Cloud) Clean(ctx context.Context) error {
	state, err := filepath.Abs(filepath.Dir(c.state))
	if err != nil {
		return err
	}
	if err := region.Stop(state); err != nil {
		return err
	}
	if err := c.Computer.Clean(ctx); err != nil {
		return err
	}
	if err := computer.RemoveSharedImages(ctx); err != nil {
		return err
	}
	builds := filepath.Join(c.options.Checkout, ".build")
	if err := errors.Join(os.RemoveAll(filepath.Dir(c.state)), os.RemoveAll(builds)); err != nil {
		return err
	}
	c.say("nothing of the local cloud is left on this computer")
	return nil
}

// Scale changes how many app containers the machine runs, or how many app servers its group has.
func (c *Cloud) Scale(ctx context.Context, n int) error {
	groups, err := c.hasGroups()
	if err != nil {
		return err
	}
	if !groups {
		if err := c.Set("twip:appContainers", n); err != nil {
			return err
		}
		return c.Up(ctx)
	}
	// A group that gets a smaller minimum keeps its size: on AWS a policy shrinks it, here it is told to.
	if err := c.Set("twip:appServers", map[string]int{"min": max(2, n), "max": max(4, n)}); err != nil {
		return err
	}
	if err := c.Up(ctx); err != nil {
		return err
	}
	r, err := c.Region(ctx)
	if err != nil {
		return err
	}
	if err := r.ScaleTier(ctx, "app", n); err != nil {
		return err
	}
	return r.Await(ctx, siteTimeout, c.say)
}

// Outputs are the stack's, with addresses that work on this computer.
func (c *Cloud) Outputs(ctx context.Context) (map[string]any, error) {
	var outputs map[string]any
	err := c.engine(nil, func(e *engine.Engine) (err error) {
		outputs, err = e.Outputs(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.here(ctx, outputs)
}

// here puts the addresses of this computer in the place of AWS's, which lead nowhere.
func (c *Cloud) here(ctx context.Context, outputs map[string]any) (map[string]any, error) {
	reachable, err := c.Computer.Reachable(ctx)
	if err != nil {
		return nil, err
	}
	outputs = maps.Clone(outputs)
	for output, port := range map[string]int{"url": 80, "statsUrl": 1936} {
		if address, ok := reachable[port]; ok && outputs[output] != nil {
			outputs[output] = "http://" + address
		}
	}
	return outputs, nil
}

// change runs one of the engine's commands and sums up what it did. Without bodies, Docker is not asked for anything.
func (c *Cloud) change(
	ctx context.Context, bodies provider.Computer, verb string,
	do func(*engine.Engine, context.Context) (engine.Summary, error),
) (map[string]any, error) {
	var summary engine.Summary
	err := c.engine(bodies, func(e *engine.Engine) (err error) {
		summary, err = do(e, ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s of stack %q: %w", verb, c.options.Stack, err)
	}
	var counts []string
	for _, op := range slices.Sorted(maps.Keys(summary.Changes)) {
		counts = append(counts, fmt.Sprintf("%d %s", summary.Changes[op], op))
	}
	c.say(fmt.Sprintf("%s: %d changes (%s)", verb, summary.Changed(), strings.Join(counts, ", ")))
	return summary.Outputs, nil
}

// engine starts the providers for as long as the command takes.
func (c *Cloud) engine(bodies provider.Computer, do func(*engine.Engine) error) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	server, err := provider.Start(
		provider.Options{State: c.state, Dir: filepath.Join(c.options.Checkout, "infra"), Computer: bodies})
	if err != nil {
		return err
	}
	defer server.Close()
	e, err := engine.New(engine.Options{
		Checkout: c.options.Checkout, StackFiles: c.options.StackFiles, Stack: c.options.Stack,
		State: c.state, Config: config, Program: stacks.Program, Providers: server, Progress: c.say,
		Sweep: c.Computer.RemoveStack,
	})
	if err != nil {
		return err
	}
	return do(e)
}
