package region

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/local/computer"
)

// fakeMachines notes what is asked of them.
type fakeMachines struct {
	mu     sync.Mutex
	calls  []string
	refuse string // what fails
}

func (f *fakeMachines) note(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	call := fmt.Sprintf(format, args...)
	f.calls = append(f.calls, call)
	if f.refuse != "" && strings.HasPrefix(call, f.refuse) {
		return errors.New("refused")
	}
	return nil
}

func (f *fakeMachines) Launch(_ context.Context, m computer.Machine) error {
	return f.note("launch %s of %s", m.ID, m.FileSystem)
}
func (f *fakeMachines) Terminate(_ context.Context, id string) error {
	return f.note("terminate %s", id)
}
func (f *fakeMachines) States(context.Context) (map[string]computer.State, error) {
	return map[string]computer.State{"a": {Phase: computer.Running, PrivateIP: "10.0.0.1"}, "b": {Phase: computer.Stopped}}, nil
}

func (f *fakeMachines) Exec(_ context.Context, id string, argv ...string) ([]byte, error) {
	return []byte(`{"role": "leader", "epoch": 7}`), f.note("exec %s %s", id, argv[0])
}
func (f *fakeMachines) Kill(_ context.Context, id string) error   { return f.note("kill %s", id) }
func (f *fakeMachines) Pause(_ context.Context, id string) error  { return f.note("pause %s", id) }
func (f *fakeMachines) Resume(_ context.Context, id string) error { return f.note("resume %s", id) }
func (f *fakeMachines) Separate(_ context.Context, id string, from []netip.Addr) error {
	return f.note("separate %s %v", id, from)
}

func (f *fakeMachines) Reconnect(_ context.Context, id string, from []netip.Addr) error {
	return f.note("reconnect %s %v", id, from)
}

// client is that of a controller with the machines "a" and "b" in the zones of these names.
func client(t *testing.T, machines *fakeMachines) (*Client, *Controller) {
	spec := groupSpec
	spec.TargetGroups = []string{"arn"}
	c := &Controller{
		machines: machines, say: t.Logf, cut: map[string]bool{}, paused: map[string]bool{}, busy: map[string]bool{},
		declared: Declared{Groups: map[string]GroupSpec{"app": spec},
			TargetGroups: map[string]TargetGroup{"arn": {ARN: "arn", Check: HealthCheck{Port: 8082, Path: "/health"}}}},
		state: State{Groups: map[string]*Group{"app": {Name: "app", Desired: 2, Template: Reference{templateID, 3}}}},
		seen:  map[string]sight{},
	}
	for n, zone := range []string{"a", "b"} {
		c.state.Groups["app"].Instances = append(c.state.Groups["app"].Instances,
			&Instance{ID: zone, Zone: zone, Lifecycle: InService, Booted: true, Template: Reference{templateID, 3}})
		c.seen[zone] = sight{Look{Running: true, Target: "healthy"}, netip.AddrFrom4([4]byte{10, 0, 0, byte(n + 1)})}
	}
	server := httptest.NewServer(c.control())
	t.Cleanup(server.Close)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "control"), []byte(server.Listener.Addr().String()+"\n"), 0o600))
	return Open(dir), c
}

func TestControl(t *testing.T) {
	type do = func(context.Context, *Client) error
	for name, tc := range map[string]struct {
		do    do
		calls []string
		err   string
		then  func(*testing.T, Status)
	}{
		"kill":   {func(ctx context.Context, c *Client) error { return c.Kill(ctx, "a") }, []string{"kill a"}, "", nil},
		"resume": {func(ctx context.Context, c *Client) error { return c.Resume(ctx, "a") }, []string{"resume a"}, "", nil},
		"pause": {func(ctx context.Context, c *Client) error { return c.Pause(ctx, "a") }, []string{"pause a"}, "",
			func(t *testing.T, s Status) { require.True(t, s.Machines[0].Paused) }},
		"a zone is switched off": {func(ctx context.Context, c *Client) error { return c.SwitchOff(ctx, "b") }, []string{"kill b"}, "",
			func(t *testing.T, s Status) { require.Equal(t, []string{"b"}, s.Off) }},
		"a zone comes back": {func(ctx context.Context, c *Client) error {
			return errors.Join(c.SwitchOff(ctx, "b"), c.RestoreZone(ctx, "b"))
		}, []string{"kill b"}, "", func(t *testing.T, s Status) { require.Empty(t, s.Off) }},
		"a zone is cut off": {func(ctx context.Context, c *Client) error { return c.CutOff(ctx, "a") },
			[]string{"separate a [10.0.0.2]"}, "", func(t *testing.T, s Status) { require.Equal(t, []string{"a"}, s.Cut) }},
		"a zone is joined again": {func(ctx context.Context, c *Client) error {
			return errors.Join(c.CutOff(ctx, "a"), c.RestoreZone(ctx, "a"))
		}, []string{"separate a [10.0.0.2]", "reconnect a [10.0.0.2]"}, "", func(t *testing.T, s Status) { require.Empty(t, s.Cut) }},
		"scale": {func(ctx context.Context, c *Client) error { return c.Scale(ctx, "app", 3) }, nil, "",
			func(t *testing.T, s Status) { require.Equal(t, 3, s.Groups[0].Desired) }},
		"scale too far":   {func(ctx context.Context, c *Client) error { return c.Scale(ctx, "app", 7) }, nil, "outside of min value 2", nil},
		"scale something": {func(ctx context.Context, c *Client) error { return c.Scale(ctx, "x", 3) }, nil, "not found", nil},
		"alarm": {func(ctx context.Context, c *Client) error { return c.SetAlarm(ctx, "errors", "ALARM") }, nil, "",
			func(t *testing.T, s Status) { require.Equal(t, "ALARM", s.Alarms["errors"]) }},
		"the store of containers": {func(ctx context.Context, c *Client) error {
			err := c.HangStore(ctx)
			if !errors.Is(err, ErrNotHere) {
				return fmt.Errorf("not the error that says so: %w", err)
			}
			return err
		}, nil, "use TWIP_MACHINES=kernels", nil},
		"a failure": {func(ctx context.Context, c *Client) error { return c.Resume(ctx, "refused") }, []string{"resume refused"},
			"resume refused : controller: refused", nil},
	} {
		t.Run(name, func(t *testing.T) {
			machines := &fakeMachines{refuse: "resume refused"}
			client, _ := client(t, machines)
			err := tc.do(t.Context(), client)
			if tc.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.err)
			}
			require.Equal(t, tc.calls, machines.calls)
			if tc.then != nil {
				status, err := client.Status(t.Context())
				require.NoError(t, err)
				tc.then(t, status)
			}
		})
	}
}

func TestStatusTellsWhoWrites(t *testing.T) {
	client, _ := client(t, &fakeMachines{refuse: "exec b"})
	s, err := client.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, []GroupStatus{{Name: "app", Min: 2, Desired: 2, Max: 6, Version: 3}}, s.Groups)
	want := MachineStatus{ID: "a", Group: "app", Zone: "a", Address: "10.0.0.1", Lifecycle: InService, Version: 3,
		Running: true, Target: "healthy", Role: "leader", Epoch: 7}
	require.Equal(t, want, s.Machines[0])
	want.ID, want.Zone, want.Address, want.Role, want.Epoch = "b", "b", "10.0.0.2", "", 0
	require.Equal(t, want, s.Machines[1], "a server that does not answer has no role")
}

func TestAClientWithoutControllerSaysSo(t *testing.T) {
	_, err := Open(t.TempDir()).Status(t.Context())
	require.ErrorContains(t, err, "bring the environment up with make local")
}

func TestMachinesAreStartedAndEnded(t *testing.T) {
	machines := &fakeMachines{}
	_, c := client(t, machines)
	c.lb = &balancer{names: []string{"autoscaling"}, address: netip.MustParseAddr("10.0.0.9")}
	c.after = nil
	c.declared.FileSystems = map[string]string{"fs-1.efs": "fs-1", "fs-2.efs": "fs-2"}
	// "mount fs-2.efs" in base64
	c.declared.Templates = map[string]map[int]Template{templateID: {3: {InstanceType: "t3.micro", UserData: "bW91bnQgZnMtMi5lZnM="}}}
	first, second := c.state.Groups["app"].Instances[0], c.state.Groups["app"].Instances[1]
	first.Lifecycle, first.Booted = Pending, false
	c.seen["a"] = sight{}
	second.Lifecycle = Ending
	c.mu.Lock()
	c.act(t.Context())
	c.act(t.Context()) // what is under way is not begun again
	c.mu.Unlock()
	require.Eventually(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.busy) == 0
	}, 5e9, 1e6)
	slices.Sort(machines.calls)
	require.Equal(t, []string{"launch a of fs-2", "terminate b"}, machines.calls)
	m, err := c.machine(c.state.Groups["app"], first)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"autoscaling": "10.0.0.9"}, m.Hosts)
	require.Equal(t, 1024, m.MemoryMiB)

	first.Template.Version = 9
	_, err = c.machine(c.state.Groups["app"], first)
	require.ErrorContains(t, err, "has no version 9")
}

func TestTheStateIsReadAgain(t *testing.T) {
	_, c := client(t, &fakeMachines{})
	c.config.Dir = t.TempDir()
	require.NoError(t, c.load(), "there is none yet")
	require.NoError(t, c.save([]byte("{}")))
	again := &Controller{config: c.config}
	require.NoError(t, again.load())
	require.Equal(t, c.state, again.state)
	require.NoError(t, os.WriteFile(c.file(), []byte("{"), 0o600))
	require.ErrorContains(t, again.load(), c.file())
}

func TestChangesAreTold(t *testing.T) {
	one := func(lifecycle string, refreshes ...*Refresh) State {
		return State{Groups: map[string]*Group{"app": {Instances: []*Instance{{ID: "i", Zone: "a", Lifecycle: lifecycle}}, Refreshes: refreshes}}}
	}
	running, done := &Refresh{ID: "r", Status: InProgress}, &Refresh{ID: "r", Status: Successful}
	older := &Refresh{ID: "o", Status: Failed}
	for name, tc := range map[string]struct {
		was, now State
		lines    []string
	}{
		"nothing":         {one(InService), one(InService), nil},
		"the first":       {State{}, one(Pending), []string{"app: i in a, version 0: Pending"}},
		"another state":   {one(Pending), one(InService), []string{"app: i in a, version 0: InService"}},
		"a refresh":       {one(InService, older), one(InService, running, older), []string{"app: r to version 0: InProgress "}},
		"a refresh ended": {one(InService, running, older), one(InService, done, older), []string{"app: r to version 0: Successful "}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.lines, changes(tc.was, tc.now)) })
	}
}

func TestSight(t *testing.T) {
	states, err := (&fakeMachines{}).States(t.Context())
	require.NoError(t, err)
	at := netip.MustParseAddr("10.0.0.1")
	for name, tc := range map[string]struct {
		id     string
		target target
		want   sight
	}{
		"healthy":    {"a", target{Address: "10.0.0.1", Admin: "ready", Up: true}, sight{Look{Running: true, Target: "healthy", Idle: true}, at}},
		"at work":    {"a", target{Address: "10.0.0.1", Admin: "ready", Up: true, Busy: true}, sight{Look{Running: true, Target: "healthy"}, at}},
		"unhealthy":  {"a", target{Address: "10.0.0.1", Admin: "ready"}, sight{Look{Running: true, Target: "unhealthy", Idle: true}, at}},
		"draining":   {"a", target{Address: "10.0.0.1", Admin: "drain", Up: true}, sight{Look{Running: true, Target: "draining", Idle: true}, at}},
		"no target":  {"a", target{Address: "10.0.0.7", Admin: "ready", Up: true}, sight{Look{Running: true, Idle: true}, at}},
		"stopped":    {"b", target{Address: free, Admin: "maint"}, sight{Look{Idle: true}, netip.Addr{}}},
		"being made": {"c", target{}, sight{Look{Idle: true}, netip.Addr{}}},
		"gone":       {"d", target{}, sight{Look{Gone: true, Idle: true}, netip.Addr{}}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, sightOf(tc.id, states, map[string][]target{"b": {tc.target}}, tc.id == "c"))
		})
	}
}
