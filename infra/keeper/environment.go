package keeper

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// computer is the Environment of a keeper that runs for real.
type computer struct {
	options   Options
	processes *processes
	began     time.Time
	client    *http.Client // for probes

	mu  sync.Mutex
	jvm *jvm // the latest, for signals passed on
}

func newComputer(o Options) (*computer, error) {
	p, err := newProcesses()
	if err != nil {
		return nil, err
	}
	return &computer{options: o, processes: p, began: time.Now(),
		client: &http.Client{Timeout: probeTimeout, Transport: transport()}}, nil
}

const probeTimeout = 300 * time.Millisecond

func (c *computer) Now() time.Duration { return time.Since(c.began) }

func (c *computer) Go(run func()) { go run() }

func (c *computer) Wait(d time.Duration, wake ...<-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	if len(wake) == 1 { // what every request waits for
		select {
		case <-timer.C:
		case <-wake[0]:
		}
		return
	}
	cases := []reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(timer.C)}}
	for _, w := range wake {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(w)})
	}
	reflect.Select(cases)
}

func (c *computer) Probe(address, holder string) Reach {
	req, err := http.NewRequest(http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return NoAnswer
	}
	req.Header.Set(probeHeader, holder)
	resp, err := c.client.Do(req)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case err != nil:
		return NoAnswer
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return NoAnswer
	}
	return Leading
}

func (c *computer) Start(epoch uint64) (JVM, error) {
	j, err := c.run(filepath.Join(c.options.Store, filepath.FromSlash(DataDir(epoch))))
	if err != nil {
		return nil, err
	}
	return j, nil
}

// run starts the command with dir as the directory that it writes to.
func (c *computer) run(dir string) (*jvm, error) {
	if err := c.link(dir); err != nil {
		return nil, err
	}
	p, err := c.processes.start(c.options.command())
	if err != nil {
		return nil, err
	}
	j := &jvm{process: p, options: c.options, began: time.Now()}
	c.mu.Lock()
	c.jvm = j
	c.mu.Unlock()
	go j.watch()
	return j, nil
}

// link makes the path that the application writes to lead to dir.
func (c *computer) link(dir string) error {
	tmp := c.options.Link + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return errors.Join(os.Symlink(dir, tmp), os.Rename(tmp, c.options.Link))
}

// lock keeps a second keeper of the same container from moving the link under the first one's JVM. It holds as
// long as the process lives.
func (c *computer) lock() error {
	if err := os.MkdirAll(filepath.Dir(c.options.Link), 0o755); err != nil {
		return err
	}
	name := c.options.Link + ".lock"
	fd, err := syscall.Open(name, syscall.O_CREAT|syscall.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	if err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("lock %s: %w; another keeper uses --link %s: give each its own", name, err, c.options.Link)
	}
	return nil
}

func (c *computer) signal(s syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.jvm != nil {
		c.jvm.process.signal(s)
	}
}

// jvm is a JVM that runs for real.
type jvm struct {
	process *process
	options Options
	began   time.Time
	last    atomic.Int64 // when it last answered, in nanoseconds since began; 0 is never
}

func (j *jvm) Exited() <-chan struct{} { return j.process.exited }
func (j *jvm) Ready() bool             { return j.last.Load() != 0 }
func (j *jvm) Stop()                   { j.process.signal(syscall.SIGTERM) }
func (j *jvm) Kill()                   { j.process.signal(syscall.SIGKILL) }

func (j *jvm) Silent() time.Duration {
	if last := j.last.Load(); last != 0 {
		return time.Since(j.began) - time.Duration(last)
	}
	return 0
}

// watch asks the JVM for answers until it is dead: first for one of the application, then for any.
func (j *jvm) watch() {
	client := &http.Client{Timeout: j.options.Timing.Start, Transport: transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	path, pause := j.options.ReadyPath, 25*time.Millisecond
	for !closed(j.process.exited) {
		ctx, cancel := context.WithTimeout(context.Background(), client.Timeout)
		if answers(ctx, client, "http://"+j.options.Backend+path) {
			j.last.Store(int64(time.Since(j.began))) // not when it was asked: the first answer may take its time
			path, pause, client.Timeout = alivePath, time.Second, j.options.Timing.Hang
		}
		cancel()
		select {
		case <-j.process.exited:
		case <-time.After(pause):
		}
	}
}

// alivePath is no page of the application: any answer to it shows that the JVM works, and it costs no session.
const alivePath = "/.keeper"

func answers(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode < http.StatusInternalServerError
}
