// Package engine_test runs programs with the real Pulumi engine on the local providers. It needs the Pulumi command and no
// Docker: a recorder stands in for the computer.
package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"twip/infra/local/engine"
	"twip/infra/local/provider"
)

// run is one stack on a recorder, in a directory of its own.
type run struct {
	*recorder
	computer provider.Computer // the recorder, unless a test puts something before it
	t        *testing.T
	stack    string
	checkout string
	files    string // directory of the stack's file; empty: the checkout
	state    string
	program  pulumi.RunFunc
	config   map[string]any
	fault    func(op provider.Operation, typ, name string) error
}

// newRun prepares a stack of the repository's own program.
func newRun(t *testing.T, program pulumi.RunFunc, config map[string]any) *run {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	r := prepare(t, root, program, config)
	r.files = filepath.Join(root, "tests", "stacks")
	return r
}

// newSmallRun prepares a stack of a test's program, in a project of its own.
func newSmallRun(t *testing.T, program pulumi.RunFunc) *run {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte(`{name: small, runtime: go, config: {greeting: {type: string, default: hello}}}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.train.yaml"), []byte(`config: {"aws:region": eu-west-1}`), 0o600))
	return prepare(t, dir, program, map[string]any{})
}

func prepare(t *testing.T, checkout string, program pulumi.RunFunc, config map[string]any) *run {
	r := newRecorder()
	return &run{recorder: r, computer: r, t: t, stack: "train", checkout: checkout, state: t.TempDir(), program: program, config: config}
}

// command starts an engine and its providers afresh, as every command of a person does, and closes them after use.
func (r *run) command(use func(context.Context, *engine.Engine) (engine.Summary, error)) (engine.Summary, error) {
	r.t.Helper()
	providers, err := provider.Start(provider.Options{State: filepath.Join(r.state, "cloud"),
		Dir: filepath.Join(r.checkout, "infra"), Computer: r.computer, Fault: r.fault})
	require.NoError(r.t, err)
	defer providers.Close()
	e, err := engine.New(engine.Options{Checkout: r.checkout, StackFiles: r.files, Stack: r.stack, State: filepath.Join(r.state, "stack"),
		Config: r.config, Program: r.program, Providers: providers, Progress: func(line string) { r.t.Log(line) }})
	require.NoError(r.t, err)
	return use(r.t.Context(), e)
}

func (r *run) up() (engine.Summary, error) {
	r.t.Helper()
	return r.command(func(ctx context.Context, e *engine.Engine) (engine.Summary, error) { return e.Up(ctx) })
}

func (r *run) preview() (engine.Summary, error) {
	r.t.Helper()
	return r.command(func(ctx context.Context, e *engine.Engine) (engine.Summary, error) { return e.Preview(ctx) })
}

func (r *run) refresh() (engine.Summary, error) {
	r.t.Helper()
	return r.command(func(ctx context.Context, e *engine.Engine) (engine.Summary, error) { return e.Refresh(ctx) })
}

func (r *run) destroy() (engine.Summary, error) {
	r.t.Helper()
	return r.command(func(ctx context.Context, e *engine.Engine) (engine.Summary, error) { return e.Destroy(ctx) })
}

// mustUp is an up that has to end well.
func (r *run) mustUp() engine.Summary {
	r.t.Helper()
	s, err := r.up()
	require.NoError(r.t, err)
	return s
}

// steps lists what happened to resources of a type.
func steps(s engine.Summary, typ string) []string {
	var out []string
	for _, step := range s.Steps {
		if step.Type == typ {
			out = append(out, step.Op)
		}
	}
	return out
}
