package region

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"twip/infra/boot"
)

// Status is what there is to see of a region.
type Status struct {
	Groups   []GroupStatus
	Machines []MachineStatus
	Off, Cut []string // zones that are switched off, or cut off from the others
	Alarms   map[string]string
}

// GroupStatus is a group's size, and the newest refresh if there ever was one.
type GroupStatus struct {
	Name              string
	Min, Desired, Max int
	Version           int
	Refresh           *Refresh
}

// MachineStatus is one machine of a group.
type MachineStatus struct {
	ID, Group, Zone, Address string
	Lifecycle, Unhealthy     string
	Version                  int
	Running, Paused          bool
	Target                   string // health as the load balancer sees it; empty: it sends it nothing
	Role                     string // leader or standby, of servers that have one
	Epoch                    uint64
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// control answers the commands of this computer: a Client's.
func (c *Controller) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(c.Status(r.Context())) // who asked and left needs no answer
	})
	mux.HandleFunc("POST /do/{verb}/{what}", func(w http.ResponseWriter, r *http.Request) {
		if err := c.command(r.Context(), r.PathValue("verb"), r.PathValue("what"), r.URL.Query().Get("value")); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
		}
	})
	return mux
}

func (c *Controller) command(ctx context.Context, verb, what, value string) error {
	switch verb {
	case "kill":
		return c.machines.Kill(ctx, what)
	case "pause", "resume":
		do := map[string]func(context.Context, string) error{"pause": c.machines.Pause, "resume": c.machines.Resume}[verb]
		if err := do(ctx, what); err != nil {
			return err
		}
		c.mu.Lock()
		c.paused[what] = verb == "pause"
		c.mu.Unlock()
		return nil
	case "off":
		return c.switchOff(ctx, what)
	case "cut":
		return c.separate(ctx, what, true)
	case "restore":
		return c.restore(ctx, what)
	case "scale":
		n, err := strconv.Atoi(value)
		if err != nil {
			return err
		}
		return c.scale(what, n)
	case "alarm":
		c.mu.Lock()
		defer c.mu.Unlock()
		_, err := c.setAlarm(map[string][]string{"AlarmName": {what}, "StateValue": {value}})
		return err
	case "store":
		return c.store(ctx, what)
	case "tunnel":
		return c.hangTunnel(ctx, what)
	}
	return fmt.Errorf("command %q is unknown", verb)
}

func (c *Controller) scale(group string, n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.setDesired(map[string][]string{"AutoScalingGroupName": {group}, "DesiredCapacity": {strconv.Itoa(n)}})
	return err
}

// ErrNotHere says that these machines cannot do what was asked.
var ErrNotHere = errors.New("not possible with these machines")

// hangTunnel stops the process that carries a machine's file system over TLS, as one that hangs.
func (c *Controller) hangTunnel(ctx context.Context, machine string) error {
	if _, ok := c.machines.(StoreFaults); !ok {
		return fmt.Errorf("%w: nothing goes through the tunnel of a container: use TWIP_MACHINES=%s", ErrNotHere, Kernels)
	}
	_, err := c.machines.Exec(ctx, machine, "systemctl", "kill", "--signal", "STOP", boot.TunnelUnit)
	return err
}

func (c *Controller) store(ctx context.Context, what string) error {
	s, ok := c.machines.(StoreFaults)
	if !ok {
		return fmt.Errorf("%w: containers share a directory, which can neither hang nor refuse: use TWIP_MACHINES=%s",
			ErrNotHere, Kernels)
	}
	switch what {
	case "hang":
		return s.HangStore(ctx)
	case "refuse":
		return s.RefuseStore(ctx)
	case "restart":
		return s.RestartStore(ctx)
	}
	return s.RestoreStore(ctx)
}

// switchOff ends all machines of a zone at once; none is started there until it is restored.
func (c *Controller) switchOff(ctx context.Context, zone string) error {
	c.mu.Lock()
	if c.state.Off == nil {
		c.state.Off = map[string]bool{}
	}
	c.state.Off[zone] = true
	here, _ := c.split(zone)
	c.mu.Unlock()
	var problems []error
	for _, id := range sorted(here) {
		problems = append(problems, c.machines.Kill(ctx, id))
	}
	if s, ok := c.machines.(StoreFaults); ok {
		problems = append(problems, s.RefuseTarget(ctx, zone))
	}
	return errors.Join(problems...)
}

// restore has a zone work again, whatever was done to it.
func (c *Controller) restore(ctx context.Context, zone string) error {
	c.mu.Lock()
	off, cut := c.state.Off[zone], c.cut[zone]
	c.mu.Unlock()
	var problems []error
	if s, ok := c.machines.(StoreFaults); ok && off {
		problems = append(problems, s.RestoreTarget(ctx, zone)) // before the first machine needs it
	}
	c.mu.Lock()
	delete(c.state.Off, zone)
	c.mu.Unlock()
	if cut {
		problems = append(problems, c.separate(ctx, zone, false))
	}
	return errors.Join(problems...)
}

// split tells the running machines of a zone from the others. The lock is held.
func (c *Controller) split(zone string) (here, there map[string]netip.Addr) {
	here, there = map[string]netip.Addr{}, map[string]netip.Addr{}
	for _, g := range c.state.Groups {
		for _, i := range g.Instances {
			if s := c.seen[i.ID]; s.Running && i.Zone == zone {
				here[i.ID] = s.Address
			} else if s.Running {
				there[i.ID] = s.Address
			}
		}
	}
	return here, there
}

// separate cuts a zone's machines off from those of the others, or ends that. The load balancer reaches all of them.
func (c *Controller) separate(ctx context.Context, zone string, cut bool) error {
	c.mu.Lock()
	c.cut[zone] = cut
	here, there := c.split(zone)
	c.mu.Unlock()
	others := slices.Collect(maps.Values(there))
	var problems []error
	for _, id := range sorted(here) {
		if cut {
			problems = append(problems, c.machines.Separate(ctx, id, others))
		} else {
			problems = append(problems, c.machines.Reconnect(ctx, id, others))
		}
	}
	return errors.Join(problems...)
}

// Status looks at everything now.
func (c *Controller) Status(ctx context.Context) Status {
	c.mu.Lock()
	s := Status{Off: sorted(c.state.Off), Alarms: maps.Clone(c.state.Alarms)}
	for zone, cut := range c.cut {
		if cut {
			s.Cut = append(s.Cut, zone)
		}
	}
	var checks []TargetGroup
	for _, name := range sorted(c.state.Groups) {
		g, spec := c.state.Groups[name], c.declared.Groups[name]
		one := GroupStatus{Name: name, Min: spec.Min, Desired: g.Desired, Max: spec.Max, Version: g.Template.Version}
		if len(g.Refreshes) > 0 {
			latest := *g.Refreshes[0]
			one.Refresh = &latest
		}
		s.Groups = append(s.Groups, one)
		for _, i := range g.Instances {
			seen := c.seen[i.ID]
			m := MachineStatus{ID: i.ID, Group: name, Zone: i.Zone, Lifecycle: i.Lifecycle, Unhealthy: i.Unhealthy,
				Version: i.Template.Version, Running: seen.Running, Paused: c.paused[i.ID], Target: seen.Target}
			if seen.Address.IsValid() {
				m.Address = seen.Address.String()
			}
			var check TargetGroup
			for _, arn := range spec.TargetGroups {
				check = c.declared.TargetGroups[arn]
			}
			s.Machines, checks = append(s.Machines, m), append(checks, check)
		}
	}
	c.mu.Unlock()
	var group sync.WaitGroup
	for n := range s.Machines {
		if m := &s.Machines[n]; m.Running && !m.Paused && checks[n].Check.Port != 0 {
			group.Go(func() { c.ask(ctx, m, checks[n].Check) })
		}
	}
	group.Wait()
	return s
}

// ask has a server tell its role, if it has one, where its health check answers.
func (c *Controller) ask(ctx context.Context, m *MachineStatus, check HealthCheck) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	text, err := c.machines.Exec(ctx, m.ID, "curl", "--silent", "--max-time", "2",
		fmt.Sprintf("http://127.0.0.1:%d%s", check.Port, check.Path))
	if err != nil {
		return // it is starting, or hangs: the load balancer's view tells that
	}
	var told struct {
		Role  string
		Epoch uint64
	}
	if json.Unmarshal(text, &told) == nil {
		m.Role, m.Epoch = told.Role, told.Epoch
	}
}
