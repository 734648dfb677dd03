package machine

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/boot"
	"twip/infra/local/computer"
	"twip/tests/storemachine"
)

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
			UserData: storemachine.UserData(t, files+".efs.eu-central-1.amazonaws.com"),
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

	require.NoError(t, c.RestartStores(t.Context()))
	require.Equal(t, "from a", run("i-b", "cat", file), "what was synced outlives the store's server")
	require.NoError(t, c.RefuseTarget(t.Context(), machines["i-a"]))
	require.Equal(t, "from a", run("i-b", "cat", file), "the mount target of another zone")
	require.NoError(t, c.RestoreTarget(t.Context(), machines["i-a"]))

	require.NoError(t, c.Kill(t.Context(), "i-a"))
	require.NoError(t, c.Start(t.Context(), "i-a"))
	requireMounted(t, c, "i-a")
	require.Equal(t, "from a", run("i-a", "cat", file))
	t.Run("firewall", func(t *testing.T) { keepsToItsFirewall(t, c, run) })
	require.NoError(t, c.Terminate(t.Context(), "i-a"))
}

// keepsToItsFirewall lets one machine ask the other on one port, and the store, and sees all else dropped.
func keepsToItsFirewall(t *testing.T, c *computer.Computer, run func(string, ...string) string) {
	addresses := map[string]netip.Addr{}
	for _, id := range []string{"i-a", "i-b"} {
		state, err := c.State(t.Context(), id)
		require.NoError(t, err)
		addresses[id] = netip.MustParseAddr(state.PrivateIP)
	}
	run("i-b", "sh", "-c", "for port in 8080 8082; do "+
		"systemd-run --quiet python3 -m http.server --directory /etc/systemd $port; done")
	asks := func(from, where string) error {
		_, err := c.Exec(t.Context(), from, "curl", "--silent", "--show-error", "--max-time", "5", "--output", "/dev/null", where)
		return err
	}
	b := "http://" + addresses["i-b"].String()
	require.Eventually(t, func() bool { return asks("i-a", b+":8080") == nil && asks("i-a", b+":8082") == nil }, 2*time.Minute, time.Second)

	only := func(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }
	wall := computer.Firewall{
		Machines: []netip.Addr{addresses["i-a"], addresses["i-b"]}, Inside: []netip.Addr{addresses["i-a"], addresses["i-b"]},
		Between: []computer.Flow{{From: only(addresses["i-a"]), To: only(addresses["i-b"]), Protocol: "tcp", Ports: [2]int{8080, 8080}}},
		Stores:  []netip.Addr{addresses["i-b"]},
	}
	require.NoError(t, c.SetZoneFirewalls(t.Context(), wall))
	require.NoError(t, asks("i-a", b+":8080"))
	require.ErrorContains(t, asks("i-a", b+":8082"), "timed out")
	require.NoError(t, asks("i-a", "http://169.254.169.254/"), "the metadata service needs no rule")
	store := "host=$(getent hosts fs-0123456789abcdef0.efs.eu-central-1.amazonaws.com); exec 3<>/dev/tcp/${host%% *}/2049"
	_, err := c.Exec(t.Context(), "i-a", "timeout", "4", "bash", "-c", store)
	require.Error(t, err, "the store is not for this one any more")
	run("i-b", "timeout", "20", "bash", "-c", store)
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
