package keeper

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// processes starts children and reaps them, and every orphan that a container's PID 1 inherits. There may be
// one in a program, which must not wait for children in any other way.
type processes struct {
	mu      sync.Mutex
	running map[int]*process
}

// process is a child and the process group that it leads.
type process struct {
	pid    int
	exited chan struct{} // closed once the whole group is gone
}

const prSetChildSubreaper = 36 // linux/prctl.h

func newProcesses() (*processes, error) {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0); errno != 0 {
		return nil, fmt.Errorf("become the reaper of orphans: %w", errno)
	}
	p := &processes{running: map[int]*process{}}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGCHLD)
	go func() {
		for range signals {
			p.reap()
		}
	}()
	return p, nil
}

// start starts argv in a process group of its own that is killed when this program ends.
func (p *processes) start(argv []string) (*process, error) {
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return nil, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	child := &process{exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the parent-death signal when the thread that forked ends, so that has to stay.
		runtime.LockOSThread()
		p.mu.Lock()
		pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{
			Env:   os.Environ(),
			Files: []uintptr{null.Fd(), os.Stdout.Fd(), os.Stderr.Fd()},
			Sys:   &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
		})
		if err == nil {
			child.pid = pid
			p.running[pid] = child
		}
		p.mu.Unlock()
		started <- err
		if err == nil {
			<-child.exited
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return child, nil
}

func (p *processes) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if child := p.running[pid]; child != nil {
			delete(p.running, pid)
			go child.finish()
		}
	}
}

// finish ends what the child started and left behind; only then is nobody left to write the child's files.
func (c *process) finish() {
	for syscall.Kill(-c.pid, syscall.SIGKILL) == nil {
		time.Sleep(10 * time.Millisecond)
	}
	close(c.exited)
}

func (c *process) signal(s syscall.Signal) {
	if !closed(c.exited) {
		_ = syscall.Kill(c.pid, s) // the process may have ended meanwhile
	}
}
