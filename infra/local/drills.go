package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"twip/infra/drill"
	"twip/infra/load"
	"twip/infra/local/computer"
	"twip/infra/local/engine"
	"twip/infra/local/region"
	"twip/infra/ops"
	"twip/infra/site"
)

// mostServers is how many servers the app group grows to in a drill: as many as one computer bears.
const mostServers = 4

// kernelRate is how many requests a second machines with kernels of their own are visited with in a drill: their system
// calls are slow, and all of them share this computer's processors.
const kernelRate = 3

// kernelTimes is how many times as long as elsewhere they may take: a JVM starts in 13 to 20 s there, and in 1 to 4 s
// in containers.
const kernelTimes = 4

// slowVisitors keep a connection each and ask rarely, all at once: 10,000 times together in a drill.
const slowVisitors, kernelSlowVisitors = 500, 20

// kernelSkew is how far their clocks may be from this computer's: a kernel sets its own, when it boots, from one that
// counts seconds, and what corrects it on EC2 is not here.
const kernelSkew = 2 * time.Second

// Drills are the drills that the environment is for. Scale is the command that brings it up with so many app servers:
// a process of its own, because a drill kills it.
func (c *Cloud) Drills(ctx context.Context, scale func(servers int) *exec.Cmd) ([]drill.Drill, drill.Options, error) {
	fail := func(err error) ([]drill.Drill, drill.Options, error) { return nil, drill.Options{}, err }
	outputs, err := c.Outputs(ctx)
	if err != nil {
		return fail(err)
	}
	env, err := ops.FromOutputs(c.options.Stack, outputs, c.Machines())
	if err != nil {
		return fail(err)
	}
	o := drill.Options{URL: env.URL, Out: c.options.Out}
	groups, err := c.hasGroups()
	if err != nil {
		return fail(err)
	}
	if !groups {
		o.Whole = func(ctx context.Context) error { return wholeMachines(ctx, env.Machines) }
		return drill.Train(drill.Single{
			Env: env, Host: c.Store, Reboot: c.onMachine(c.Computer.Reboot), CutPower: c.onMachine(c.cutPower),
			Change: c.scaling(scale, "dataVolumeId", c.appContainers),
		}), o, nil
	}
	r, err := c.Region(ctx)
	if err != nil {
		return fail(err)
	}
	o.Whole = r.Settled
	kind, err := region.KindOf(c.regionDir())
	if err != nil {
		return fail(err)
	}
	drilled, times := drilledRegion{c, r, env.URL, slowVisitors}, 1
	if kind == region.Kernels {
		o.Rate, o.Skew = kernelRate, kernelSkew
		drilled.slow, times = kernelSlowVisitors, kernelTimes
	}
	drills := drill.Prod(drilled, c.scaling(scale, "fileSystemId", drilled.appServers), mostServers)
	return drill.Slower(drills, times), o, nil
}

func wholeMachines(ctx context.Context, machines ops.Machines) error {
	all, err := machines.Status(ctx)
	for _, m := range all {
		if m.State != "running" {
			err = errors.Join(err, fmt.Errorf("machine %s is %s", m.ID, m.State))
		}
		for _, c := range m.Containers {
			if !strings.HasPrefix(c.Status, "Up") || strings.Contains(c.Status, "unhealthy") {
				err = errors.Join(err, fmt.Errorf("container %s on %s: %s", c.Name, m.ID, c.Status))
			}
		}
	}
	return err
}

// onMachine does something to the one machine.
func (c *Cloud) onMachine(do func(context.Context, string) error) func(context.Context) error {
	return func(ctx context.Context) error {
		instance, err := c.instance(ctx)
		if err != nil {
			return err
		}
		return do(ctx, instance)
	}
}

// cutPower ends a machine without a warning and boots it again.
func (c *Cloud) cutPower(ctx context.Context, instance string) error {
	if err := c.Computer.Kill(ctx, instance); err != nil {
		return err
	}
	for {
		state, err := c.Computer.State(ctx, instance)
		if err != nil {
			return err
		}
		if state.Phase == computer.Stopped {
			return c.Computer.Start(ctx, instance)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// scaling is a change of the number of app servers; lasting is the output that names where the data is.
func (c *Cloud) scaling(
	scale func(int) *exec.Cmd, lasting string, servers func(context.Context) (int, error),
) drill.Change {
	return drill.Change{
		Servers: servers,
		Up:      scale,
		Lasting: func(ctx context.Context) (string, error) {
			outputs, err := c.Outputs(ctx)
			if err != nil {
				return "", err
			}
			id, ok := outputs[lasting].(string)
			if !ok {
				return "", fmt.Errorf("stack %q: output %q is missing", c.options.Stack, lasting)
			}
			return id, nil
		},
		Due: func(ctx context.Context) (due int, err error) {
			err = c.engine(nil, func(e *engine.Engine) error {
				summary, err := e.Preview(ctx)
				due = summary.Changed()
				return err
			})
			return due, err
		},
	}
}

func (c *Cloud) appContainers(ctx context.Context) (servers int, err error) {
	all, err := c.Machines().Status(ctx)
	for _, m := range all {
		for _, container := range m.Containers {
			if strings.HasPrefix(container.Name, "app-") {
				servers++
			}
		}
	}
	return servers, err
}

// drilledRegion is the environment as drills break it.
type drilledRegion struct {
	cloud *Cloud
	*Region
	url  string
	slow int // visitors
}

func (d drilledRegion) Machines(ctx context.Context) ([]drill.Machine, error) {
	machines, err := d.Region.Machines(ctx, "")
	if err != nil {
		return nil, err
	}
	var all []drill.Machine
	for _, m := range machines {
		all = append(all, drill.Machine{ID: m.ID, Zone: m.Zone, Tier: d.Tier(m.Group), Writes: m.Role == "leader",
			Version: m.Version})
	}
	return all, nil
}

func (d drilledRegion) appServers(ctx context.Context) (int, error) {
	machines, err := d.Region.Machines(ctx, "app")
	return len(machines), err
}

func (d drilledRegion) Scale(ctx context.Context, tier string, servers int) error {
	return d.ScaleTier(ctx, tier, servers)
}

// VisitSlowly has half of the visitors read the front page, and half of them a static file.
func (d drilledRegion) VisitSlowly(ctx context.Context, pauses []time.Duration) ([]load.Sample, error) {
	front, err := site.Get(ctx, strings.TrimSuffix(d.url, "/")+site.FrontPath)
	if err != nil {
		return nil, err
	}
	slow := load.Slow{URL: d.url, Visitors: d.slow, Pauses: pauses,
		Paths: []string{site.FrontPath, site.StaticFile(front, d.url)}}
	samples := slow.Visit(ctx)
	return samples, ctx.Err()
}

func (d drilledRegion) HangStore(ctx context.Context) error { return here(d.Region.HangStore(ctx)) }

func (d drilledRegion) RefuseStore(ctx context.Context) error { return here(d.Region.RefuseStore(ctx)) }

func (d drilledRegion) RestartStore(ctx context.Context) error {
	return here(d.Region.RestartStore(ctx))
}

func (d drilledRegion) HangTunnel(ctx context.Context, id string) error {
	return here(d.Region.HangTunnel(ctx, id))
}

func (d drilledRegion) BadRelease(ctx context.Context, what string, say func(string)) error {
	return d.cloud.BadRelease(ctx, what, say)
}

// here says in the drills' words that this computer cannot do something.
func here(err error) error {
	if errors.Is(err, region.ErrNotHere) {
		return fmt.Errorf("%w: %w: use %s=%s", drill.ErrNotHere, err, MachinesVariable, region.Kernels)
	}
	return err
}

// Release builds all images anew, as for a release, and rolls them out.
func (d drilledRegion) Release(ctx context.Context, say func(string)) error {
	say("images are built anew and rolled out")
	if err := d.cloud.Set("twip:rebuild", "drill-"+strings.ToLower(rand.Text()[:8])); err != nil {
		return err
	}
	return d.cloud.Up(ctx)
}
