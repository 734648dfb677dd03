package boot

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The script on a machine whose Docker and systemd answer what a case says.
func TestGiveUp(t *testing.T) {
	const healthy, starting = "echo healthy", "echo starting"
	for name, tc := range map[string]struct {
		docker, store string        // what docker inspect and systemctl is-active do
		stat          string        // what a look at the store does
		sick          time.Duration // since when the machine knows of a sick container; 0: it does not
		off, noted    bool
	}{
		"all is well":                     {docker: healthy, store: "exit 0"},
		"it has recovered":                {docker: healthy, store: "exit 0", sick: time.Hour},
		"it is sick for the first time":   {docker: starting, store: "exit 0", noted: true},
		"it is sick for a while":          {docker: starting, store: "exit 0", sick: 10 * time.Minute, noted: true},
		"it stays sick":                   {docker: starting, store: "exit 0", sick: time.Hour, noted: true, off: true},
		"the container was never made":    {docker: "exit 1", store: "exit 0", sick: time.Hour, noted: true, off: true},
		"it waits for the store like all": {docker: "exit 1", store: "exit 3", sick: time.Hour},
		"its mount hangs":                 {docker: "exit 1", store: "exit 0", stat: "exit 1", sick: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			program := func(name, text string) {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
			}
			program("docker", tc.docker)
			program("stat", tc.stat)
			program("systemctl", `case $1 in is-active) `+tc.store+` ;; poweroff) touch "$TWIP_RUN/off" ;; esac`)
			since := filepath.Join(dir, "twip-give-up.since")
			if tc.sick > 0 {
				require.NoError(t, os.WriteFile(since, nil, 0o644))
				require.NoError(t, os.Chtimes(since, time.Time{}, time.Now().Add(-tc.sick)))
			}
			command := exec.Command("/bin/sh", "scripts/twip-give-up", "app-1")
			command.Env = []string{"TWIP_RUN=" + dir, "PATH=" + dir + ":/usr/bin:/bin"}
			output, err := command.CombinedOutput()
			require.NoError(t, err, "%s", output)
			require.Equal(t, tc.off, exists(filepath.Join(dir, "off")), "%s", output)
			require.Equal(t, tc.noted, exists(since))
		})
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
