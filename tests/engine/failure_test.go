package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/local/computer"
	"twip/infra/local/provider"
)

// failOnce fails the first operation of a kind on a type.
func failOnce(op provider.Operation, typ string) func(provider.Operation, string, string) error {
	var done atomic.Bool
	return func(o provider.Operation, t, _ string) error {
		if o == op && t == typ && done.CompareAndSwap(false, true) {
			return errors.New("there is not enough capacity in the zone")
		}
		return nil
	}
}

// An up that failed in the middle is finished by the next one.
func TestUpConvergesAfterAFailure(t *testing.T) {
	for _, typ := range []string{instance, "docker:index/image:Image"} {
		t.Run(filepath.Base(typ), func(t *testing.T) {
			r := train(t)
			r.fault = failOnce(provider.Create, typ)
			_, err := r.up()
			require.ErrorContains(t, err, "not enough capacity")
			r.mustUp()
			require.Equal(t, "1 machines, 1 volumes, 1 addresses, 4 log groups, 0 file systems", r.left())
			require.Equal(t, r.one().ID+"[80 1936]", r.address())
			require.Zero(t, r.mustUp().Changed())
		})
	}
}

// A replacement that failed between the end of the old machine and the start of the new one is finished by the next up: what
// hung on the old machine is deleted a second time, and the data is still there.
func TestUpFinishesAReplacement(t *testing.T) {
	r := train(t)
	data := r.mustUp().Outputs["dataVolumeId"].(string)
	old := r.one().ID
	r.config["twip:memoryMiB"] = map[string]int{"app": 400}
	r.fault = failOnce(provider.Create, instance)
	_, err := r.up()
	require.ErrorContains(t, err, "not enough capacity")
	r.mustUp()
	require.NotEqual(t, old, r.one().ID)
	require.Equal(t, r.one().ID, r.volumes[data])
	require.Zero(t, r.mustUp().Changed())
}

// killer is a recorder whose first launch kills the engine, the hard way.
type killer struct {
	*recorder
	killed atomic.Bool
	kill   func()
}

func (k *killer) Launch(ctx context.Context, m computer.Machine) error {
	if err := k.recorder.Launch(ctx, m); err != nil {
		return err
	}
	if k.killed.CompareAndSwap(false, true) {
		k.kill()
		<-ctx.Done() // the engine is gone when its call is
	}
	return nil
}

// A killed engine leaves a lock, an unfinished operation and a machine that nobody wrote down. The next command clears all
// three away.
func TestUpAfterTheEngineWasKilled(t *testing.T) {
	r := train(t)
	r.computer = &killer{recorder: r.recorder, kill: func() {
		locks, err := filepath.Glob(filepath.Join(r.state, "stack", "backend", ".pulumi", "locks", "*", "*", "*", "*.json"))
		if err != nil || len(locks) != 1 {
			t.Errorf("one lock with the engine's process id was expected: %v %v", locks, err)
			return
		}
		var owner struct{ Pid int }
		b, err := os.ReadFile(locks[0])
		if err = errors.Join(err, json.Unmarshal(b, &owner)); err != nil || owner.Pid == os.Getpid() {
			t.Errorf("lock %s of process %d: %v", locks[0], owner.Pid, err)
			return
		}
		if err := syscall.Kill(owner.Pid, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}}
	_, err := r.up()
	require.Error(t, err)
	r.mustUp()
	require.Equal(t, "1 machines, 1 volumes, 1 addresses, 4 log groups, 0 file systems", r.left())
	require.Zero(t, r.mustUp().Changed())
}

// An engine that was killed while it wrote may leave files of attributes that are cut off.
func TestUpAfterAttributesWereCutOff(t *testing.T) {
	r := train(t)
	r.mustUp()
	cut := 0
	require.NoError(t, filepath.WalkDir(r.state, func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".attrs" {
			cut++
			err = os.Truncate(path, 0)
		}
		return err
	}))
	require.NotZero(t, cut)
	require.Zero(t, r.mustUp().Changed())
}
