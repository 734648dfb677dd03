package machine

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/boot"
	"twip/infra/local/computer"
)

// storeMachine mounts a file system by the very scripts of production, and runs nothing else.
func storeMachine(t *testing.T, dnsName string) []byte {
	t.Helper()
	document, err := boot.Machine{
		Region: "eu-central-1", Journal: "none", Store: &boot.Store{EFS: &boot.EFS{DNSName: dnsName}},
		Containers: []boot.Container{{
			Name: "none", Image: "none@sha256:" + strings.Repeat("0", 64), LogGroup: "none", MemoryMiB: 64, PIDs: 10,
			StopSeconds: 1, Health: []string{"true"},
		}},
	}.Render()
	require.NoError(t, err)
	return document
}

// TestKernels boots two machines with kernels of their own that share a file system by NFS through a tunnel, and takes
// from them what machines lose.
func TestKernels(t *testing.T) {
	const name, files = "test-kernels", "fs-0123456789abcdef0"
	started := time.Now()
	c := computer.New(name, computer.Options{
		State: t.TempDir(), Region: "eu-central-1",
		Progress: func(line string) { t.Logf("%6.1f s  %s", time.Since(started).Seconds(), line) },
	})
	c.UseKernels(boot.Packages())
	require.NoError(t, c.Clean(t.Context()), "what an interrupted run left")
	t.Cleanup(func() {
		require.NoError(t, c.Clean(context.WithoutCancel(t.Context())))
		requireNothingLeft(t, name, "container", "volume", "network", "image")
	})
	require.NoError(t, c.Ensure(t.Context()))
	require.NoError(t, c.CreateFileSystem(t.Context(), files))

	machines := map[string]string{"i-a": "eu-central-1a", "i-b": "eu-central-1b"}
	for id, zone := range machines {
		require.NoError(t, c.Launch(t.Context(), computer.Machine{
			ID: id, Name: id, Type: "t3.micro", Zone: zone, MemoryMiB: 1024, Group: "group", FileSystem: files,
			UserData: storeMachine(t, files+".efs.eu-central-1.amazonaws.com"),
		}))
	}
	for id := range machines {
		requireMounted(t, c, id)
		t.Logf("%6.1f s  %s has the file system mounted", time.Since(started).Seconds(), id)
	}
	run := func(id string, argv ...string) string {
		t.Helper()
		out, err := c.Exec(t.Context(), id, argv...)
		require.NoError(t, err)
		return strings.TrimSpace(string(out))
	}
	const file = boot.StoreDir + "/hello"

	run("i-a", "sh", "-c", "echo from a >"+file)
	require.Equal(t, "from a", run("i-b", "cat", file))
	require.Contains(t, run("i-a", "stat", "-f", "-c", "%T", boot.StoreDir), "nfs")
	require.Contains(t, run("i-a", "uname", "--kernel-release"), "6.")

	for name, fail := range map[string]func(context.Context) error{"hangs": c.HangStores, "refuses": c.RefuseStores} {
		require.NoError(t, fail(t.Context()), name)
		_, err := c.Exec(t.Context(), "i-b", "timeout", "-s", "KILL", "4", "stat", boot.StoreDir)
		require.Error(t, err, "the store %s", name)
		require.NoError(t, c.RestoreStores(t.Context()), name)
		require.Equal(t, "from a", run("i-b", "cat", file), "a hard mount goes on after the store %s", name)
	}

	require.NoError(t, c.Kill(t.Context(), "i-a"))
	require.NoError(t, c.Start(t.Context(), "i-a"))
	requireMounted(t, c, "i-a")
	require.Equal(t, "from a", run("i-a", "cat", file))
	require.NoError(t, c.Terminate(t.Context(), "i-a"))
}

func requireMounted(t *testing.T, c *computer.Computer, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for {
		_, err := c.Exec(ctx, id, "mountpoint", "--quiet", boot.VolumeDir)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			console, _ := c.Console(context.WithoutCancel(ctx), id)
			lines := strings.Split(console, "\n")
			require.NoError(t, err, "console of %s:\n%s", id, strings.Join(lines[max(0, len(lines)-60):], "\n"))
		case <-time.After(time.Second):
		}
	}
}
