package keeper

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// attemptRole is the first argument of the confined program, which has the environment of the one that it comes of.
const attemptRole = "attempt"

// attempts are what a program tries; each says how it went.
var attempts = map[string]func() error{
	"start a program": func() error { return exec.Command("/bin/true").Run() },
	"start itself":    func() error { return exec.Command("/proc/self/exe").Run() },
	"start by descriptor": func() error {
		fd, err := syscall.Open("/bin/true", syscall.O_RDONLY, 0)
		if err != nil {
			return err
		}
		const emptyPath = 0x1000
		return call6(sysExecveat, uintptr(fd), uintptr(unsafe.Pointer(&[]byte("\x00")[0])), 0, 0, emptyPath)
	},
	"trace":   func() error { return call6(syscall.SYS_PTRACE, uintptr(syscall.PTRACE_TRACEME)) },
	"signal":  func() error { return syscall.Kill(os.Getppid(), 0) },
	"all":     func() error { return syscall.Kill(-1, 0) },
	"itself":  func() error { return syscall.Kill(os.Getpid(), 0) },
	"unshare": func() error { return syscall.Unshare(syscall.CLONE_NEWUSER) },
	"clone": func() error {
		return call6(syscall.SYS_CLONE, uintptr(syscall.CLONE_NEWUSER)|uintptr(syscall.CLONE_VM)) // without a stack: it fails anyway
	},
	"io_uring":  func() error { return call6(425, 1, 0) },
	"memfd":     func() error { return call6(sysMemfdCreate, uintptr(unsafe.Pointer(&[]byte("x\x00")[0])), 0) },
	"raw":       func() error { return socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_ICMP) },
	"netlink":   func() error { return socket(syscall.AF_NETLINK, syscall.SOCK_RAW, 0) },
	"packet":    func() error { return socket(syscall.AF_PACKET, syscall.SOCK_RAW, 0) },
	"vsock":     func() error { return socket(40, syscall.SOCK_STREAM, 0) },
	"unix":      func() error { return socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0) },
	"multipath": func() error { return socket(syscall.AF_INET, syscall.SOCK_STREAM, 262) },
	"udp":       func() error { return socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0) },
	"tcp": func() error {
		return socket(syscall.AF_INET6, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, syscall.IPPROTO_TCP)
	},
	"listen": func() error {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err == nil {
			err = l.Close()
		}
		return err
	},
	"connect": func() error {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		return syscall.Connect(fd, &syscall.SockaddrInet4{Port: 1, Addr: [4]byte{127, 0, 0, 1}})
	},
	"fast open": func() error {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		return syscall.Sendto(fd, []byte("x"), fastOpen, &syscall.SockaddrInet4{Port: 1, Addr: [4]byte{127, 0, 0, 1}})
	},
	"fast open by a message": func() error {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		return syscall.Sendmsg(fd, []byte("x"), nil, &syscall.SockaddrInet4{Port: 1, Addr: [4]byte{127, 0, 0, 1}}, fastOpen)
	},
}

func call6(number uintptr, arguments ...uintptr) error {
	var a [6]uintptr
	copy(a[:], arguments)
	if _, _, errno := syscall.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
		return errno
	}
	return nil
}

func socket(family, kind, protocol int) error {
	fd, err := syscall.Socket(family, kind, protocol)
	if err == nil {
		err = syscall.Close(fd)
	}
	return err
}

func TestConfine(t *testing.T) {
	const refused, fine = "operation not permitted", "<nil>"
	for attempt, want := range map[string]struct{ confined, outbound string }{
		"start a program":     {refused, refused},
		"start itself":        {refused, refused},
		"start by descriptor": {refused, refused},
		"trace":               {refused, refused}, "signal": {refused, refused}, "all": {refused, refused}, "itself": {fine, fine},
		"unshare": {refused, refused}, "clone": {refused, refused}, "io_uring": {refused, refused}, "memfd": {refused, refused},
		"raw": {refused, refused}, "netlink": {refused, refused}, "packet": {refused, refused}, "vsock": {refused, refused},
		"unix": {refused, refused}, "multipath": {refused, refused}, "udp": {refused, fine}, "tcp": {fine, fine}, "listen": {fine, fine},
		"connect":                {refused, "connection refused"},
		"fast open":              {refused, "connection refused"},
		"fast open by a message": {refused, "connection refused"},
	} {
		t.Run(attempt, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, confined(t, "inside", attempt), want.confined)
			require.Contains(t, confined(t, "outbound", attempt), want.outbound)
		})
	}
	require.Len(t, attempts, 23, "each is in the table")
}

// confined has this program try something, confined.
func confined(t *testing.T, how, attempt string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "/proc/self/exe", how, "/proc/self/exe", attemptRole, attempt)
	command.Env = append(os.Environ(), "KEEPER_TEST_ROLE=confined")
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Sprint(err, string(out))
	}
	return strings.TrimSpace(string(out))
}
