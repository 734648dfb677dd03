package images_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/boot"
	"twip/infra/images"
	"twip/tests/dockertest"
)

// label marks every Docker object that these tests make; what carries it is removed before and after.
const label = "twip.test=images"

var docker, tail = dockertest.Docker, dockertest.Tail

func mustDocker(t *testing.T, args ...string) string {
	t.Helper()
	output, err := docker(args...)
	require.NoError(t, err)
	return output
}

// removeAll removes what these tests made, in this run or in one that was killed. Images stay in the builder's cache, which
// makes the next run fast, but lose their names.
func removeAll() error {
	for _, object := range []struct{ list, remove []string }{
		{[]string{"ps", "-aq"}, []string{"rm", "-fv"}},
		{[]string{"volume", "ls", "-q"}, []string{"volume", "rm", "-f"}},
		{[]string{"network", "ls", "-q"}, []string{"network", "rm"}},
	} {
		if err := dockertest.Each(append(object.list, "--filter", "label="+label), object.remove); err != nil {
			return err
		}
	}
	names, err := docker("images", "--filter", "label="+label, "--format", "{{.Repository}}:{{.Tag}}")
	if err != nil {
		return err
	}
	for _, name := range strings.Fields(names) {
		if strings.HasPrefix(name, "twip-test-images/") {
			if _, err := docker("rmi", "--no-prune", name); err != nil {
				return err
			}
		}
	}
	return nil
}

// buildImage stages and builds one kind and returns the image's name.
func buildImage(kind images.Kind, artifacts, out string) (name string, err error) {
	return build(kind, images.Options{Artifacts: artifacts, Out: out})
}

func build(kind images.Kind, o images.Options) (name string, err error) {
	o.BaseImage = base
	c, err := images.Stage(kind, o)
	if err != nil {
		return "", err
	}
	name = fmt.Sprintf("twip-test-images/%s:%s", kind, c.Tag)
	args := []string{"build", "--force-rm", "--label", label, "-t", name}
	for key, value := range c.Args {
		args = append(args, "--build-arg", key+"="+value)
	}
	_, err = docker(append(args, c.Dir)...)
	return name, err
}

// limits are those of the training environment's committed configuration.
var limits = map[images.Kind]string{images.Static: "32m", images.App: "448m", images.Proxy: "64m"}

// container is one of ours, started as a machine starts it.
type container struct{ id string }

// run starts a container of a kind with the restrictions that it has on a machine.
func run(t *testing.T, kind images.Kind, image, network string, options ...string) container {
	t.Helper()
	return runWith(t, kind, image, network, nil, options...)
}

// runWith gives the container another command than its image's.
func runWith(t *testing.T, kind images.Kind, image, network string, command []string, options ...string) container {
	t.Helper()
	args := []string{"run", "-d", "--label", label, "--network", network,
		"--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "10001:10001",
		"--memory", limits[kind], "--pids-limit", "512",
		"--tmpfs", "/run:size=16m,mode=1777", "--tmpfs", "/tmp:size=64m,mode=1777"}
	c := container{mustDocker(t, slices.Concat(args, options, []string{image}, command)...)}
	t.Cleanup(func() {
		if t.Failed() {
			output, _ := exec.Command("docker", "logs", c.id).CombinedOutput() // the test may have removed it
			t.Logf("last lines of %s %s:\n%s", kind, c.id[:12], tail(string(output)))
		}
		mustDocker(t, "rm", "-fv", c.id)
	})
	return c
}

func (c container) address(t *testing.T) string {
	t.Helper()
	address := mustDocker(t, "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", c.id)
	require.NotEmpty(t, address, "the container does not run")
	return address
}

func (c container) logs(t *testing.T) string {
	t.Helper()
	output, err := exec.Command("docker", "logs", c.id).CombinedOutput()
	require.NoError(t, err)
	return string(output)
}

func (c container) exec(t *testing.T, argv ...string) string {
	t.Helper()
	return mustDocker(t, append([]string{"exec", c.id}, argv...)...)
}

// onStore runs a program on a store, as root. It is one of the proxy's image: the app's has none.
func onStore(t *testing.T, store string, argv ...string) string {
	t.Helper()
	return mustDocker(t, append([]string{"run", "--rm", "--label", label, "--user", "0", "-v", store + ":/store",
		"--entrypoint", argv[0], built[images.Proxy]}, argv[1:]...)...)
}

// unpacked is what an image, or a directory of it, holds, in a directory of this computer.
func unpacked(t *testing.T, image, path string) string {
	t.Helper()
	id := mustDocker(t, "create", "--label", label, image)
	defer mustDocker(t, "rm", "-v", id)
	dir := t.TempDir()
	mustDocker(t, "cp", id+":"+path, filepath.Join(dir, "copy"))
	return filepath.Join(dir, "copy")
}

// jvm is the number of the JVM's process, as this computer counts.
func (c container) jvm(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(mustDocker(t, "top", c.id, "-eo", "pid,comm")) {
		if pid, command, _ := strings.Cut(strings.TrimSpace(line), " "); strings.TrimSpace(command) == "java" {
			return pid
		}
	}
	require.Fail(t, "no JVM runs in the container")
	return ""
}

func newNetwork(t *testing.T) string {
	t.Helper()
	id := mustDocker(t, "network", "create", "--label", label, fmt.Sprintf("twip-test-images-%d", time.Now().UnixNano()))
	t.Cleanup(func() { mustDocker(t, "network", "rm", id) })
	return id
}

// newStore returns an empty volume. Docker gives it the owner that the image's /store has.
func newStore(t *testing.T) string {
	t.Helper()
	name := mustDocker(t, "volume", "create", "--label", label)
	t.Cleanup(func() { mustDocker(t, "volume", "rm", name) })
	return name
}

// newSockets gives a directory for the sockets of each keeper, and that of all of them for "".
func newSockets(t *testing.T) func(name string) string {
	t.Helper()
	all := t.TempDir()
	return func(name string) string {
		directory := filepath.Join(all, name)
		require.NoError(t, os.MkdirAll(directory, 0o750))
		require.NoError(t, os.Chown(directory, boot.StoreUID, boot.StoreUID))
		return directory
	}
}

// await polls until the condition holds.
func await(t *testing.T, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, limit, 50*time.Millisecond, "waited %s for %s", limit, what)
}
