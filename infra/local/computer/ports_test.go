package computer

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// listen has a program, this one, take a port.
func listen(t *testing.T, address string) int {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	return listener.Addr().(*net.TCPAddr).Port
}

// dockerAnswers has a script answer for Docker.
func dockerAnswers(t *testing.T, script string) {
	t.Helper()
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

func TestATakenPortIsNoticedWithWhoHasIt(t *testing.T) {
	self, err := os.ReadFile("/proc/self/comm")
	require.NoError(t, err)
	for name, address := range map[string]string{"loopback": "127.0.0.1:0", "everywhere": "0.0.0.0:0", "IPv6 too": ":0"} {
		t.Run(name, func(t *testing.T) {
			dockerAnswers(t, "exit 1")
			port := listen(t, address)
			err := New("test", Options{Ports: map[int]int{80: port, 1936: 0}}).PortsFree(t.Context())
			require.ErrorContains(t, err, fmt.Sprintf("port %d of 127.0.0.1 is taken by %s (process %d)",
				port, strings.TrimSpace(string(self)), os.Getpid()))
		})
	}
}

func TestAPortOfAContainer(t *testing.T) {
	for name, tc := range map[string]struct{ script, err string }{
		"somebody else's": {`case "$*" in *--format*) echo "container web" ;; esac`, "is taken by container web"},
		"another stack's": {`case "$*" in *--quiet*) echo 123 ;; inspect*) echo staging ;; *) echo "container a" ;; esac`,
			"is taken by container a"},
		"our own":              {`case "$*" in *--quiet*) echo 123 ;; inspect*) echo train ;; esac`, ""},
		"our own, from before": {`case "$*" in *--quiet*) echo 123 ;; inspect*) echo ;; esac`, ""},
		"with a label that is ours": {
			`case "$*" in *twip.local=test*twip.address*) echo 123 ;; inspect*) echo train ;; esac`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dockerAnswers(t, tc.script)
			err := New("test",
				Options{Stack: "train", Ports: map[int]int{80: listen(t, "127.0.0.1:0")}}).PortsFree(t.Context())
			if tc.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.err)
			}
		})
	}
}

func TestFreePorts(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	require.NoError(t, New("test", Options{Ports: map[int]int{80: port, 1936: 0}}).PortsFree(t.Context()))
}
