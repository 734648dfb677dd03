package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/local"
	"twip/infra/ops"
)

// TestProd brings production up, ends the writer's machine, and sees it replaced.
func TestProd(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	state := filepath.Join(os.TempDir(), "twip-test-prod")
	cloud := local.New(local.Options{
		Name: "test-prod", Checkout: root, StackFiles: filepath.Join(root, "tests", "stacks"), Stack: "prod", State: state,
		Ports: map[int]int{80: 0}, Out: t.Output(),
	})
	require.NoError(t, cloud.Computer.Clean(t.Context()), "what an interrupted run left")
	require.NoError(t, os.RemoveAll(state))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		require.NoError(t, cloud.Destroy(ctx))
		requireNothingLeft(t, "test-prod", "container", "volume", "network")
		require.NoError(t, cloud.Computer.Clean(ctx))
	})
	begun := time.Now()
	require.NoError(t, cloud.Up(t.Context()))
	t.Logf("up after %.0f s", time.Since(begun).Seconds())

	outputs, err := cloud.Outputs(t.Context())
	require.NoError(t, err)
	env, err := ops.FromOutputs("prod", outputs, cloud.Machines())
	require.NoError(t, err)
	require.NoError(t, ops.Smoke(t.Context(), env, io.Discard))
	require.NoError(t, ops.Status(t.Context(), env, t.Output()))

	r, err := cloud.Region(t.Context())
	require.NoError(t, err)
	writer, err := r.Writer(t.Context())
	require.NoError(t, err)
	e := &environment{Cloud: cloud, t: t, outputs: outputs}
	e.post("before its machine is lost")
	require.NoError(t, r.Kill(t.Context(), writer.ID))
	lost := time.Now()
	e.eventually(time.Minute, func() error {
		a, err := e.tryPost("after its machine is lost")
		if err == nil && a.status != 302 {
			err = fmt.Errorf("answer %d", a.status)
		}
		return err
	})
	t.Logf("posts again %.1f s after the writer's machine was lost", time.Since(lost).Seconds())
	require.Contains(t, e.articles(), "before its machine is lost")
	e.eventually(5*time.Minute, func() error {
		machines, err := r.Machines(t.Context(), "app")
		if err != nil {
			return err
		}
		for _, m := range machines {
			if m.ID == writer.ID {
				return errors.New("the dead machine is still in its group")
			}
		}
		return r.Settled(t.Context())
	})
	t.Logf("replaced %.0f s after it was lost", time.Since(lost).Seconds())
	successor, err := r.Writer(t.Context())
	require.NoError(t, err)
	require.Greater(t, successor.Epoch, writer.Epoch)
}
