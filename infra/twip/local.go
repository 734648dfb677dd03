package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"twip/infra/local/computer"
	"twip/infra/local/engine"
	"twip/infra/local/provider"
	"twip/infra/verbs"
	"twip/stacks"
)

// local is an environment on this computer: the real program and the real engine on providers of our own.
type local struct {
	root, stack string
	state       string // directory of this stack's state
	computer    *computer.Computer
	started     time.Time
	out         io.Writer
}

func newLocal(root, stack string, out io.Writer) (*local, error) {
	state, err := stateDir()
	if err != nil {
		return nil, err
	}
	l := &local{root: root, stack: stack, state: filepath.Join(state, "stacks", stack), started: time.Now(), out: out}
	l.computer = computer.New("local", computer.Options{State: filepath.Join(state, "computer"), Progress: l.say})
	return l, nil
}

// say prints a line of progress with the time since the command began.
func (l *local) say(line string) {
	fmt.Fprintf(l.out, "%6.1fs  %s\n", time.Since(l.started).Seconds(), line)
}

func (l *local) Prepare(ctx context.Context) error {
	if err := l.computer.Ensure(ctx); err != nil {
		return err
	}
	_, err := engine.FindCLI(ctx, l.say)
	return err
}

// Up ends when the site answers, or tells what the machine was doing when it did not.
func (l *local) Up(ctx context.Context) error {
	if err := l.bootable(); err != nil {
		return err
	}
	if err := l.computer.Ensure(ctx); err != nil {
		return err
	}
	if err := l.remember("twip:baseImage", l.computer.BaseImage()); err != nil {
		return err
	}
	outputs, err := l.change(ctx, "up", (*engine.Engine).Up)
	if err != nil {
		return err
	}
	env, err := verbs.FromOutputs(l.stack, l.here(outputs), l.Machines())
	if err != nil {
		return err
	}
	instance, _ := outputs["instanceId"].(string)
	if err := l.awaitSite(ctx, env.URL, instance); err != nil {
		return err
	}
	fmt.Fprintf(l.out, "\n  site   %s\n  stats  %s\n\nready after %.0f s; take it down with: make local-destroy\n", env.URL, env.StatsURL, time.Since(l.started).Seconds())
	return nil
}

func (l *local) Preview(ctx context.Context) error {
	_, err := l.change(ctx, "preview", (*engine.Engine).Preview)
	return err
}

func (l *local) Refresh(ctx context.Context) error {
	_, err := l.change(ctx, "refresh", (*engine.Engine).Refresh)
	return err
}

func (l *local) Destroy(ctx context.Context) error {
	if _, err := l.change(ctx, "destroy", (*engine.Engine).Destroy); err != nil {
		return err
	}
	return l.Clean(ctx)
}

// Clean removes everything the local cloud made, whether or not a stack remembers it.
func (l *local) Clean(ctx context.Context) error {
	if err := l.computer.Clean(ctx); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(filepath.Dir(l.state)), os.RemoveAll(filepath.Join(l.root, ".build"))); err != nil {
		return err
	}
	l.say("nothing of the local cloud is left on this computer")
	return nil
}

// Scale is remembered beside the stack's state, not written into the checkout: it is this computer's business.
func (l *local) Scale(ctx context.Context, appContainers int) error {
	if err := l.remember("twip:appContainers", appContainers); err != nil {
		return err
	}
	return l.Up(ctx)
}

func (l *local) Outputs(ctx context.Context) (map[string]any, error) {
	var outputs map[string]any
	err := l.engine(func(e *engine.Engine) (err error) {
		outputs, err = e.Outputs(ctx)
		return err
	})
	return l.here(outputs), err
}

// here puts the addresses of this computer in the place of AWS's, which lead nowhere.
func (l *local) here(outputs map[string]any) map[string]any {
	outputs = maps.Clone(outputs)
	for output, port := range map[string]int{"url": 80, "statsUrl": 1936} {
		if _, there := outputs[output]; there {
			outputs[output] = fmt.Sprintf("http://127.0.0.1:%d", computer.DefaultPorts()[port])
		}
	}
	return outputs
}

// change runs one of the engine's commands and sums up what it did.
func (l *local) change(ctx context.Context, verb string, do func(*engine.Engine, context.Context) (engine.Summary, error)) (map[string]any, error) {
	var summary engine.Summary
	err := l.engine(func(e *engine.Engine) (err error) {
		summary, err = do(e, ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s of stack %q: %w", verb, l.stack, err)
	}
	var counts []string
	for _, op := range slices.Sorted(maps.Keys(summary.Changes)) {
		counts = append(counts, fmt.Sprintf("%d %s", summary.Changes[op], op))
	}
	l.say(fmt.Sprintf("%s: %d changes (%s)", verb, summary.Changed(), strings.Join(counts, ", ")))
	return summary.Outputs, nil
}

// engine starts the providers for as long as the command takes.
func (l *local) engine(do func(*engine.Engine) error) (err error) {
	config, err := l.config()
	if err != nil {
		return err
	}
	server, err := provider.Start(provider.Options{State: l.state, Dir: filepath.Join(l.root, "infra"), Computer: l.computer})
	if err != nil {
		return err
	}
	defer server.Close()
	e, err := engine.New(engine.Options{
		Checkout: l.root, Stack: l.stack, State: l.state, Config: config,
		Program: stacks.Program, Providers: server, Progress: l.say,
	})
	if err != nil {
		return err
	}
	return do(e)
}

// config is what differs from the stack's file here, each for a reason: the endpoints answer for one region, this
// computer may see the statistics, and what is only on this computer may be destroyed.
func (l *local) config() (map[string]any, error) {
	config := map[string]any{
		"aws:region":       computer.DefaultRegion,
		"twip:statsCidrs":  []string{"127.0.0.1/32"},
		"twip:protectData": false,
	}
	remembered, err := l.remembered()
	maps.Copy(config, remembered)
	return config, err
}

func (l *local) memory() string { return filepath.Join(l.state, "local.json") }

// remembered are the values that earlier commands chose for this stack on this computer.
func (l *local) remembered() (map[string]any, error) {
	values := map[string]any{}
	text, err := os.ReadFile(l.memory())
	if errors.Is(err, fs.ErrNotExist) {
		return values, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &values)
	}
	if err != nil {
		return nil, fmt.Errorf("local values of stack %q: %w: remove %s", l.stack, err, l.memory())
	}
	return values, nil
}

func (l *local) remember(key string, value any) error {
	values, err := l.remembered()
	if err != nil {
		return err
	}
	values[key] = value
	text, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(l.state, 0o700); err != nil {
		return err
	}
	return os.WriteFile(l.memory(), append(text, '\n'), 0o600)
}

// bootable refuses a topology whose machines the local cloud cannot boot.
func (l *local) bootable() error {
	name := "Pulumi." + l.stack + ".yaml"
	text, err := os.ReadFile(filepath.Join(l.root, name))
	if err != nil {
		return fmt.Errorf("stack %q: %w: make the file, or choose another stack with STACK=", l.stack, err)
	}
	var file struct{ Config map[string]any }
	if err := yaml.Unmarshal(text, &file); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if topology, set := file.Config["twip:topology"]; set && topology != string(stacks.SingleHost) {
		return fmt.Errorf("%s: twip:topology: %v cannot be booted on this computer, only %s can: look at it with make preview STACK=%s",
			name, topology, stacks.SingleHost, l.stack)
	}
	return nil
}
