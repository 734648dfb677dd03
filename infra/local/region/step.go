package region

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"
)

// step is one decision about one group.
type step struct {
	state *State
	group *Group
	spec  GroupSpec
	drain time.Duration
	now   time.Time
	look  map[string]Look
}

// Step decides what is due now. Whoever calls it starts instances that are Pending and have not Booted, ends those that
// are Ending, registers those InService as targets, and calls it again.
func (s *State) Step(now time.Time, d Declared, look map[string]Look) {
	if s.Groups == nil {
		s.Groups = map[string]*Group{}
	}
	for name := range d.Groups {
		if s.Groups[name] == nil {
			s.Groups[name] = &Group{Name: name}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Groups)) {
		spec, declared := d.Groups[name]
		t := step{state: s, group: s.Groups[name], spec: spec, now: now, look: look}
		for _, arn := range spec.TargetGroups {
			t.drain = max(t.drain, d.TargetGroups[arn].Drain)
		}
		t.forgetGone()
		if !declared {
			for _, i := range t.group.Instances {
				t.end(i)
			}
			if len(t.group.Instances) == 0 {
				delete(s.Groups, name)
				continue
			}
		} else {
			t.follow()
		}
		t.lifecycles()
		if declared {
			t.health()
			t.capacity()
		}
	}
}

// follow takes over what the program changed.
func (t *step) follow() {
	g := t.group
	if g.Declared != t.spec.Template {
		g.Declared, g.Template = t.spec.Template, t.spec.Template
	}
	if g.DesiredBy != t.spec.Desired {
		g.DesiredBy, g.Desired = t.spec.Desired, t.spec.Desired
	}
	g.Desired = min(max(g.Desired, t.spec.Min), t.spec.Max)
}

// forgetGone drops instances whose machine has been ended.
func (t *step) forgetGone() {
	t.group.Instances = slices.DeleteFunc(t.group.Instances, func(i *Instance) bool {
		return i.Lifecycle == Ending && t.look[i.ID].Gone && t.now.After(i.Entered)
	})
}

func (t *step) hook(transition string) *Hook {
	for i := range t.spec.Hooks {
		if t.spec.Hooks[i].Transition == transition {
			return &t.spec.Hooks[i]
		}
	}
	return nil
}

// lifecycles moves every instance on as far as it can go.
func (t *step) lifecycles() {
	for _, i := range t.group.Instances {
		look := t.look[i.ID]
		switch i.Lifecycle {
		case Pending:
			switch {
			case look.Running && !i.Booted:
				i.Booted = true
				fallthrough
			case look.Running:
				if t.hook(launching) != nil {
					i.enter(PendingWait, t.now)
				} else {
					i.enter(InService, t.now)
				}
			}
		case PendingWait:
			switch t.answer(i, launching) {
			case goOn:
				i.enter(InService, t.now)
			case abandon:
				why := "its launch was abandoned: see the log of the machine"
				t.group.GivenUp = append([]GivenUp{{i.ID, why, i.Launched}},
					t.group.GivenUp[:min(len(t.group.GivenUp), mostGivenUp-1)]...)
				t.failed(i, why)
				t.end(i)
			}
		case Terminating:
			if look.Idle || !look.Running || !t.now.Before(i.DrainUntil) {
				if t.hook(terminating) != nil && look.Running {
					i.enter(TerminatingWait, t.now)
				} else {
					i.enter(Ending, t.now)
				}
			}
		case TerminatingWait:
			if t.answer(i, terminating) != "" || !look.Running {
				i.enter(Ending, t.now)
			}
		}
	}
}

// answer is the result of the hook that an instance waits for, empty as long as there is none.
func (t *step) answer(i *Instance, transition string) string {
	hook := t.hook(transition)
	switch {
	case i.Answer != "":
		return i.Answer
	case hook == nil:
		return goOn // the hook was deleted meanwhile
	case t.now.Sub(i.Entered) >= hook.Timeout:
		return cmp.Or(hook.Default, abandon)
	}
	return ""
}

// health finds out who has to be replaced.
func (t *step) health() {
	for _, i := range t.group.Instances {
		look := t.look[i.ID]
		switch {
		case i.going():
		case i.Booted && !look.Running:
			t.failed(i, "its machine does not run any more")
			t.end(i) // there is nothing to wait for
		case i.Lifecycle == InService && t.spec.HealthCheckType == "ELB" && look.Target == "unhealthy" &&
			t.now.Sub(i.Entered) >= t.spec.Grace:
			i.Unhealthy = "the load balancer's check fails"
		}
	}
}

// end begins an instance's way out: the load balancer sends it nothing new, and what is under way may end.
func (t *step) end(i *Instance) {
	if i.going() {
		return
	}
	i.enter(Terminating, t.now)
	i.DrainUntil = t.now.Add(t.drain)
}

// capacity starts and ends instances, so that there are as many as desired, over all zones alike.
func (t *step) capacity() {
	g := t.group
	if r := g.active(); r != nil {
		t.refresh(r)
		if g.active() != nil {
			t.replaceUnhealthy()
			return
		}
	}
	t.replaceUnhealthy()
	total := len(g.of((*Instance).counts))
	for ; total < g.Desired; total++ {
		if !t.room() || !t.launch(g.Template) {
			return
		}
	}
	serving := g.of(func(i *Instance) bool { return i.counts() && i.Lifecycle == InService })
	switch {
	case len(serving) > g.Desired:
		t.end(t.surplus(serving))
	case total == g.Desired && len(serving) == total && t.uneven():
		t.launch(g.Template) // the surplus goes from the fullest zone once this one serves
	}
}

// room says whether the group may be larger than it is now, unhealthy instances included.
func (t *step) room() bool {
	most := t.group.Desired
	if t.spec.MaxHealthy > 100 {
		most = max(most, percent(t.group.Desired, t.spec.MaxHealthy))
	}
	here := t.group.of(func(i *Instance) bool { return !i.going() })
	return len(here) < most
}

func percent(n, of int) int { return (n*of + 99) / 100 }

// replaceUnhealthy ends unhealthy instances once the others are enough without them. Without a maintenance policy they
// go first.
func (t *step) replaceUnhealthy() {
	g := t.group
	serving := len(g.of(func(i *Instance) bool { return i.counts() && i.Lifecycle == InService && t.answers(i) }))
	for _, i := range g.of(func(i *Instance) bool { return !i.going() && i.Unhealthy != "" }) {
		if t.spec.MinHealthy <= 0 || serving >= percent(g.Desired, t.spec.MinHealthy) {
			t.end(i)
		}
	}
}

// answers says whether the load balancer, if the instance has one, sends it requests.
func (t *step) answers(i *Instance) bool {
	return len(t.spec.TargetGroups) == 0 || t.look[i.ID].Target == "healthy"
}

// launch decides on one more instance; it fails when no zone can be used.
func (t *step) launch(template Reference) bool {
	zone := t.group.emptiest(t.spec.Zones, t.state.Off)
	if zone == "" {
		return false
	}
	t.group.Instances = append(t.group.Instances, &Instance{
		ID: t.state.identifier("i-"), Zone: zone, Template: template, Lifecycle: Pending, Launched: t.now, Entered: t.now,
	})
	return true
}

// surplus is the instance that goes first: from the fullest zone, of the oldest template, the oldest.
func (t *step) surplus(of []*Instance) *Instance {
	return slices.MinFunc(of, func(a, b *Instance) int {
		return cmp.Or(t.group.in(b.Zone)-t.group.in(a.Zone), a.Template.Version-b.Template.Version,
			a.Launched.Compare(b.Launched), cmp.Compare(a.ID, b.ID))
	})
}

// uneven says that one usable zone has two instances more than another.
func (t *step) uneven() bool {
	var counts []int
	for _, zone := range t.spec.Zones {
		if !t.state.Off[zone] {
			counts = append(counts, t.group.in(zone))
		}
	}
	return len(counts) > 1 && slices.Max(counts)-slices.Min(counts) > 1 && t.room()
}

// identifier gives out one that was never given out, in AWS's form.
func (s *State) identifier(prefix string) string {
	s.Serial++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", prefix, s.Serial))
	return prefix + hex.EncodeToString(sum[:])[:17]
}
