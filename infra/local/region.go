package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"twip/infra/local/region"
	"twip/infra/ops"
	"twip/stacks"
)

// Region is a running environment of groups: what can be seen of it, and what can be done to it. Its methods are for
// drills and operators; groups go by the tier that they serve, as the stack's output "groups" names them.
type Region struct {
	*region.Client
	Tiers map[string]string // group by tier
	URL   string
}

// Region opens the environment that is up.
func (c *Cloud) Region(ctx context.Context) (*Region, error) {
	outputs, err := c.Outputs(ctx)
	if err != nil {
		return nil, err
	}
	groups, _ := outputs["groups"].(map[string]any)
	if len(groups) == 0 {
		return nil, fmt.Errorf("stack %q has no groups: bring one of topology %s up with make local", c.options.Stack,
			stacks.MultiZone)
	}
	r := &Region{Client: region.Open(c.regionDir()), Tiers: map[string]string{}}
	r.URL, _ = outputs["url"].(string)
	for tier, name := range groups {
		r.Tiers[tier], _ = name.(string)
	}
	return r, nil
}

// Tier is the tier that a group serves.
func (r *Region) Tier(group string) string {
	for tier, name := range r.Tiers {
		if name == group {
			return tier
		}
	}
	return ""
}

// Machines lists the machines of a tier that are not on their way out; of all tiers when it is empty.
func (r *Region) Machines(ctx context.Context, tier string) ([]region.MachineStatus, error) {
	status, err := r.Status(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(status.Machines, func(m region.MachineStatus) bool {
		return strings.HasPrefix(m.Lifecycle, "Terminat") || tier != "" && m.Group != r.Tiers[tier]
	}), nil
}

// Writer is the machine whose server writes, or the error that there is none now.
func (r *Region) Writer(ctx context.Context) (region.MachineStatus, error) {
	machines, err := r.Machines(ctx, "")
	if err != nil {
		return region.MachineStatus{}, err
	}
	leaders := slices.DeleteFunc(machines, func(m region.MachineStatus) bool { return m.Role != "leader" })
	if len(leaders) == 0 {
		return region.MachineStatus{}, errors.New("no server says that it leads")
	}
	// One that was cut off may not know yet that it has been succeeded.
	return slices.MaxFunc(leaders, func(a, b region.MachineStatus) int { return cmp.Compare(a.Epoch, b.Epoch) }), nil
}

// ScaleTier sets the desired capacity of a tier's group.
func (r *Region) ScaleTier(ctx context.Context, tier string, desired int) error {
	return r.Scale(ctx, r.Tiers[tier], desired)
}

// Settled returns nil when every group has what it wants and the load balancer sends to all of it.
func (r *Region) Settled(ctx context.Context) error {
	status, err := r.Status(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, g := range status.Groups {
		serving, going := 0, 0
		for _, m := range status.Machines {
			switch {
			case m.Group != g.Name:
			case strings.HasPrefix(m.Lifecycle, "Terminat"):
				going++
			case m.Lifecycle == region.InService && m.Target == "healthy":
				serving++
			}
		}
		if serving != g.Desired || going > 0 {
			problems = append(problems, fmt.Errorf("%s: %d of %d servers answer, %d are on their way out",
				r.Tier(g.Name), serving, g.Desired, going))
		}
	}
	return errors.Join(problems...)
}

// Await waits until Settled.
func (r *Region) Await(ctx context.Context, limit time.Duration, say func(string)) error {
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	told := time.Now()
	for {
		err := r.Settled(ctx) // not cut short by the limit: what is waited for should be told
		if err == nil {
			return nil
		}
		if time.Since(told) > siteSteps {
			told = time.Now()
			say("waiting: " + strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		select {
		case <-waiting.Done():
			return fmt.Errorf("not settled after %s: %w: the controller's log ends with:\n%s", limit, err, r.Log(20))
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (c *Cloud) regionDir() string {
	dir := filepath.Join(c.state, "region")
	if absolute, err := filepath.Abs(dir); err == nil {
		return absolute
	}
	return dir
}

// startRegion has the controller run, which the resources of groups need.
func (c *Cloud) startRegion(ctx context.Context) error {
	dir := c.regionDir()
	state, err := filepath.Abs(filepath.Join(c.options.State, "computer"))
	if err != nil {
		return err
	}
	kind, err := c.kindOfMachines(ctx)
	if err != nil {
		return err
	}
	if err := region.Start(ctx, region.Config{
		Dir: dir, World: filepath.Join(filepath.Dir(dir), "world.json"), Name: c.options.Name,
		Machines: kind,
		Options:  region.Options{State: state, Stack: c.options.Stack, Ports: c.ports()},
	}); err != nil {
		return fmt.Errorf("stack %q: %w", c.options.Stack, err)
	}
	return nil
}

// regionStatus shows the machines of groups: what an operator wants to know before anything else.
func (c machines) regionStatus(ctx context.Context) ([]ops.Machine, error) {
	r, err := c.Region(ctx)
	if err != nil {
		return nil, err
	}
	status, err := r.Status(ctx)
	if err != nil {
		return nil, err
	}
	var all []ops.Machine
	for _, m := range status.Machines {
		state := "running"
		if !m.Running {
			state = "not running"
		}
		one := ops.Machine{ID: m.ID, State: state, Zone: m.Zone, Tier: r.Tier(m.Group), Lifecycle: m.Lifecycle,
			Version: m.Version, Health: cmp.Or(m.Target, "no target"), Journal: "docker exec " + m.ID + " journalctl"}
		if m.Paused {
			one.State = "paused"
		}
		if m.Role == "leader" {
			one.Role = fmt.Sprintf("writes, epoch %d", m.Epoch)
		} else if m.Role != "" {
			one.Role = "stands by"
		}
		all = append(all, one)
	}
	return all, nil
}
