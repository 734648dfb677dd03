package nfs

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/boot"
	"twip/infra/load"
	"twip/infra/local/computer"
	"twip/tests/dockertest"
	"twip/tests/storemachine"
)

const (
	stack      = "test-nfs"
	fileSystem = "fs-0123456789abcdef1"
	share      = fileSystem + ".efs.eu-central-1.amazonaws.com"

	rate      = 12 // requests a second, as many as such machines bear together
	postShare = 0.6
)

// site is two machines with kernels of their own that mount one file system, each with a keeper.
type site struct {
	*computer.Computer
	t       *testing.T
	servers []*server
	titles  string // what those of the load begin with
	began   time.Time

	load *load.Load
}

// server is a machine with a keeper.
type server struct {
	id, address string

	mu             sync.Mutex
	healthy, leads bool
}

// newSite boots the machines. All of it ends with the test.
func newSite(t *testing.T) *site {
	s := &site{t: t, began: time.Now()}
	s.Computer = computer.New(stack, computer.Options{State: t.TempDir(), Region: "eu-central-1", Progress: s.say})
	s.UseKernels(boot.Packages())
	require.NoError(t, s.Clean(t.Context()), "what an interrupted run left")
	t.Cleanup(func() {
		if t.Failed() {
			s.explain()
		}
		require.NoError(t, s.Clean(context.WithoutCancel(t.Context())))
	})
	require.NoError(t, s.Ensure(t.Context()))
	require.NoError(t, s.CreateFileSystem(t.Context(), fileSystem))
	for _, zone := range []string{"a", "b"} {
		m := &server{id: "i-" + zone}
		require.NoError(t, s.Launch(t.Context(), computer.Machine{
			ID: m.id, Name: m.id, Type: "t3.micro", Zone: "eu-central-1" + zone, MemoryMiB: 512, Group: "group",
			FileSystem: fileSystem, UserData: storemachine.UserData(t, share),
		}))
		state, err := s.State(t.Context(), m.id)
		require.NoError(t, err)
		m.address = state.PrivateIP
		s.servers = append(s.servers, m)
	}
	for _, m := range s.servers {
		s.eventually(3*time.Minute, func() error { return s.try(m, "mountpoint", "--quiet", boot.VolumeDir) })
		// Of a machine's units, only those are wanted that mount the store.
		s.run(m, "sh", "-c", "systemctl disable --now twip-none.service twip-watchdog.timer 2>&1")
	}
	s.say("both machines have the file system mounted")
	return s
}

func (s *site) say(line string) { fmt.Printf("%6.1f s  %s\n", time.Since(s.began).Seconds(), line) }

func (s *site) eventually(patience time.Duration, do func() error) {
	s.t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if err = do(); err == nil {
			return
		}
	}
	require.NoError(s.t, err, "after %s", patience)
}

// explain shows what keepers said last.
func (s *site) explain() {
	for _, m := range s.servers {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), 20*time.Second)
		said, err := s.Exec(ctx, m.id, "sh", "-c", "journalctl --unit twip-test-keeper --lines 25 --output cat; "+
			"grep "+boot.VolumeDir+" /proc/mounts; timeout -s KILL 5 ls "+boot.StoreDir)
		cancel()
		s.t.Logf("%s (%v):\n%s", m.id, err, said)
	}
}

func (s *site) try(m *server, argv ...string) error {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	_, err := s.Exec(ctx, m.id, argv...)
	return err
}

func (s *site) run(m *server, argv ...string) {
	s.t.Helper()
	require.NoError(s.t, s.try(m, argv...))
}

// container runs a program in the container of a machine or of the file system's server: beside its kernel.
func container(id string, argv ...string) error {
	_, err := dockertest.Docker(append([]string{"exec", containerOf(id)}, argv...)...)
	return err
}

func containerOf(id string) string { return "twip-" + stack + "-" + id }

// unit runs a keeper and what stands in for its JVM, on a store of its own.
const unit = `[Unit]
RequiresMountsFor=/var/lib/twip/volume
After=twip-store.service
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/local/bin/keeper-%[1]s serve --store %[2]s/%[1]s --advertise %[3]s:8080 --backend 127.0.0.1:8081 --ready-path / -- /usr/local/bin/standin -listen :8081 -dir /run/keeper/persistence/files
ExecStartPre=mkdir -p %[2]s/%[1]s
RuntimeDirectory=keeper
Restart=always
RestartSec=100ms
KillMode=mixed
TimeoutStopSec=60
[Install]
WantedBy=multi-user.target
`

// serve has the machines run a keeper, under a load, until the end that it returns.
func (s *site) serve(name, program string) (end func() []load.Sample) {
	standin := build(s.t, "./standin", "")
	for _, m := range s.servers {
		file := filepath.Join(s.t.TempDir(), "keeper.service")
		require.NoError(s.t, os.WriteFile(file, fmt.Appendf(nil, unit, name, boot.StoreDir, m.address), 0o600))
		for from, to := range map[string]string{
			program: "keeper-" + name, standin: "standin", file: "twip-test-keeper.service",
		} {
			_, err := dockertest.Docker("cp", from, containerOf(m.id)+":/seed/"+to)
			require.NoError(s.t, err)
		}
		s.run(m, "sh", "-c", "set -e; cd /var/lib/cloud/seed/nocloud; install keeper-"+name+" standin /usr/local/bin; "+
			"cp twip-test-keeper.service /etc/systemd/system; systemctl daemon-reload; "+
			"systemctl enable twip-test-keeper 2>&1; systemctl restart twip-test-keeper")
	}
	s.titles = "nfs-" + name
	b := &balancer{servers: s.servers, transport: &http.Transport{MaxIdleConnsPerHost: 100,
		DialContext: (&net.Dialer{Timeout: time.Second}).DialContext}}
	s.eventually(2*time.Minute, s.healthy)
	s.say("both servers are healthy")
	s.load = load.Start(load.Options{URL: "http://site", Transport: b, Rate: rate, Posts: postShare,
		Titles: s.titles, Header: "Keeper-Refused"})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			for _, m := range s.servers {
				m.look()
			}
			select {
			case <-stop:
				return
			case <-time.After(250 * time.Millisecond):
			}
		}
	}()
	return func() []load.Sample {
		samples := s.load.Stop()
		close(stop)
		<-stopped
		return samples
	}
}

// leave ends the keepers.
func (s *site) leave() {
	for _, m := range s.servers {
		s.run(m, "sh", "-c", "systemctl disable --now twip-test-keeper 2>&1")
	}
}

// build makes a program from a package of this module; overlay is a file of go build's, or "".
func build(t *testing.T, pkg, overlay string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), filepath.Base(pkg))
	command := exec.Command("go", "build", "-trimpath", "-overlay", overlay, "-o", out, pkg)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	text, err := command.CombinedOutput()
	require.NoError(t, err, "%s", text)
	return out
}

var admin = &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// look asks a server for its health, as a load balancer does, and whether it leads.
func (m *server) look() {
	var status struct {
		Healthy bool
		Role    string
	}
	resp, err := admin.Get("http://" + m.address + ":8082/health")
	if err == nil {
		err = json.NewDecoder(resp.Body).Decode(&status)
		resp.Body.Close()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.healthy, m.leads = err == nil && status.Healthy, err == nil && status.Role == "leader"
}

// healthy is nil when both servers are, and one leads.
func (s *site) healthy() error {
	leaders := 0
	for _, m := range s.servers {
		m.look()
		if !m.healthy {
			return fmt.Errorf("%s is not healthy", m.id)
		}
		if m.leads {
			leaders++
		}
	}
	if leaders != 1 {
		return fmt.Errorf("%d servers lead", leaders)
	}
	return nil
}

func (s *site) leader() *server {
	var leader *server
	s.eventually(2*time.Minute, func() error {
		for _, m := range s.servers {
			if m.look(); m.leads {
				leader = m
				return nil
			}
		}
		return fmt.Errorf("no server leads")
	})
	return leader
}

// flowing is nil when posts have been acknowledged lately and none has failed.
func (s *site) flowing() error {
	acknowledged := 0
	for _, sample := range load.Of(s.load.Samples(), load.Post) {
		switch {
		case time.Since(sample.Done) > 2*time.Second:
		case !sample.OK():
			return fmt.Errorf("a post failed: %s", sample.Problem)
		default:
			acknowledged++
		}
	}
	if acknowledged < rate/2 {
		return fmt.Errorf("%d posts were acknowledged in 2 s", acknowledged)
	}
	return nil
}

// count accounts for every post, at each server.
func (s *site) count(samples []load.Sample) (all []load.Tally) {
	s.t.Helper()
	for _, m := range s.servers {
		page, err := load.List(s.t.Context(), "http://"+m.address+":8080", time.Minute)
		require.NoError(s.t, err, "%s cannot be read", m.id)
		all = append(all, load.Count(page, s.titles, samples))
	}
	return all
}

// balancer asks the servers that are healthy in turns; if none is, all of them.
type balancer struct {
	servers   []*server
	transport *http.Transport
	next      atomic.Int64
}

func (b *balancer) RoundTrip(req *http.Request) (*http.Response, error) {
	var all, healthy []string
	for _, m := range b.servers {
		m.mu.Lock()
		all = append(all, m.address)
		if m.healthy {
			healthy = append(healthy, m.address)
		}
		m.mu.Unlock()
	}
	if len(healthy) > 0 {
		all = healthy
	}
	req = req.Clone(req.Context())
	req.URL.Host = all[int(b.next.Add(1))%len(all)] + ":8080"
	return b.transport.RoundTrip(req)
}
