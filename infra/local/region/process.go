package region

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"twip/infra/local/computer"
)

// Config is what a controller is started with.
type Config struct {
	Dir      string // its own files
	World    string // the file in which the providers record what exists
	Name     string // of the local cloud
	Options  Options
	Machines string // Containers or Kernels
}

// Options are computer.Options, as far as they can be written to a file.
type Options struct {
	State, Stack string
	Ports        map[int]int
}

func (c Config) path(name string) string { return filepath.Join(c.Dir, name) }

// file is where a directory's configuration is written down.
func (c Config) file() string { return c.path("config.json") }

// read reads the configuration of the directory.
func (c Config) read() (Config, error) {
	text, err := os.ReadFile(c.file())
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return c, fmt.Errorf("controller's configuration: %w", err)
	}
	return c, nil
}

// variable tells a process that it is the controller of a directory. It is also how a controller is found again.
const variable = "TWIP_REGION"

// say writes the controller's log. Pulumi's packages silence the standard logger.
var say = log.New(os.Stderr, "", log.LstdFlags)

// Main runs the controller if this process was started as one, and does not return then. Every program that starts
// controllers calls it first.
func Main() {
	dir := os.Getenv(variable)
	if dir == "" {
		return
	}
	if err := os.Unsetenv(variable); err != nil { // what it starts is no controller
		say.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, dir); err != nil {
		say.Print(err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve(ctx context.Context, dir string) error {
	config, err := Config{Dir: dir}.read()
	if err != nil {
		return err
	}
	// One at a time, also when two commands start one each.
	lock, err := os.OpenFile(config.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another controller runs: %w", err)
	}
	pc := computer.New(config.Name, computer.Options{State: config.Options.State, Stack: config.Options.Stack,
		Ports: config.Options.Ports, Progress: func(line string) { say.Print(line) }})
	if err := pc.Ensure(ctx); err != nil {
		return err
	}
	machines, err := openMachines(config.Machines, pc)
	if err != nil {
		return err
	}
	gateway, err := pc.Gateway(ctx)
	if err != nil {
		return err
	}
	api, err := listen(gateway.String(), config.path("api"))
	if err != nil {
		return err
	}
	control, err := listen("127.0.0.1", config.path("control"))
	if err != nil {
		return err
	}
	c := &Controller{
		config: config, machines: machines, computer: pc, say: say.Printf,
		busy: map[string]bool{}, after: map[string]time.Time{}, cut: map[string]bool{}, paused: map[string]bool{},
		lb: &balancer{dir: config.path("lb"), computer: pc, names: pc.ServiceHosts(), api: api.Addr().String()},
	}
	for port := range config.Options.Ports {
		c.lb.ports = append(c.lb.ports, port)
	}
	slices.Sort(c.lb.ports)
	go http.Serve(api, c.api())         //nolint:errcheck // ends with the process
	go http.Serve(control, c.control()) //nolint:errcheck // ends with the process
	return c.Run(ctx)
}

// replaceFile writes a file so that whoever reads it finds all of it, also after a kill.
func replaceFile(name string, content []byte) error {
	if err := os.WriteFile(name+".next", content, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".next", name)
}

// listen takes the port of the time before, if it is free, and writes down where it listens.
func listen(host, file string) (net.Listener, error) {
	if old, err := os.ReadFile(file); err == nil {
		if l, err := net.Listen("tcp", strings.TrimSpace(string(old))); err == nil {
			return l, nil
		}
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	return l, os.WriteFile(file, []byte(l.Addr().String()+"\n"), 0o600)
}

// Start has a controller of this program run with this configuration. One that runs with the same is left alone.
func Start(ctx context.Context, config Config) error {
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return err
	}
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	old, err := os.ReadFile(config.file())
	if err == nil && string(old) == string(text) && sameProgram(config.Dir, program) && Open(config.Dir).alive(ctx) {
		return nil
	}
	if err := Stop(config.Dir); err != nil {
		return err
	}
	if err := replaceFile(config.file(), text); err != nil {
		return err
	}
	output, err := os.OpenFile(config.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer output.Close()
	controller := exec.Command("/proc/self/exe")
	controller.Env = append(os.Environ(), variable+"="+config.Dir)
	controller.Dir = "/"
	controller.Stdout, controller.Stderr = output, output
	controller.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := computer.KeepFromChildren(); err != nil {
		return err
	}
	if err := controller.Start(); err != nil {
		return fmt.Errorf("controller: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- controller.Wait() }()
	return await(ctx, config, ended)
}

func await(ctx context.Context, config Config, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for !Open(config.Dir).alive(ctx) {
		select {
		case err := <-ended:
			return fmt.Errorf("controller ended (%w): its log ends with: %s", err, Open(config.Dir).Log(5))
		case <-ctx.Done():
			return fmt.Errorf("controller does not answer: %w: its log ends with: %s", ctx.Err(), Open(config.Dir).Log(5))
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// Stop ends the controllers of a directory and of those below it. That there is none is no error. Machines go on.
func Stop(dir string) error {
	var problems []error
	for pid := range controllers(dir) {
		problems = append(problems, end(pid, dir))
	}
	return errors.Join(problems...)
}

func end(pid int, dir string) error {
	const patience = 10 * time.Second
	sig := syscall.SIGTERM
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if controllers(dir)[pid] == "" {
			return nil
		}
		if time.Since(begun) > patience {
			sig = syscall.SIGKILL
		}
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("controller (process %d): %w", pid, err)
		}
	}
}

// controllers are the processes that control a directory or one below it, with their programs. What they were started
// with tells them from all others, whatever files are left.
func controllers(dir string) map[int]string {
	found := map[int]string{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return found
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		environment, err := os.ReadFile("/proc/" + entry.Name() + "/environ")
		if err != nil {
			continue // another user's, or ended
		}
		for pair := range strings.SplitSeq(string(environment), "\x00") {
			value, ours := strings.CutPrefix(pair, variable+"=")
			if ours && (value == dir || strings.HasPrefix(value, dir+"/")) {
				program, err := os.Readlink("/proc/" + entry.Name() + "/exe")
				if err == nil { // one that has ended has none
					found[pid] = program
				}
			}
		}
	}
	return found
}

// sameProgram says whether the controller of a directory is of this very build.
func sameProgram(dir, program string) bool {
	for _, its := range controllers(dir) {
		if strings.TrimSuffix(its, " (deleted)") == program {
			return true
		}
	}
	return false
}
