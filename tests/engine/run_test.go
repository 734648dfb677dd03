// Package engine_test runs programs with the real Pulumi engine on the local providers. It needs the Pulumi command and no
// Docker: a recorder stands in for the computer.
package engine_test

import (
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
	t      *testing.T
	state  string
	fault  func(op provider.Operation, typ, name string) error
	config map[string]any
}

func newRun(t *testing.T, config map[string]any) *run {
	return &run{recorder: newRecorder(), t: t, state: t.TempDir(), config: config}
}

// with starts an engine and its providers afresh, as a command does, and closes them after use.
func (r *run) with(checkout string, program pulumi.RunFunc, use func(*engine.Engine)) {
	r.t.Helper()
	providers, err := provider.Start(provider.Options{State: filepath.Join(r.state, "cloud"), Dir: filepath.Join(checkout, "infra"), Computer: r.recorder, Fault: r.fault})
	require.NoError(r.t, err)
	defer providers.Close()
	e, err := engine.New(engine.Options{Checkout: checkout, Stack: "train", State: filepath.Join(r.state, "stack"), Config: r.config,
		Program: program, Providers: providers, Progress: func(line string) { r.t.Log(line) }})
	require.NoError(r.t, err)
	use(e)
}
