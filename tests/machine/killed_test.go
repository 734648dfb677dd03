package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/local"
	"twip/infra/local/region"
)

// killedName is the name of the local cloud that is killed, and the variable that makes this program its `make local`.
const killedName, killedUp = "test-killed", "TWIP_TEST_UP"

// TestMain lets the test start itself as a process that it can kill.
func TestMain(m *testing.M) {
	region.Main() // does not return in the process that controls groups
	if os.Getenv(killedUp) == "" {
		os.Exit(m.Run())
	}
	cloud, err := killedCloud(os.Stdout)
	if err == nil {
		err = cloud.Up(context.Background())
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func killedState() string { return filepath.Join(os.TempDir(), "twip-"+killedName) }

func killedCloud(out io.Writer) (*local.Cloud, error) {
	root, err := filepath.Abs("../..")
	return local.New(local.Options{
		Name: killedName, Checkout: root, StackFiles: filepath.Join(root, "tests", "stacks"), Stack: "train",
		State: killedState(),
		Ports: map[int]int{80: 0, 1936: 0}, Out: out,
	}), err
}

// TestNothingIsLeftOfKilledRuns kills `up` at moments at which it has made something and not written that down yet.
// After one destroy nothing may be left.
func TestNothingIsLeftOfKilledRuns(t *testing.T) {
	cloud, err := killedCloud(t.Output())
	require.NoError(t, err)
	require.NoError(t, cloud.Computer.Clean(t.Context()), "what an interrupted run left")
	require.NoError(t, os.RemoveAll(killedState()))
	t.Cleanup(func() {
		require.NoError(t, cloud.Computer.Clean(context.WithoutCancel(t.Context())))
		require.NoError(t, os.RemoveAll(killedState()))
	})
	for _, moment := range []struct{ name, kind, label string }{
		{"the network", "network", "twip.local=" + killedName},
		{"the endpoints", "container", "twip.endpoint"},
		{"an image", "image", ""},
		{"the machine's disk", "volume", "twip.machine"},
		{"the machine", "container", "twip.machine"},
		{"the address", "container", "twip.address"},
	} {
		killed := killUp(t, func() bool { return found(t, moment.kind, moment.label) })
		t.Logf("killed once there was %s, %.1f s after its start", moment.name, killed.Seconds())
	}
	require.True(t, found(t, "container", "twip.address"), "the last run must have left its address")
	require.NoError(t, cloud.Destroy(t.Context()))
	requireNothingLeft(t, killedName, "container", "volume", "network")
	require.NoDirExists(t, filepath.Join(killedState(), "computer", "volumes"))
}

// found says whether the killed cloud has an object of a kind; an empty label means any of its objects.
func found(t *testing.T, kind, label string) bool {
	t.Helper()
	args := []string{kind, "ls", "--quiet", "--filter", "label=twip.local=" + killedName}
	if kind == "container" {
		args = append(args, "--all")
	}
	if label != "" {
		args = append(args, "--filter", "label="+label)
	}
	out, err := exec.Command("docker", args...).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out)) != ""
}

// killUp starts `up` as a process, kills it as soon as there is what is waited for, and returns after how long.
func killUp(t *testing.T, there func() bool) time.Duration {
	t.Helper()
	up := exec.Command(os.Args[0])
	up.Env = append(os.Environ(), killedUp+"=1")
	up.Stdout, up.Stderr = t.Output(), t.Output()
	started := time.Now()
	require.NoError(t, up.Start())
	ended := make(chan error, 1)
	go func() { ended <- up.Wait() }()
	for !there() {
		select {
		case err := <-ended:
			require.NoError(t, errors.Join(err, errors.New("up ended by itself")))
		case <-time.After(10 * time.Millisecond):
		}
		require.Less(t, time.Since(started), 10*time.Minute, "up never came to where it is killed")
	}
	require.NoError(t, up.Process.Kill())
	<-ended
	return time.Since(started)
}
