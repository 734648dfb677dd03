package machine

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/local/computer"
)

// containersDocument is the least that has a machine run containers as the program's do.
const containersDocument = `#cloud-config
apt: {conf: 'APT::Install-Recommends "false";'}
package_update: true
packages: [docker.io, docker-cli, amazon-ecr-credential-helper]
write_files:
  - path: /root/.docker/config.json
    content: '{"credsStore": "ecr-login"}'
`

// plainDocument serves its host name on port 80, and holds what cloud-init must hand on unharmed.
const plainDocument = `#cloud-config
write_files:
  - path: /etc/odd
    content: "ä '\"$HOME\\ %s"
  - path: /etc/systemd/system/hello.service
    content: |
      [Service]
      ExecStartPre=/bin/sh -c 'mkdir -p /srv/hello && hostname >/srv/hello/index.html'
      ExecStart=/usr/bin/python3 -m http.server --directory /srv/hello 80
      [Install]
      WantedBy=multi-user.target
runcmd:
  - [systemctl, enable, --now, hello.service]
`

// TestComputer boots machines without the program: what it shows holds for any user data.
func TestComputer(t *testing.T) {
	started := time.Now()
	c := computer.New("test-computer", computer.Options{
		State:    t.TempDir(),
		Region:   "eu-central-1",
		Ports:    map[int]int{80: 0},
		Progress: func(line string) { t.Logf("%6.1f s  %s", time.Since(started).Seconds(), line) },
	})
	require.NoError(t, c.Clean(t.Context()), "what an interrupted run left")
	t.Cleanup(func() {
		require.NoError(t, c.Clean(context.WithoutCancel(t.Context())))
		requireNothingLeft(t, "test-computer", "container", "volume", "network", "image")
	})
	require.NoError(t, c.Ensure(t.Context()))
	again := time.Now()
	require.NoError(t, c.Ensure(t.Context()))
	t.Logf("Ensure when all is there: %.1f s", time.Since(again).Seconds())

	t.Run("containers", func(t *testing.T) { testContainers(t, c) })
	t.Run("volume", func(t *testing.T) { testVolume(t, c) })
	t.Run("address", func(t *testing.T) { testAddress(t, c) })
}

// testContainers has a machine pull by digest under ECR's name, log to CloudWatch, and keep to its memory and its metadata to itself.
func testContainers(t *testing.T, c *computer.Computer) {
	ctx := t.Context()
	const group, repository = "test/hello", "000000000000.dkr.ecr.eu-central-1.amazonaws.com/test-hello"
	dir := t.TempDir()
	dockerfile := "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCMD [\"echo\", \"hello from a container\"]\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o600))
	digest, err := c.Build(ctx, computer.Build{Repository: "test-hello", Tag: "v1", Context: dir, Args: map[string]string{"BASE_IMAGE": c.BaseImage()}})
	require.NoError(t, err)
	has, err := c.HasImage(ctx, repository, digest)
	require.NoError(t, err)
	require.True(t, has)
	has, err = c.HasImage(ctx, repository, "sha256:"+strings.Repeat("0", 64))
	require.NoError(t, err)
	require.False(t, has)
	require.NoError(t, c.EnsureLogGroup(ctx, group))

	launched := time.Now()
	require.NoError(t, c.Launch(ctx, computer.Machine{ID: "i-containers", Name: "containers", Type: "t2.micro", MemoryMiB: 1024, UserData: []byte(containersDocument)}))
	t.Logf("PID 1 runs after %.1f s", time.Since(launched).Seconds())
	awaitBoot(t, c, "i-containers")
	t.Logf("user data is carried out after %.1f s", time.Since(launched).Seconds())
	memory, err := c.Memory(ctx, "i-containers")
	require.NoError(t, err)
	t.Logf("memory of an idle machine with Docker: %d MiB of %d", memory.Used>>20, memory.Limit>>20)
	require.EqualValues(t, 1<<30, memory.Limit)

	t.Run("pull by digest and log", func(t *testing.T) {
		pulled := time.Now()
		on(t, c, "i-containers", "env", "HOME=/root", "docker", "run", "--name", "hello", "--log-driver", "awslogs", "--log-opt", "awslogs-region=eu-central-1",
			"--log-opt", "awslogs-group="+group, "--log-opt", "awslogs-stream=containers/hello", repository+"@"+digest)
		t.Logf("pull and run: %.1f s", time.Since(pulled).Seconds())
		require.Eventually(t, func() bool {
			events, err := c.LogEvents(ctx, group, "containers/")
			return err == nil && len(events) == 1 && events[0].Message == "hello from a container"
		}, 30*time.Second, 100*time.Millisecond)
	})

	t.Run("metadata", func(t *testing.T) {
		const fetch = `token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
curl -s -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/iam/security-credentials/`
		require.Equal(t, "default-role", on(t, c, "i-containers", "sh", "-c", fetch))
		status := on(t, c, "i-containers", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://169.254.169.254/latest/meta-data/")
		require.Equal(t, "401", status, "no answer without a token")

		// The same request from a container: its answer is one hop too far. bash, because the image has no curl.
		_, err := c.Exec(ctx, "i-containers", "docker", "run", "--rm", repository+"@"+digest,
			"timeout", "5", "bash", "-c", "exec 3<>/dev/tcp/169.254.169.254/80")
		require.ErrorContains(t, err, "124", "a container must not reach the metadata service")
	})

	t.Run("memory", func(t *testing.T) {
		// tail keeps its last "line" in memory: all of it. The machine has no swap, and the container no limit of its own.
		_, err := c.Exec(ctx, "i-containers", "docker", "run", "--name", "hog", repository+"@"+digest, "sh", "-c", "tail -c 1500m /dev/zero | exec tail >/dev/null; exit $?")
		require.ErrorContains(t, err, "137", "the machine's limit must have killed it")
		require.Equal(t, "true\n", on(t, c, "i-containers", "docker", "inspect", "--format", "{{.State.OOMKilled}}", "hog"))
		require.Equal(t, "active\n", on(t, c, "i-containers", "systemctl", "is-active", "docker"))
	})
	require.NoError(t, c.Terminate(ctx, "i-containers"))
}

// testVolume follows a volume through a reboot and from one machine to the next.
func testVolume(t *testing.T, c *computer.Computer) {
	ctx := t.Context()
	require.NoError(t, c.CreateVolume(ctx, "vol-data", 1))
	require.NoError(t, c.Launch(ctx, plain("i-first")))
	require.NoError(t, c.AttachVolume(ctx, "vol-data", "i-first", "/dev/xvdf"))
	require.NoError(t, c.AttachVolume(ctx, "vol-data", "i-first", "/dev/xvdf"), "again")
	require.ErrorContains(t, c.DeleteVolume(ctx, "vol-data"), "attached to i-first")
	on(t, c, "i-first", "sh", "-c", "mkfs.ext4 -q -L data /dev/xvdf && mount LABEL=data /mnt && echo kept >/mnt/file")
	require.ErrorContains(t, c.DetachVolume(ctx, "vol-data"), "mounted")

	awaitBoot(t, c, "i-first")
	require.Equal(t, `ä '"$HOME\ %s`, on(t, c, "i-first", "cat", "/etc/odd"))
	before, err := c.State(ctx, "i-first")
	require.NoError(t, err)
	rebooted := time.Now()
	require.NoError(t, c.Reboot(ctx, "i-first"))
	t.Logf("reboot until PID 1 runs: %.1f s", time.Since(rebooted).Seconds())
	after, err := c.State(ctx, "i-first")
	require.NoError(t, err)
	require.Equal(t, before, after, "a machine keeps its address")
	require.Equal(t, "kept\n", on(t, c, "i-first", "sh", "-c", "mount /dev/xvdf /mnt && cat /mnt/file"))

	require.NoError(t, c.Stop(ctx, "i-first"))
	require.NoError(t, c.Stop(ctx, "i-first"), "again")
	state, err := c.State(ctx, "i-first")
	require.NoError(t, err)
	require.Equal(t, computer.Stopped, state.Phase)
	require.NoError(t, c.DetachVolume(ctx, "vol-data"))
	require.NoError(t, c.Terminate(ctx, "i-first"))
	require.NoError(t, c.Terminate(ctx, "i-first"), "again")
	state, err = c.State(ctx, "i-first")
	require.NoError(t, err)
	require.Equal(t, computer.State{Phase: computer.Gone}, state)

	require.NoError(t, c.Launch(ctx, plain("i-second")))
	require.NoError(t, c.AttachVolume(ctx, "vol-data", "i-second", "/dev/xvdf"))
	require.Equal(t, "kept\n", on(t, c, "i-second", "sh", "-c", "mount /dev/xvdf /mnt && cat /mnt/file"))
	require.NoError(t, c.Terminate(ctx, "i-second"), "termination detaches")
	require.NoError(t, c.DeleteVolume(ctx, "vol-data"))
	has, err := c.HasVolume(ctx, "vol-data")
	require.NoError(t, err)
	require.False(t, has)
}

// testAddress leads a port of this computer to one machine, and then to another.
func testAddress(t *testing.T, c *computer.Computer) {
	ctx := t.Context()
	for _, id := range []string{"i-one", "i-two"} {
		require.NoError(t, c.Launch(ctx, plain(id)))
	}
	require.ErrorContains(t, c.Publish(ctx, "eipalloc-1", "i-one", []int{443}), "Options.Ports")
	for _, id := range []string{"i-one", "i-two"} {
		require.NoError(t, c.Publish(ctx, "eipalloc-1", id, []int{80}))
		require.NoError(t, c.Publish(ctx, "eipalloc-1", id, []int{80}), "again")
		where, err := c.Published(ctx, "eipalloc-1")
		require.NoError(t, err)
		require.Contains(t, where[80], "127.0.0.1:")
		require.Eventually(t, func() bool { return get(ctx, "http://"+where[80]) == id+"\n" }, time.Minute, 100*time.Millisecond)
	}
	require.NoError(t, c.Unpublish(ctx, "eipalloc-1"))
	where, err := c.Published(ctx, "eipalloc-1")
	require.NoError(t, err)
	require.Empty(t, where)
}

func plain(id string) computer.Machine {
	return computer.Machine{ID: id, Name: id, Type: "t2.micro", MemoryMiB: 512, UserData: []byte(plainDocument)}
}

// on runs a program on a machine and wants it to succeed.
func on(t *testing.T, c *computer.Computer, id string, argv ...string) string {
	t.Helper()
	out, err := c.Exec(t.Context(), id, argv...)
	require.NoError(t, err, "%s", out)
	return string(out)
}

// awaitBoot waits until cloud-init has carried out the user data without an error, and shows its log otherwise.
func awaitBoot(t *testing.T, c *computer.Computer, id string) {
	t.Helper()
	out, err := c.Exec(t.Context(), id, "cloud-init", "status", "--wait", "--long")
	if err != nil {
		log, _ := c.Exec(t.Context(), id, "sh", "-c", "tail -n 50 /var/log/cloud-init-output.log; grep -E 'WARN|ERROR' /var/log/cloud-init.log")
		require.NoError(t, err, "%s\n%s", out, log)
	}
}

func get(ctx context.Context, url string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close() //nolint:errcheck // it has been read
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func requireNothingLeft(t *testing.T, name string, kinds ...string) {
	t.Helper()
	for _, kind := range kinds {
		args := []string{kind, "ls", "--quiet", "--filter", "label=twip.local=" + name}
		if kind == "container" {
			args = append(args, "--all")
		}
		out, err := exec.Command("docker", args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Empty(t, string(out), "%s objects are left", kind)
	}
	backing, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	require.NoError(t, err)
	for _, file := range backing {
		content, err := os.ReadFile(file)
		if err == nil {
			require.NotContains(t, string(content), "twip."+name+".", "a loop device is left")
		}
	}
}
