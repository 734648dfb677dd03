package region

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"twip/infra/boot"
	"twip/infra/local/computer"
)

// Controller makes what Step decides so.
type Controller struct {
	config   Config
	machines Machines
	computer *computer.Computer
	lb       *balancer
	say      func(format string, args ...any)

	mu       sync.Mutex // guards what follows
	state    State
	declared Declared
	seen     map[string]sight
	busy     map[string]bool      // instances that are being started or ended
	after    map[string]time.Time // when the next attempt may be made
	cut      map[string]bool      // zones that are separated from the others
	paused   map[string]bool
	firewall computer.Firewall // as it was set
}

// sight is what was seen of an instance.
type sight struct {
	Look
	Address netip.Addr
}

// Run controls until the context ends.
func (c *Controller) Run(ctx context.Context) error {
	if err := c.load(); err != nil {
		return err
	}
	for {
		if err := c.turn(ctx); err != nil && ctx.Err() == nil {
			c.say("%v", err)
		}
		// Whoever removed the directory wants no controller any more.
		if _, err := os.Stat(c.config.Dir); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(tick):
		}
	}
}

// turn looks, decides and acts once.
func (c *Controller) turn(ctx context.Context) error {
	declared, err := ReadDeclared(c.config.World)
	if err != nil {
		return err
	}
	if err := c.lb.configure(ctx, declared); err != nil {
		return err
	}
	targets, err := c.lb.targets()
	if err != nil {
		return err
	}
	c.mu.Lock()
	busy := maps.Clone(c.busy)
	c.mu.Unlock()
	states, err := c.machines.States(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(busy, c.busy) // what was begun or ended while it was looked at may be there, or not
	seen := map[string]sight{}
	for _, g := range c.state.Groups {
		for _, i := range g.Instances {
			seen[i.ID] = sightOf(i.ID, states, targets, busy[i.ID])
		}
	}
	before, err := json.Marshal(c.state)
	if err != nil {
		return err
	}
	c.declared, c.seen = declared, seen
	c.state.Step(time.Now(), declared, c.looks())
	if err := c.save(before); err != nil {
		return err
	}
	if err := c.setFirewall(ctx); err != nil {
		return err
	}
	c.act(ctx)
	return c.lb.register(declared, targets, c.targetsWanted())
}

func (c *Controller) looks() map[string]Look {
	looks := map[string]Look{}
	for id, s := range c.seen {
		looks[id] = s.Look
	}
	return looks
}

// sightOf puts together what machines and load balancer tell of an instance. One that is being started or ended is not
// gone yet.
func sightOf(id string, states map[string]computer.State, targets map[string][]target, busy bool) sight {
	s, there := states[id]
	v := sight{Look: Look{Running: s.Phase == computer.Running, Gone: !there && !busy, Idle: true}}
	v.Address, _ = netip.ParseAddr(s.PrivateIP)
	for _, backend := range targets {
		for _, t := range backend {
			if t.Address != s.PrivateIP || s.PrivateIP == "" {
				continue
			}
			v.Idle = !t.Busy
			switch {
			case t.Admin != "ready":
				v.Target = "draining"
			case t.Up:
				v.Target = "healthy"
			default:
				v.Target = "unhealthy"
			}
		}
	}
	return v
}

// targetsWanted are, by target group, the addresses that the load balancer is to send to.
func (c *Controller) targetsWanted() map[string][]want {
	all := map[string][]want{}
	for _, name := range slices.Sorted(maps.Keys(c.state.Groups)) {
		for _, i := range c.state.Groups[name].Instances {
			s, spec := c.seen[i.ID], c.declared.Groups[name]
			admin := ""
			switch {
			case !s.Address.IsValid():
			case i.Lifecycle == InService:
				admin = "ready"
			case i.Lifecycle == Terminating:
				admin = "drain"
			}
			for _, arn := range spec.TargetGroups {
				if admin != "" {
					all[arn] = append(all[arn], want{s.Address.String(), admin})
				}
			}
		}
	}
	return all
}

// act starts and ends machines, each in a goroutine of its own.
func (c *Controller) act(ctx context.Context) {
	for _, g := range c.state.Groups {
		for _, i := range g.Instances {
			switch {
			case c.busy[i.ID] || time.Now().Before(c.after[i.ID]):
			case i.Lifecycle == Pending && !i.Booted && !c.seen[i.ID].Running:
				m, err := c.machine(g, i)
				if err != nil {
					c.say("%s: %v", i.ID, err)
					c.after[i.ID] = time.Now().Add(retryAfter)
					continue
				}
				c.do(ctx, i.ID, func(ctx context.Context) error { return c.machines.Launch(ctx, m) })
			case i.Lifecycle == Ending && !c.seen[i.ID].Gone:
				paused := c.paused[i.ID]
				c.do(ctx, i.ID, func(ctx context.Context) error {
					if paused { // a machine that does not go on can only be cut off
						if err := c.machines.Kill(ctx, i.ID); err != nil {
							c.say("%v", err)
						}
					}
					return c.machines.Terminate(ctx, i.ID)
				})
			}
		}
	}
}

func (c *Controller) do(ctx context.Context, id string, act func(context.Context) error) {
	c.busy[id] = true
	go func() {
		err := act(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.busy, id)
		if err != nil && ctx.Err() == nil {
			c.say("%v", err)
			c.after[id] = time.Now().Add(retryAfter)
		}
	}()
}

// machine is what an instance boots as.
func (c *Controller) machine(g *Group, i *Instance) (computer.Machine, error) {
	template, ok := c.declared.Templates[i.Template.ID][i.Template.Version]
	if !ok {
		return computer.Machine{}, fmt.Errorf("launch template %s has no version %d", i.Template.ID, i.Template.Version)
	}
	document, err := template.Document()
	if err != nil {
		return computer.Machine{}, fmt.Errorf("launch template %s: user data: %w", i.Template.ID, err)
	}
	memory, ok := boot.InstanceTypes[template.InstanceType]
	if !ok {
		return computer.Machine{}, fmt.Errorf("instance type %q: its memory is not known", template.InstanceType)
	}
	m := computer.Machine{ID: i.ID, Name: i.ID, Type: template.InstanceType, Zone: i.Zone, MemoryMiB: memory,
		UserData: document, Group: g.Name, Hosts: map[string]string{}}
	for _, name := range c.lb.names {
		m.Hosts[name] = c.lb.address.String()
	}
	for name, id := range c.declared.FileSystems {
		if strings.Contains(string(document), name) {
			m.FileSystem = id
		}
	}
	return m, nil
}

func (c *Controller) file() string { return filepath.Join(c.config.Dir, "state.json") }

func (c *Controller) load() error {
	text, err := os.ReadFile(c.file())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, &c.state)
	}
	if err != nil {
		return fmt.Errorf("controller's state %s: %w", c.file(), err)
	}
	return nil
}

// save writes the state before anything is done about it, if it is not as it was, and tells of what changed.
func (c *Controller) save(before []byte) error {
	now, err := json.Marshal(c.state)
	if err != nil || string(now) == string(before) {
		return err
	}
	var was State
	if err := json.Unmarshal(before, &was); err != nil {
		return err
	}
	for _, line := range changes(was, c.state) {
		c.say("%s", line)
	}
	return replaceFile(c.file(), append(now, '\n'))
}

// changes tells people what happened to instances and refreshes.
func changes(was, now State) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(now.Groups)) {
		for _, i := range now.Groups[name].Instances {
			_, old := was.Find(i.ID)
			if old == nil || old.Lifecycle != i.Lifecycle || old.Unhealthy != i.Unhealthy {
				line := fmt.Sprintf("%s: %s in %s, version %d: %s", name, i.ID, i.Zone, i.Template.Version, i.Lifecycle)
				if i.Unhealthy != "" {
					line += " (" + i.Unhealthy + ")"
				}
				lines = append(lines, line)
			}
		}
		for n, r := range now.Groups[name].Refreshes {
			old := was.Groups[name]
			if at := n - len(now.Groups[name].Refreshes); old == nil || len(old.Refreshes)+at < 0 ||
				old.Refreshes[len(old.Refreshes)+at].Status != r.Status {
				lines = append(lines, fmt.Sprintf("%s: %s to version %d: %s %s", name, r.ID, r.To.Version, r.Status, r.Reason))
			}
		}
	}
	return lines
}
