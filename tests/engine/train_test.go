package engine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/local/computer"
	"twip/infra/local/engine"
	"twip/stacks"
)

const (
	instance = "aws:ec2/instance:Instance"
	volume   = "aws:ebs/volume:Volume"
)

// train has the training environment as `make local` configures it.
func train(t *testing.T) *run {
	return newRun(t, stacks.Program, map[string]any{"twip:statsCidrs": []string{"127.0.0.1/32"},
		"twip:artifacts": t.TempDir()})
}

// one returns the only machine.
func (r *run) one() computer.Machine {
	r.t.Helper()
	require.Len(r.t, r.machines, 1)
	for _, m := range r.machines {
		return m
	}
	panic("unreachable: there is one")
}

func (r *run) address() string {
	r.t.Helper()
	require.Len(r.t, r.ports, 1)
	for _, led := range r.ports {
		return led
	}
	panic("unreachable: there is one")
}

// The life of a training environment, in the order in which it happens to one.
func TestTrain(t *testing.T) {
	r := train(t)

	planned, err := r.preview()
	require.NoError(t, err)
	require.Zero(t, r.count(), "a preview does nothing")

	first := r.mustUp()
	require.Equal(t, planned.Changes, first.Changes, "up does what preview said")
	machine := r.one()
	require.Equal(t, 1024, machine.MemoryMiB)
	require.Contains(t, string(machine.UserData), "#cloud-config")
	require.Len(t, r.images, 3)
	require.Equal(t, machine.ID+"[80 1936]", r.address())
	require.Equal(t, machine.ID, r.volumes[first.Outputs["dataVolumeId"].(string)])
	require.Equal(t, machine.ID, first.Outputs["instanceId"])

	t.Log("a second up changes nothing")
	second := r.mustUp()
	require.Zero(t, second.Changed(), second.Changes)
	require.Equal(t, machine, r.one())

	t.Log("who may see the statistics page is the security group's business: the port closes, the machine stays")
	r.config["twip:statsCidrs"] = []string{"203.0.113.7/32"}
	r.mustUp()
	require.Equal(t, machine.ID+"[80]", r.address())
	require.Equal(t, machine, r.one())

	t.Log("a change of what the machine runs replaces it; the data moves, and never has two writers")
	r.config["twip:memoryMiB"] = map[string]int{"app": 400}
	planned, err = r.preview()
	require.NoError(t, err)
	require.Contains(t, planned.Steps, engine.Step{Op: "replace", Type: instance, Name: "twip-train-host",
		Replace: []string{"userData"}, Changed: []string{"userData"}})
	before, data := r.count(), first.Outputs["dataVolumeId"].(string)
	r.mustUp()
	successor := r.one()
	require.NotEqual(t, machine.ID, successor.ID)
	require.Equal(t, []string{"stop " + machine.ID, "detach " + data, "terminate " + machine.ID, "launch " + successor.ID,
		"attach " + data + " to " + successor.ID + " at /dev/xvdf"},
		r.since(before, "stop", "detach", "terminate", "launch", "attach", "create volume", "delete volume"))
	require.Equal(t, successor.ID+"[80]", r.address())

	t.Log("a machine that vanished is found missing, and made again around the same data")
	r.lose(successor.ID)
	found, err := r.refresh()
	require.NoError(t, err)
	require.Equal(t, []string{"delete"}, steps(found, instance))
	third := r.mustUp()
	require.NotEqual(t, successor.ID, r.one().ID)
	require.Equal(t, r.one().ID, r.volumes[data])
	require.NotContains(t, steps(third, volume), "create")

	t.Log("images that the registry lost are built again, and the machine, which they do not change, stays")
	before, machine = r.count(), r.one()
	clear(r.images)
	clear(r.tags)
	r.mustUp()
	require.Len(t, r.since(before, "build"), 3)
	require.Equal(t, machine.ID, r.one().ID)

	t.Log("protected data refuses to be destroyed, and nothing else is either")
	left := r.left()
	_, err = r.destroy()
	require.ErrorContains(t, err, "Protection twip-train-protection is protected: lift the protection")
	require.Equal(t, left, r.left())

	t.Log("the volume grows in place, and its protection is lifted; then nothing is left")
	before = r.count()
	r.config["twip:dataVolumeGiB"], r.config["twip:protectData"] = 9, false
	r.mustUp()
	require.Equal(t, []string{"create volume " + data + " 9 GiB"}, r.since(before, "create volume", "stop", "launch"))
	_, err = r.destroy()
	require.NoError(t, err)
	require.Equal(t, "0 machines, 0 volumes, 0 addresses, 0 log groups, 0 file systems", r.left())
	_, err = r.command(func(ctx context.Context, e *engine.Engine) (engine.Summary, error) {
		status, err := e.Status(ctx)
		require.Zero(t, status.Resources)
		require.Equal(t, "destroy succeeded", status.Kind+" "+status.Result)
		return engine.Summary{}, err
	})
	require.NoError(t, err)
}
