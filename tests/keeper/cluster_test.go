package keeper_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/tests/dockertest"
)

// prefix names every Docker object that these tests make; what carries it is removed before and after.
const prefix = "twip-keeper-test-"

var docker = dockertest.Docker

// removeAll removes what these tests made, in this run or in one that was killed. Images stay in the builder's
// cache, which makes the next run fast, but lose their names.
func removeAll() error {
	for _, object := range []struct{ list, remove []string }{
		{[]string{"ps", "-aq", "--filter", "name=^" + prefix}, []string{"rm", "-fv"}},
		{[]string{"volume", "ls", "-q", "--filter", "name=^" + prefix}, []string{"volume", "rm", "-f"}},
		{[]string{"network", "ls", "-q", "--filter", "name=^" + prefix}, []string{"network", "rm"}},
		{[]string{"images", "--format", "{{.Repository}}:{{.Tag}}", prefix + "app"}, []string{"rmi", "--no-prune"}},
	} {
		if err := dockertest.Each(object.list, object.remove); err != nil {
			return err
		}
	}
	return nil
}

// cluster is some servers on one store.
type cluster struct {
	t       *testing.T
	name    string
	store   string // the volume's directory on this computer
	servers []*server
}

// server is a container with a keeper.
type server struct {
	name string

	mu      sync.Mutex
	ip      string
	pid     int // of the keeper, on this computer
	healthy bool
	leads   bool
	broken  func() // undoes a fault that a restart does not
}

// newCluster makes the store, has prepare fill it, and starts servers. All ends with the test.
func newCluster(t *testing.T, servers int, prepare func(store string)) *cluster {
	t.Helper()
	c := &cluster{t: t, name: prefix + strconv.FormatInt(time.Now().UnixNano()%1e9, 36)}
	t.Cleanup(c.remove)
	c.docker("network", "create", c.name)
	c.docker("volume", "create", c.name)
	// A first container, which never runs, gives the volume the owner that the image's directory has.
	c.docker("create", "--name", c.name+"-owner", "--volume", c.name+":/store", image)
	c.docker("rm", c.name+"-owner")
	c.store = c.docker("volume", "inspect", "--format", "{{.Mountpoint}}", c.name)
	if prepare != nil {
		prepare(c.store)
	}
	for i := range servers {
		s := &server{name: fmt.Sprintf("%s-%d", c.name, i+1)}
		c.servers = append(c.servers, s)
		c.docker(append(c.container(s.name), image)...)
		c.found(s)
	}
	c.awaitLeader()
	return c
}

// container is the beginning of a `docker run` with the restrictions that containers have on a machine.
func (c *cluster) container(name string) []string {
	return []string{"run", "--detach", "--name", name, "--network", c.name, "--volume", c.name + ":/store",
		"--read-only", "--tmpfs", "/run:mode=1777", "--tmpfs", "/tmp:mode=1777", "--cap-drop", "ALL",
		"--security-opt", "no-new-privileges", "--user", "10001:10001", "--memory", "640m", "--pids-limit", "300"}
}

func (c *cluster) docker(args ...string) string {
	c.t.Helper()
	out, err := docker(args...)
	require.NoError(c.t, err)
	return out
}

func (c *cluster) remove() {
	for _, s := range c.servers {
		if c.t.Failed() {
			logs, err := exec.Command("docker", "logs", "--tail", "25", s.name).CombinedOutput()
			c.t.Logf("%s (%v):\n%s", s.name, err, logs)
		}
		s.mend()
		if _, err := docker("rm", "-fv", s.name); err != nil {
			c.t.Error(err)
		}
	}
	for _, object := range []string{"volume", "network"} {
		if _, err := docker(object, "rm", c.name); err != nil {
			c.t.Error(err)
		}
	}
}

// found looks up where a container that was just started is.
func (c *cluster) found(s *server) {
	c.t.Helper()
	out := c.docker("inspect", "--format", "{{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", s.name)
	fields := strings.Fields(out)
	require.Len(c.t, fields, 2, "%s does not run: %q", s.name, out)
	pid, err := strconv.Atoi(fields[0])
	require.NoError(c.t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pid, s.ip = pid, fields[1]
}

// start starts a container that has ended, and returns at once if it runs.
func (c *cluster) start(s *server) {
	c.t.Helper()
	c.docker("start", s.name)
	c.found(s)
}

var admin = &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// look asks a server for its health, as a load balancer does, and whether it leads.
func (s *server) look() {
	s.mu.Lock()
	ip := s.ip
	s.mu.Unlock()
	var status struct {
		Healthy bool
		Role    string
	}
	resp, err := admin.Get("http://" + ip + ":8082/health")
	if err == nil {
		err = json.NewDecoder(resp.Body).Decode(&status)
		resp.Body.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.healthy = err == nil && status.Healthy
	s.leads = err == nil && status.Role == "leader"
}

func (c *cluster) leader() *server {
	for _, s := range c.servers {
		s.look()
		if s.leads {
			return s
		}
	}
	return nil
}

func (c *cluster) awaitLeader() *server {
	c.t.Helper()
	var leader *server
	require.Eventually(c.t, func() bool { leader = c.leader(); return leader != nil }, 2*time.Minute, 50*time.Millisecond, "no server leads")
	return leader
}

// keeperPID and jvmPID are process numbers on this computer; 0 if there is none.
func (s *server) keeperPID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pid
}

func (s *server) jvmPID() int {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.keeperPID()))
	if err != nil {
		return 0
	}
	for _, file := range files {
		children, err := os.ReadFile(file)
		if err != nil {
			continue // the thread ended
		}
		for _, child := range strings.Fields(string(children)) {
			if pid, err := strconv.Atoi(child); err == nil {
				return pid
			}
		}
	}
	return 0
}

// signal sends one of this test's own processes a signal. Process 0 would be this test's whole group.
func signal(pid int, sig syscall.Signal) error {
	if pid == 0 {
		return nil
	}
	if err := syscall.Kill(pid, sig); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// hideStore puts an unreadable file system over the server's store, with this computer's programs.
func (s *server) hideStore() error {
	target := strconv.Itoa(s.keeperPID())
	out, err := exec.Command("mount", "--namespace", target, "-t", "tmpfs", "-o", "mode=000", "none", "/store").CombinedOutput()
	if err != nil {
		return fmt.Errorf("hide the store of %s: %w: %s", s.name, err, out)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = func() { _ = exec.Command("umount", "--namespace", target, "/store").Run() } // gone with the container
	return nil
}

func (s *server) mend() {
	s.mu.Lock()
	undo := s.broken
	s.broken = nil
	s.mu.Unlock()
	if undo != nil {
		undo()
	}
}
