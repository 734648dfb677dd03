package boot

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// machine is a directory with programs that answer what a case says. Whatever starts or ends something leaves a file.
type machine struct {
	t   *testing.T
	dir string
}

func newMachine(t *testing.T, programs map[string]string) machine {
	m := machine{t, t.TempDir()}
	for name, text := range programs {
		path := filepath.Join(m.dir, name)
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	}
	return m
}

func (m machine) run(script string, arguments ...string) (output string, err error) {
	command := exec.Command("/bin/sh", append([]string{"scripts/" + script}, arguments...)...)
	command.Env = []string{"TWIP_RUN=" + m.dir, "TWIP_TUNNEL=" + m.dir + "/tunnel", "PATH=" + m.dir + ":/usr/bin:/bin"}
	text, err := command.CombinedOutput()
	return string(text), err
}

func (m machine) has(name string) bool {
	_, err := os.Stat(filepath.Join(m.dir, name))
	return err == nil
}

// systemctl says that the store's unit is in a state, and notes what it is asked to restart.
func systemctl(state string) string {
	return `case $1 in
is-active) echo ` + state + ` ;;
restart) touch "$TWIP_RUN/restarted-$3" ;;
poweroff) touch "$TWIP_RUN/off" ;;
esac`
}

func TestGiveUp(t *testing.T) {
	const healthy, starting, none = "echo healthy", "echo starting", "exit 1"
	const sees, hangs = "exit 0", "exit 1" // what a look at the store does
	const sick, waiting = "twip-give-up.sick", "twip-give-up.waiting"
	for name, tc := range map[string]struct {
		docker, store, stat string
		since               map[string]time.Duration // what the machine noted, and how long ago
		off                 bool
		noted               string // what it notes now
	}{
		"all is well":                   {docker: healthy, store: "active", stat: sees},
		"it has recovered":              {docker: healthy, store: "active", stat: sees, since: map[string]time.Duration{sick: time.Hour, waiting: time.Hour}},
		"it is sick for the first time": {docker: starting, store: "active", stat: sees, noted: sick},
		"it is sick for a while": {docker: starting, store: "active", stat: sees,
			since: map[string]time.Duration{sick: 10 * time.Minute}, noted: sick},
		"it stays sick": {docker: starting, store: "active", stat: sees,
			since: map[string]time.Duration{sick: 20 * time.Minute}, noted: sick, off: true},
		"it has no store, and stays sick": {docker: starting, store: "inactive",
			since: map[string]time.Duration{sick: 20 * time.Minute}, noted: sick, off: true},
		"the installation never ends": {docker: "exit 127", store: "inactive",
			since: map[string]time.Duration{sick: 20 * time.Minute}, noted: sick, off: true},
		"it waits for the store like all": {docker: none, store: "activating",
			since: map[string]time.Duration{waiting: 30 * time.Minute}, noted: waiting},
		"its mount has failed": {docker: none, store: "failed", noted: waiting},
		"its mount hangs": {docker: none, store: "active", stat: hangs,
			since: map[string]time.Duration{waiting: 30 * time.Minute}, noted: waiting},
		"it waits for ever": {docker: none, store: "active", stat: hangs,
			since: map[string]time.Duration{waiting: 70 * time.Minute}, noted: waiting, off: true},
		"it begins again when the store is back": {docker: starting, store: "active", stat: sees,
			since: map[string]time.Duration{waiting: 50 * time.Minute}, noted: sick},
		"the store goes when it was sick": {docker: starting, store: "active", stat: hangs,
			since: map[string]time.Duration{sick: 20 * time.Minute}, noted: waiting},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, map[string]string{"docker": tc.docker, "stat": tc.stat, "systemctl": systemctl(tc.store)})
			for name, ago := range tc.since {
				path := filepath.Join(m.dir, name)
				require.NoError(t, os.WriteFile(path, nil, 0o644))
				require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(-ago)))
			}
			output, err := m.run("twip-give-up", "app-1")
			require.NoError(t, err, output)
			require.Equal(t, tc.off, m.has("off"), output)
			for _, name := range []string{sick, waiting} {
				require.Equal(t, name == tc.noted, m.has(name), "%s: %s", name, output)
			}
		})
	}
}

// A tunnel that hangs is restarted; containers that hang are, whatever the store does.
func TestWatchdog(t *testing.T) {
	for name, tc := range map[string]struct {
		state, stat string
		tunnel      bool // the machine has one
		restarted   bool
	}{
		"the store answers":          {"active", "exit 0", true, false},
		"the store does not answer":  {"active", "exit 1", true, true},
		"the store is not mounted":   {"activating", "exit 1", true, false},
		"the store is the machine's": {"active", "exit 1", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, map[string]string{"docker": "echo app-1", "stat": tc.stat, "systemctl": systemctl(tc.state)})
			if tc.tunnel {
				require.NoError(t, os.WriteFile(filepath.Join(m.dir, "tunnel"), nil, 0o644))
			}
			output, err := m.run("twip-watchdog")
			require.NoError(t, err, output)
			require.Equal(t, tc.restarted, m.has("restarted-twip-tunnel.service"), output)
			require.True(t, m.has("restarted-twip-app-1.service"), output)
		})
	}
}

// A mount that gets no answer ends, so that it is tried again, through a tunnel that was started anew.
func TestMountThroughATunnelThatHangs(t *testing.T) {
	m := newMachine(t, map[string]string{"mountpoint": "exit 1", "mount": "exit 32", "systemctl": systemctl("activating")})
	output, err := m.run("twip-efs", "mount", filepath.Join(m.dir, "volume"), "10001")
	require.Error(t, err)
	require.Contains(t, output, "restarting the tunnel")
	require.True(t, m.has("restarted-twip-tunnel.service"))
}

// A machine of a group counts the time after which it gives up before anything may take for ever.
func TestDeadlineBeginsFirst(t *testing.T) {
	for name, tc := range map[string]struct {
		machine Machine
		want    bool
	}{"of a group": {group(), true}, "alone": {train(), false}} {
		text, err := tc.machine.Render()
		require.NoError(t, err)
		document, err := ReadDocument(string(text))
		require.NoError(t, err)
		require.Equal(t, tc.want, document.HasDeadline(), name)
	}
}
