package keeper

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"
)

// linux/prctl.h, linux/seccomp.h.
const (
	prSetDumpable     = 4
	prSetSeccomp      = 22
	prSetNoNewPrivs   = 38
	seccompModeFilter = 2
)

// ErrNotConfined is what a kernel answers that has no system call filters.
var ErrNotConfined = errors.New("this kernel has no system call filters")

// Confine replaces this process by a program that is confined for good: it can start no other program, whatever runs in
// it, look into no other process, signal none but itself, and make no sockets but of TCP; without outbound it can also
// open no connection. What is refused gets the error EPERM. Where the kernel has no filters, before is called with
// ErrNotConfined, and the program starts as it is.
//
// It is the keeper that asks for it (Options.Confine), by a process of its own, since a filter cannot be taken off.
func Confine(argv []string, outbound bool, before func(error)) error {
	if len(argv) == 0 {
		return errors.New("confine: name the program, as in: keeper confine -- java -version")
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return fmt.Errorf("confine: %w", err)
	}
	arguments, err := syscall.SlicePtrFromStrings(argv)
	if err != nil {
		return fmt.Errorf("confine: %w", err)
	}
	environment, err := syscall.SlicePtrFromStrings(syscall.Environ())
	if err != nil {
		return fmt.Errorf("confine: %w", err)
	}
	var c call
	if c.path, err = hidden([]byte(path + "\x00")); err == nil {
		if c.arguments, err = hidden(arguments); err == nil {
			c.environment, err = hidden(environment)
		}
	}
	if err != nil {
		return fmt.Errorf("confine: memory: %w", err)
	}
	// The filter is that of this thread, and the new program's only thread comes of it.
	runtime.LockOSThread()
	if err := setFilter(filter(c, syscall.Getpid(), outbound)); err != nil {
		if !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOSYS) {
			return fmt.Errorf("confine: %w", err)
		}
		before(ErrNotConfined)
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_EXECVE, c.path, c.arguments, c.environment)
	return fmt.Errorf("confine: start %s: %w", path, errno)
}

// call is the one way to start a program that a filter lets through: with these very addresses of its arguments. They
// are drawn at random, and the program that is started by them cannot learn them: its memory is another.
type call struct{ path, arguments, environment uintptr }

// hidden copies something to where nobody finds it.
func hidden[T any](content []T) (uintptr, error) {
	const unit = 16
	size := uintptr(len(content)) * unsafe.Sizeof(content[0])
	var random [2]uint64
	for n := range random {
		var bytes [8]byte
		if _, err := rand.Read(bytes[:]); err != nil {
			return 0, err
		}
		random[n] = binary.NativeEndian.Uint64(bytes[:])
	}
	// Above the first 4 GiB, and below 256 GiB, which every kernel has for programs.
	const least, most, page = 1 << 32, 1 << 38, 1 << 16
	hint := uintptr(least+random[0]%(most-least)) &^ (page - 1)
	start, _, errno := syscall.RawSyscall6(syscall.SYS_MMAP, hint, size+page, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON, ^uintptr(0), 0)
	if errno != 0 {
		return 0, errno
	}
	address := start + uintptr(random[1]%(page/unit))*unit
	copy(unsafe.Slice(*(**T)(unsafe.Pointer(&address)), len(content)), content)
	return address, nil
}

// ConfineVerb is how this program's command is told to Confine; OutboundFlag is its option.
const (
	ConfineVerb  = "confine"
	OutboundFlag = "--outbound"
)

// command is what starts the JVM.
func (o Options) command() []string {
	if !o.Confine {
		return o.Command
	}
	confined := []string{"/proc/self/exe", ConfineVerb}
	if o.Outbound {
		confined = append(confined, OutboundFlag)
	}
	return append(append(confined, "--"), o.Command...)
}

func setFilter(code []instruction) error {
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		return fmt.Errorf("give up new privileges: %w", errno)
	}
	program := struct {
		length uint16
		code   *instruction
	}{uint16(len(code)), &code[0]}
	_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetSeccomp, seccompModeFilter,
		uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(code)
	if errno != 0 {
		return fmt.Errorf("filter system calls: %w", errno)
	}
	return nil
}

// hide keeps other processes of the same user, the JVM above all, from looking into this one.
func hide() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); errno != 0 {
		return fmt.Errorf("hide from other processes: %w", errno)
	}
	return nil
}
