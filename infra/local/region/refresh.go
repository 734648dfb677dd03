package region

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Refresh is an instance refresh.
type Refresh struct {
	ID             string
	Status, Reason string
	From, To       Reference
	Preferences    Preferences
	Started, Ended time.Time
	Baking         time.Time // since when all are new
}

// Preferences are StartInstanceRefresh's.
type Preferences struct {
	MinHealthy, MaxHealthy int // percent
	Warmup, Bake           time.Duration
	SkipMatching           bool
	AutoRollback           bool
	Alarms                 []string
}

// The states of a refresh:
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstanceRefresh.html
const (
	InProgress         = "InProgress"
	Baking             = "Baking"
	Successful         = "Successful"
	Failed             = "Failed"
	Cancelling         = "Cancelling"
	Cancelled          = "Cancelled"
	RollbackInProgress = "RollbackInProgress"
	RollbackSuccessful = "RollbackSuccessful"
)

// active is the refresh that is under way.
func (g *Group) active() *Refresh {
	if len(g.Refreshes) == 0 {
		return nil
	}
	switch r := g.Refreshes[0]; r.Status {
	case InProgress, Baking, Cancelling, RollbackInProgress:
		return r
	}
	return nil
}

var (
	errRefreshing = errors.New("InstanceRefreshInProgress")
	errNoRefresh  = errors.New("ActiveInstanceRefreshNotFound")
	errIrrevers   = errors.New("IrreversibleInstanceRefresh")
)

// StartRefresh brings a template version to a group.
func (s *State) StartRefresh(now time.Time, g *Group, to Reference, p Preferences) (*Refresh, error) {
	if g.active() != nil {
		return nil, fmt.Errorf("%w: refresh %s of group %s is under way", errRefreshing, g.active().ID, g.Name)
	}
	r := &Refresh{ID: s.identifier("refresh-"), Status: InProgress, From: g.Template, To: to, Preferences: p,
		Started: now}
	g.Refreshes = slices.Insert(g.Refreshes, 0, r)
	return r, nil
}

// reached says that an instance needs not be replaced on the way to a version.
func (r *Refresh) reached(i *Instance, to Reference) bool {
	anyAge := r.Preferences.SkipMatching || r.Status == RollbackInProgress
	return i.Template == to && (anyAge || !i.Launched.Before(r.Started))
}

// CancelRefresh stops replacing; what was replaced stays.
func (g *Group) CancelRefresh() (*Refresh, error) {
	r := g.active()
	if r == nil {
		return nil, fmt.Errorf("%w: group %s", errNoRefresh, g.Name)
	}
	r.Status, r.Reason = Cancelling, "Cancelled on request."
	return r, nil
}

// RollbackRefresh goes back to the version before.
func (g *Group) RollbackRefresh(reason string) (*Refresh, error) {
	r := g.active()
	switch {
	case r == nil:
		return nil, fmt.Errorf("%w: group %s", errNoRefresh, g.Name)
	case r.From == (Reference{}):
		return nil, fmt.Errorf("%w: group %s has no version to go back to", errIrrevers, g.Name)
	}
	r.Status, r.Reason = RollbackInProgress, reason
	return r, nil
}

// refresh moves one on.
func (t *step) refresh(r *Refresh) {
	g := t.group
	switch r.Status {
	case Cancelling:
		t.finish(r, Cancelled)
	case InProgress, Baking:
		if alarm := t.state.loud(r.Preferences.Alarms); alarm != "" {
			t.stop(r, "alarm "+alarm+" is in ALARM")
			return
		}
		switch {
		case !t.replace(r, r.To):
			r.Status, r.Baking = InProgress, time.Time{}
		case r.Baking.IsZero():
			r.Status, r.Baking = Baking, t.now
			fallthrough
		default:
			if t.now.Sub(r.Baking) >= shortened(r.Preferences.Bake, longestBake) {
				g.Template = r.To
				t.finish(r, Successful)
			}
		}
	case RollbackInProgress:
		if t.replace(r, r.From) {
			t.finish(r, RollbackSuccessful)
		}
	}
}

func (t *step) finish(r *Refresh, status string) { r.Status, r.Ended = status, t.now }

// stop ends a refresh that cannot go on.
func (t *step) stop(r *Refresh, why string) {
	if r.Preferences.AutoRollback && r.From != (Reference{}) {
		r.Status, r.Reason = RollbackInProgress, why
		return
	}
	r.Reason = why
	t.finish(r, Failed)
}

// failed notes that an instance did not do what it was started for. During a refresh that is the end of it.
func (t *step) failed(i *Instance, why string) {
	r := t.group.active()
	if r != nil && (r.Status == InProgress || r.Status == Baking) && i.Template == r.To && !i.Launched.Before(r.Started) {
		t.stop(r, fmt.Sprintf("instance %s: %s", i.ID, why))
	}
	if i.Unhealthy == "" {
		i.Unhealthy = why
	}
}

// replace moves the group towards a version within the preferences' limits, and says whether it has got there.
func (t *step) replace(r *Refresh, to Reference) bool {
	g, p := t.group, r.Preferences
	current := g.of(func(i *Instance) bool { return i.counts() && r.reached(i, to) })
	old := g.of(func(i *Instance) bool { return i.counts() && !r.reached(i, to) })
	ready := g.of(func(i *Instance) bool { return i.counts() && r.reached(i, to) && t.warm(r, i) })
	oldServing := slices.DeleteFunc(slices.Clone(old), func(i *Instance) bool { return i.Lifecycle != InService })

	most := max(percent(g.Desired, p.MaxHealthy), g.Desired)
	here := len(g.of(func(i *Instance) bool { return !i.going() }))
	for missing := g.Desired - len(current); missing > 0 && here < most && t.launch(to); missing-- {
		here++
	}
	least := percent(g.Desired, p.MinHealthy)
	if most == g.Desired {
		least = min(least, g.Desired-1) // else nothing could ever begin
	}
	// Those that do not serve yet go at once; the others as long as enough serve without them.
	for _, i := range old {
		if i.Lifecycle != InService {
			t.end(i)
		}
	}
	for serving := len(ready) + len(oldServing); len(oldServing) > 0 && serving > least; serving-- {
		gone := t.surplus(oldServing)
		t.end(gone)
		oldServing = slices.DeleteFunc(oldServing, func(i *Instance) bool { return i == gone })
	}
	for extra := len(ready) - g.Desired; extra > 0; extra-- { // the desired capacity was lowered meanwhile
		gone := t.surplus(ready)
		t.end(gone)
		ready = slices.DeleteFunc(ready, func(i *Instance) bool { return i == gone })
	}
	leaving := g.of((*Instance).going)
	return len(old) == 0 && len(ready) == g.Desired && len(leaving) == 0
}

// warm says whether an instance counts for the refresh. Those that the refresh found need no time to warm up.
func (t *step) warm(r *Refresh, i *Instance) bool {
	if i.Lifecycle != InService || !t.answers(i) {
		return false
	}
	return i.Launched.Before(r.Started) || t.now.Sub(i.Entered) >= shortened(r.Preferences.Warmup, longestWarmup)
}

// loud is one of the alarms that is in ALARM, empty when none is.
func (s *State) loud(alarms []string) string {
	for _, name := range alarms {
		if s.Alarms[name] == "ALARM" {
			return name
		}
	}
	return ""
}

// Progress is how much of a refresh is done, in percent, and how many instances are still to be replaced.
func (g *Group) Progress(r *Refresh) (done, left int) {
	if r.Status == Successful || r.Status == RollbackSuccessful {
		return 100, 0
	}
	to := r.To
	if r.Status == RollbackInProgress {
		to = r.From
	}
	left = len(g.of(func(i *Instance) bool { return i.counts() && !r.reached(i, to) }))
	return max(0, 100-100*left/max(1, g.Desired)), left
}
