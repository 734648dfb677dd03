package boot

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The script on a machine that has some packages, with an archive that fails once.
func TestInstall(t *testing.T) {
	for name, tc := range map[string]struct {
		there []string
		asked bool
	}{
		"nothing is there":        {nil, true},
		"one is missing":          {[]string{"docker.io"}, true},
		"a machine image has all": {[]string{"docker.io", "docker-cli"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			program := func(name, text string) {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
			}
			// As dpkg-query does: a line for each that is known, and no success when one is not.
			program("dpkg-query", "for p in "+strings.Join(tc.there, " ")+"; do echo installed; done; exit 1")
			program("apt-get", `echo "$@" >>`+dir+`/asked; [ "$1" = install ] || [ "$(wc -l <`+dir+`/asked)" -gt 1 ]`)
			program("sleep", "")
			command := exec.Command("/bin/sh", "scripts/twip-install", "docker.io", "docker-cli")
			command.Env = []string{"PATH=" + dir + ":/usr/bin:/bin"}
			output, err := command.CombinedOutput()
			require.NoError(t, err, "%s", output)
			asked, err := os.ReadFile(filepath.Join(dir, "asked"))
			require.Equal(t, tc.asked, err == nil)
			if tc.asked {
				require.Contains(t, string(asked), "install -q -y --no-install-recommends -o DPkg::Lock::Timeout=600 docker.io docker-cli")
			}
		})
	}
}
