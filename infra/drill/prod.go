package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"twip/infra/load"
)

// Machine is a machine of a group.
type Machine struct {
	ID, Zone, Tier string
	Writes         bool // its server is the one that writes
	Version        int  // of the template that it was made from
}

// Region is an environment of groups over zones, as drills break it.
type Region interface {
	Machines(ctx context.Context) ([]Machine, error)
	Kill(ctx context.Context, machine string) error
	Pause(ctx context.Context, machine string) error
	Resume(ctx context.Context, machine string) error
	SwitchOff(ctx context.Context, zone string) error
	CutOff(ctx context.Context, zone string) error
	RestoreZone(ctx context.Context, zone string) error
	HangStore(ctx context.Context) error
	RefuseStore(ctx context.Context) error
	RestoreStore(ctx context.Context) error
	RestartStore(ctx context.Context) error
	HangTunnel(ctx context.Context, machine string) error
	Scale(ctx context.Context, tier string, servers int) error
	// VisitSlowly has slow visitors ask after each of the pauses.
	VisitSlowly(ctx context.Context, pauses []time.Duration) ([]load.Sample, error)
	// Settled is nil when every group has what it wants and all of it serves.
	Settled(ctx context.Context) error
	// Release brings the same application up in images of their own.
	Release(ctx context.Context, say func(string)) error
	// BadRelease brings up one that does not do, and then the one of before; nil means that the bad one was refused.
	BadRelease(ctx context.Context, what string, say func(string)) error
}

// The tiers of machines, as the stack's output names them.
const (
	appTier    = "app"
	staticTier = "static"
)

// settling is how long a group may take to have its machines again: one is noticed, ended, made and booted.
const settling = 6 * time.Minute

// storeOutage is how long the store is away, storeRestart how long one that is switched off and on again may be:
// it boots, and then lets clients reclaim what they had open. tunnelAway is how long a server may need to find out that
// it has lost the store while others have not.
const (
	storeOutage  = 60 * time.Second
	storeRestart = 45 * time.Second
	tunnelAway   = 30 * time.Second
)

// Prod are the drills of an environment of groups, whose biggest app group has so many servers.
func Prod(r Region, change Change, most int) []Drill {
	z := region{r}
	// A server that dies takes the answers with it that it was about to give: a few, and only at that moment.
	taken := func(away time.Duration, reads int) Promise {
		return Promise{Pages: Bound{away, reads}, Posts: interrupted(away), Static: unnoticed}
	}
	away := 8 * time.Second
	nobody := Promise{Pages: unnoticed, Posts: interrupted(notice), Static: unnoticed}
	var store = Promise{Pages: interrupted(storeOutage + 30*time.Second), Posts: interrupted(storeOutage + 30*time.Second),
		Static: unnoticed}
	restarted := Promise{Pages: interrupted(storeRestart), Posts: interrupted(storeRestart), Static: unnoticed}
	zone := Promise{Pages: interrupted(away), Posts: interrupted(away), Static: interrupted(away)}
	drills := []Drill{
		{Name: "writer-off", Fault: "the writer's machine is switched off",
			// A load balancer asks a machine that is gone until its checks have failed.
			Promise: Promise{Pages: interrupted(away), Posts: interrupted(away), Static: unnoticed},
			Do:      z.machine(isWriter, r.Kill), After: z.replaced},
		{Name: "standby-off", Fault: "the machine of a server that stands by is switched off", Promise: nobody,
			Do: z.machine(standsBy, r.Kill), After: z.replaced},
		{Name: "static-off", Fault: "a static server's machine is switched off", Promise: nobody,
			Do: z.machine(isStatic, r.Kill), After: z.replaced},
		{Name: "zone-off", Fault: "the writer's zone is switched off until the other one has its servers, then it comes back",
			Promise: zone, Do: z.zoneOff, After: z.even},
		{Name: "zone-cut", Fault: "the writer's zone is cut off from the other for 30 s, its machines live",
			Promise: taken(30*time.Second+away, Any), Do: z.zone(r.CutOff, cutFor(30*time.Second)), After: z.oneWriter},
		z.outage("store-hangs", "the store answers nothing for "+seconds(storeOutage), store, r.HangStore),
		z.outage("store-refuses", "the store refuses connections for "+seconds(storeOutage), store, r.RefuseStore),
		z.outage("store-restarts", "the store's server is switched off and on again, and has a grace period", restarted,
			r.RestartStore),
		{Name: "tunnel-hangs", Fault: "the way from the writer's machine to the store hangs for good",
			Promise: taken(tunnelAway, Any), Do: z.tunnel, After: z.replaced},
		{Name: "release", Fault: "a release of the same application is rolled out",
			Promise: taken(away, 0), Do: z.release, After: z.oneWriter},
		{Name: "release-broken", Fault: "a release of an application that does not start, and then the one of before",
			Promise: taken(away, 0), Do: z.badRelease("it does not start"), After: z.oneWriter},
		{Name: "release-unreadable", Fault: "a release that cannot read the data, and then the one of before",
			Promise: taken(away, 0), Do: z.badRelease("it cannot read the data"), After: z.oneWriter},
		{Name: "scale", Fault: fmt.Sprintf("the app group grows to %d servers and shrinks to 2", most),
			Promise: taken(away, 0), Do: z.scale(most), After: z.oneWriter},
		z.idle(nobody),
		change.killed(20, taken(away, Any)),
	}
	for i, long := range []time.Duration{time.Second, 20 * time.Second, 100 * time.Second} {
		drills = slices.Insert(drills, 5+i, Drill{Name: fmt.Sprintf("writer-paused-%.0fs", long.Seconds()),
			Fault:   "the writer's machine stands still for " + seconds(long) + " and goes on",
			Promise: taken(away, Any), Do: z.pausing(long), After: z.oneWriter})
	}
	return drills
}

// region has the parts that the drills are made of.
type region struct{ Region }

func isWriter(m Machine) bool { return m.Writes }
func standsBy(m Machine) bool { return m.Tier == appTier && !m.Writes }
func isStatic(m Machine) bool { return m.Tier == staticTier }

// one finds a machine.
func (z region) one(ctx context.Context, is func(Machine) bool) (Machine, error) {
	machines, err := z.Machines(ctx)
	if err != nil {
		return Machine{}, err
	}
	i := slices.IndexFunc(machines, is)
	if i < 0 {
		return Machine{}, fmt.Errorf("none of the %d machines is the one to break", len(machines))
	}
	return machines[i], nil
}

// machine does something to a machine, and waits until its group has what it wants.
func (z region) machine(
	is func(Machine) bool, do func(context.Context, string) error,
) func(context.Context, func(string)) error {
	return func(ctx context.Context, say func(string)) error {
		victim, err := z.one(ctx, is)
		if err != nil {
			return err
		}
		say(fmt.Sprintf("machine %s in zone %s", victim.ID, victim.Zone))
		if err := do(ctx, victim.ID); err != nil {
			return err
		}
		if err := await(ctx, settling, func() error { return z.without(ctx, victim) }); err != nil {
			return err
		}
		return z.settle(ctx)
	}
}

// without is nil when a machine is gone.
func (z region) without(ctx context.Context, m Machine) error {
	_, err := z.one(ctx, func(other Machine) bool { return other.ID == m.ID })
	if err == nil {
		return fmt.Errorf("machine %s is still in its group", m.ID)
	}
	return nil
}

func (z region) settle(ctx context.Context) error {
	return await(ctx, settling, func() error { return z.Settled(ctx) })
}

func (z region) pausing(long time.Duration) func(context.Context, func(string)) error {
	return func(ctx context.Context, say func(string)) error {
		victim, err := z.one(ctx, isWriter)
		if err != nil {
			return err
		}
		say(fmt.Sprintf("machine %s in zone %s", victim.ID, victim.Zone))
		if err := z.Pause(ctx, victim.ID); err != nil {
			return err
		}
		err = wait(long)(ctx)
		if z.without(ctx, victim) != nil { // a group may have replaced it meanwhile
			err = errors.Join(err, z.Resume(context.WithoutCancel(ctx), victim.ID))
		}
		return errors.Join(err, z.settle(ctx))
	}
}

// zone breaks the writer's zone, waits and mends it, also when the drill is interrupted.
func (z region) zone(
	breaks func(context.Context, string) error, lasts func(ctx context.Context, zone string) error,
) func(context.Context, func(string)) error {
	return func(ctx context.Context, say func(string)) error {
		victim, err := z.one(ctx, isWriter)
		if err != nil {
			return err
		}
		say("zone " + victim.Zone)
		if err := breaks(ctx, victim.Zone); err != nil {
			return err
		}
		err = lasts(ctx, victim.Zone)
		if err == nil {
			say("zone " + victim.Zone + " comes back")
		}
		return errors.Join(err, z.RestoreZone(context.WithoutCancel(ctx), victim.Zone), z.settle(ctx))
	}
}

// zoneOff goes on until the groups have evened out over the zones, so that visitors see that too; even says so if they
// have not.
func (z region) zoneOff(ctx context.Context, say func(string)) error {
	err := z.zone(z.SwitchOff, z.moved)(ctx, say)
	if err == nil {
		_ = z.evened(ctx)
	}
	return err
}

// cutFor leaves a zone as it is for so long.
func cutFor(long time.Duration) func(context.Context, string) error {
	return func(ctx context.Context, _ string) error { return wait(long)(ctx) }
}

// moved waits until all machines are in other zones than this, and serve.
func (z region) moved(ctx context.Context, zone string) error {
	return await(ctx, settling, func() error {
		m, err := z.one(ctx, func(m Machine) bool { return m.Zone == zone })
		if err == nil {
			return fmt.Errorf("machine %s in zone %s is still in its group", m.ID, zone)
		}
		return z.Settled(ctx)
	})
}

// outage breaks the store for a while. No group may take that for the fault of its machines.
func (z region) outage(name, fault string, promise Promise, breaks func(context.Context) error) Drill {
	var before []string
	return Drill{Name: name, Fault: fault, Promise: promise,
		Do: func(ctx context.Context, _ func(string)) (err error) {
			if before, err = z.ids(ctx); err != nil {
				return err
			}
			if err := breaks(ctx); err != nil {
				return err
			}
			return errors.Join(wait(storeOutage)(ctx), z.RestoreStore(context.WithoutCancel(ctx)))
		},
		After: func(ctx context.Context) ([]Check, error) {
			checks, err := z.oneWriter(ctx)
			if err != nil {
				return nil, err
			}
			now, err := z.ids(ctx)
			was, is := strings.Join(before, " "), strings.Join(now, " ")
			return append(checks, Check{"machines, none of them replaced", was, is, was == is}), err
		},
	}
}

// ids are the machines that there are.
func (z region) ids(ctx context.Context) (ids []string, err error) {
	machines, err := z.Machines(ctx)
	for _, m := range machines {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return ids, err
}

// tunnel has the writer's machine lose its store for good, and waits until it has found a way out.
func (z region) tunnel(ctx context.Context, say func(string)) error {
	victim, err := z.one(ctx, isWriter)
	if err != nil {
		return err
	}
	say(fmt.Sprintf("machine %s in zone %s", victim.ID, victim.Zone))
	if err := z.HangTunnel(ctx, victim.ID); err != nil {
		return err
	}
	return errors.Join(wait(tunnelAway)(ctx), z.settle(ctx))
}

func (z region) badRelease(what string) func(context.Context, func(string)) error {
	return func(ctx context.Context, say func(string)) error {
		return errors.Join(z.BadRelease(ctx, what, say), z.settle(ctx))
	}
}

func (z region) release(ctx context.Context, say func(string)) error {
	before, err := z.one(ctx, isWriter)
	if err != nil {
		return err
	}
	if err := z.Release(ctx, say); err != nil {
		return err
	}
	now, err := z.one(ctx, isWriter)
	if err == nil && now.Version <= before.Version {
		err = fmt.Errorf("the writer runs version %d of its template, as before: nothing was rolled out", now.Version)
	}
	return errors.Join(err, z.settle(ctx))
}

func (z region) scale(most int) func(context.Context, func(string)) error {
	return func(ctx context.Context, say func(string)) error {
		for _, servers := range []int{most, 2} {
			say(fmt.Sprintf("to %d servers", servers))
			if err := z.Scale(ctx, appTier, servers); err != nil {
				return err
			}
			if err := z.settle(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// slowPauses are the pauses of slow visitors: around the times after which servers commonly end connections that rest,
// above all the load balancer (60 s), and after which the app servers do (75 s). A server that ends one before the load
// balancer does makes it answer 502 now and then:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
var slowPauses = func() (all []time.Duration) {
	for _, seconds := range []float64{
		1, 1, 1, 2, 4.9, 5, 5.1, 10, 15, 20, 29.5, 30, 30.5, 45, 59, 59.5, 60, 60.5, 61, 75,
	} {
		all = append(all, time.Duration(seconds*float64(time.Second)))
	}
	return all
}()

// idle breaks nothing: connections rest, between visitors, the load balancer and servers.
func (z region) idle(promise Promise) Drill {
	var samples []load.Sample
	return Drill{Name: "idle", Fault: "slow visitors keep their connections, which rest for up to 75 s",
		Promise: promise,
		Do: func(ctx context.Context, say func(string)) (err error) {
			say(fmt.Sprintf("they ask after each of %d pauses", len(slowPauses)))
			samples, err = z.VisitSlowly(ctx, slowPauses)
			return err
		},
		After: func(ctx context.Context) ([]Check, error) {
			checks, err := z.oneWriter(ctx)
			failed, which := 0, ""
			for problem, times := range load.Failed(samples) {
				failed += times
				which += fmt.Sprintf(", %d times %s", times, problem)
			}
			measured := fmt.Sprintf("%d of %d%s", failed, len(samples), which)
			return append(checks, Check{"requests of slow visitors that failed", "0", measured,
				failed == 0 && len(samples) > 0}), err
		},
	}
}

func wait(long time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(long):
			return nil
		}
	}
}

// oneWriter checks that one server writes in the end.
func (z region) oneWriter(ctx context.Context) ([]Check, error) {
	machines, err := z.Machines(ctx)
	writers := 0
	for _, m := range machines {
		if m.Writes {
			writers++
		}
	}
	return []Check{{"servers that write", "1", fmt.Sprint(writers), writers == 1}}, err
}

// replaced checks that all groups have what they want, too.
func (z region) replaced(ctx context.Context) ([]Check, error) {
	checks, err := z.oneWriter(ctx)
	problem := z.Settled(ctx)
	return append(checks, Check{"the groups have their machines again", "yes", answer(problem), problem == nil}), err
}

// even checks that both tiers are in more than one zone again.
func (z region) even(ctx context.Context) ([]Check, error) {
	problem := z.evened(ctx)
	checks, err := z.replaced(ctx)
	return append(checks, Check{"servers of both tiers in both zones again", "yes", answer(problem), problem == nil}), err
}

// evened waits until every tier is in more than one zone, and serves.
func (z region) evened(ctx context.Context) error {
	return await(ctx, settling, func() error {
		machines, err := z.Machines(ctx)
		if err != nil {
			return err
		}
		for _, tier := range []string{appTier, staticTier} {
			zones := map[string]bool{}
			for _, m := range machines {
				if m.Tier == tier {
					zones[m.Zone] = true
				}
			}
			if len(zones) < 2 {
				return fmt.Errorf("all %s servers are in one zone", tier)
			}
		}
		return z.Settled(ctx)
	})
}
