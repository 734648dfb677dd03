package region

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// world is a group with a fake clock and fake machines, which boot in bootTicks and die as they are told.
type world struct {
	t        *testing.T
	state    State
	declared Declared
	now      time.Time
	booted   map[string]int // ticks since its launch
	dead     map[string]bool
	sick     map[string]bool
	gone     map[string]bool
	lowest   int // the fewest that answered at any moment since watch
}

const (
	bootTicks  = 3
	templateID = "lt-1"
)

var groupSpec = GroupSpec{
	Name: "app", Min: 2, Max: 6, Zones: []string{"a", "b"}, Template: Reference{templateID, 1}, TargetGroups: []string{"arn"},
	HealthCheckType: "EC2", Grace: 5 * time.Second, MinHealthy: 100, MaxHealthy: 200,
}

func newWorld(t *testing.T, change func(*GroupSpec)) *world {
	spec := groupSpec
	if change != nil {
		change(&spec)
	}
	w := &world{t: t, now: time.Unix(1e9, 0), booted: map[string]int{}, dead: map[string]bool{}, sick: map[string]bool{},
		gone: map[string]bool{}, declared: Declared{
			Groups:       map[string]GroupSpec{"app": spec},
			TargetGroups: map[string]TargetGroup{"arn": {ARN: "arn", Drain: 10 * time.Second}},
		}}
	return w
}

func (w *world) group() *Group { return w.state.Groups["app"] }

func (w *world) looks() map[string]Look {
	looks := map[string]Look{}
	if w.group() == nil {
		return looks
	}
	for _, i := range w.group().Instances {
		running := w.booted[i.ID] >= bootTicks && !w.dead[i.ID] && !w.gone[i.ID]
		look := Look{Running: running, Gone: w.booted[i.ID] == 0 || w.gone[i.ID]}
		if i.Lifecycle == InService || i.Lifecycle == Terminating {
			look.Target = "unhealthy"
			if running && !w.sick[i.ID] {
				look.Target = "healthy"
			}
		}
		looks[i.ID] = look
	}
	return looks
}

// run lets seconds pass.
func (w *world) run(seconds int) *world {
	for range seconds {
		w.now = w.now.Add(time.Second)
		w.state.Step(w.now, w.declared, w.looks())
		if w.group() == nil {
			continue
		}
		answering := 0
		for _, i := range w.group().Instances {
			switch {
			case i.Lifecycle == Pending:
				w.booted[i.ID]++
			case i.Lifecycle == Ending:
				w.gone[i.ID] = true
			case i.Lifecycle == InService && w.looks()[i.ID].Target == "healthy":
				answering++
			}
		}
		w.lowest = min(w.lowest, answering)
	}
	return w
}

// watch begins to watch how many answer.
func (w *world) watch() *world { w.lowest = 1000; return w }

// show is every instance as zone, version and lifecycle.
func (w *world) show() string {
	var all []string
	for _, i := range w.group().Instances {
		all = append(all, fmt.Sprintf("%s%d:%s", i.Zone, i.Template.Version, i.Lifecycle))
	}
	return strings.Join(all, " ")
}

func (w *world) instance(n int) *Instance { return w.group().Instances[n] }

func TestGroupsKeepTheirSize(t *testing.T) {
	hook := func(timeout time.Duration, otherwise string) func(*GroupSpec) {
		return func(s *GroupSpec) { s.Hooks = []Hook{{"rehearsal", launching, otherwise, timeout}} }
	}
	elb := func(s *GroupSpec) { s.HealthCheckType = "ELB" }
	for name, tc := range map[string]struct {
		spec   func(*GroupSpec)
		happen func(*world)
		after  int
		want   string
		lowest int // -1: not watched
	}{
		"over all zones": {nil, func(*world) {}, 10, "a1:InService b1:InService", -1},
		"grows where there are fewest": {nil, func(w *world) { w.group().Desired = 3 }, 10,
			"a1:InService b1:InService a1:InService", 2},
		"grows to the maximum only": {nil, func(w *world) { w.group().Desired = 99 }, 10,
			"a1:InService b1:InService a1:InService b1:InService a1:InService b1:InService", 2},
		"shrinks after a drain": {nil, func(w *world) {
			w.group().Desired = 4
			w.run(10).watch()
			w.group().Desired = 2
		}, 30, "a1:InService b1:InService", 2},
		"replaces a dead machine": {nil, func(w *world) { w.dead[w.instance(0).ID] = true }, 10,
			"b1:InService a1:InService", 1},
		"EC2 does not ask the load balancer": {nil, func(w *world) { w.sick[w.instance(0).ID] = true }, 60,
			"a1:InService b1:InService", 1},
		"ELB does, and starts the successor first": {elb, func(w *world) {
			w.run(10)
			w.sick[w.instance(0).ID] = true
		}, 40, "b1:InService a1:InService", 1},
		"ELB waits for the grace period": {elb, func(w *world) {
			w.declared.Groups["app"] = func() GroupSpec { s := w.declared.Groups["app"]; s.Grace = time.Hour; return s }()
			w.sick[w.instance(0).ID] = true
		}, 60, "a1:InService b1:InService", -1},
		"a zone that is off": {nil, func(w *world) {
			w.state.Off = map[string]bool{"b": true}
			w.dead[w.instance(1).ID] = true
		}, 10, "a1:InService a1:InService", -1},
		"evens out when the zone is back": {nil, func(w *world) {
			w.state.Off = map[string]bool{"b": true}
			w.dead[w.instance(1).ID] = true
			w.run(10).watch()
			w.state.Off = nil
		}, 40, "a1:InService b1:InService", 2},
		"a hook keeps it from serving": {hook(time.Hour, abandon), func(*world) {}, 60, "a1:Pending:Wait b1:Pending:Wait", -1},
		"a hook that continues": {hook(time.Hour, abandon), func(w *world) {
			w.instance(0).Answer, w.instance(1).Answer = goOn, goOn
		}, 1, "a1:InService b1:InService", -1},
		"a hook that abandons": {hook(time.Hour, abandon), func(w *world) {
			w.instance(0).Answer = abandon
		}, 20, "b1:Pending:Wait a1:Pending:Wait", -1},
		"a hook's time is over": {hook(20*time.Second, goOn), func(*world) {}, 20, "a1:InService b1:InService", -1},
		"a hook's time is over, by default it abandons": {hook(14*time.Second, ""), func(w *world) {
			require.Equal(t, "a1:Pending:Wait b1:Pending:Wait", w.show())
		}, 5, "a1:Terminating b1:Terminating a1:Pending b1:Pending", -1},
		"a lower maximum": {nil, func(w *world) {
			w.group().Desired = 4
			w.run(10)
			s := w.declared.Groups["app"]
			s.Max = 3
			w.declared.Groups["app"] = s
		}, 40, "b1:InService a1:InService b1:InService", -1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tc.spec).run(15).watch()
			tc.happen(w)
			w.run(tc.after)
			require.Equal(t, tc.want, w.show())
			if tc.lowest >= 0 {
				require.Equal(t, tc.lowest, w.lowest, "fewest that answered")
			}
		})
	}
}

func TestAGroupThatIsDeletedEndsItsMachines(t *testing.T) {
	w := newWorld(t, nil).run(10)
	delete(w.declared.Groups, "app")
	w.run(30)
	require.Nil(t, w.group())
	require.Len(t, w.gone, 2)
}

func TestRefresh(t *testing.T) {
	rolling := Preferences{MinHealthy: 100, MaxHealthy: 200, Warmup: 10 * time.Second, SkipMatching: true, AutoRollback: true,
		Alarms: []string{"errors"}}
	with := func(change func(*Preferences)) Preferences { p := rolling; change(&p); return p }
	hooked := func(s *GroupSpec) { s.Hooks = []Hook{{"rehearsal", launching, abandon, 30 * time.Second}} }
	for name, tc := range map[string]struct {
		spec        func(*GroupSpec)
		preferences Preferences
		happen      func(*world)
		after       int
		status      string
		want        string
		lowest      int
	}{
		"all new first": {nil, rolling, func(*world) {}, 40, Successful, "a2:InService b2:InService", 2},
		"the old serve while the new warm up": {nil, rolling, func(*world) {}, 10, InProgress,
			"a1:InService b1:InService a2:InService b2:InService", 2},
		"one goes first where there is no room": {nil, with(func(p *Preferences) { p.MinHealthy, p.MaxHealthy = 90, 100 }),
			func(*world) {}, 120, Successful, "a2:InService b2:InService", 1},
		"it bakes": {nil, with(func(p *Preferences) { p.Bake = time.Hour }), func(*world) {}, 30, Baking,
			"a2:InService b2:InService", 2},
		"it has baked": {nil, with(func(p *Preferences) { p.Bake = time.Hour }), func(*world) {}, 60, Successful,
			"a2:InService b2:InService", 2},
		"an alarm rolls back": {nil, rolling, func(w *world) {
			w.run(8)
			w.state.Alarms = map[string]string{"errors": "ALARM"}
		}, 40, RollbackSuccessful, "a1:InService b1:InService", 2},
		"an alarm while baking rolls back": {nil, with(func(p *Preferences) { p.Bake = time.Hour }), func(w *world) {
			w.run(35)
			w.state.Alarms = map[string]string{"errors": "ALARM"}
		}, 80, RollbackSuccessful, "a1:InService b1:InService", 2},
		"another alarm does not": {nil, rolling, func(w *world) {
			w.state.Alarms = map[string]string{"other": "ALARM"}
		}, 40, Successful, "a2:InService b2:InService", 2},
		"without rollback it fails, and the surplus goes": {nil, with(func(p *Preferences) { p.AutoRollback = false }), func(w *world) {
			w.run(8)
			w.state.Alarms = map[string]string{"errors": "ALARM"}
		}, 30, Failed, "a2:InService b2:InService", 2},
		"a new machine that dies": {nil, rolling, func(w *world) {
			w.run(6)
			w.dead[w.instance(2).ID] = true
		}, 40, RollbackSuccessful, "a1:InService b1:InService", 2},
		"an abandoned launch": {hooked, rolling, func(w *world) {
			w.run(6)
			w.instance(2).Answer = abandon
		}, 40, RollbackSuccessful, "a1:InService b1:InService", 2},
		"a hook that nobody answers": {hooked, rolling, func(*world) {}, 60, RollbackSuccessful, "a1:InService b1:InService", 2},
		"one that never answers is waited for": {nil, rolling, func(w *world) {
			w.run(6)
			w.sick[w.instance(2).ID] = true
		}, 60, InProgress, "b1:InService a2:InService b2:InService", 2},
		"cancelled": {nil, rolling, func(w *world) {
			w.run(6)
			_, err := w.group().CancelRefresh()
			require.NoError(w.t, err)
		}, 30, Cancelled, "a2:InService b2:InService", 2},
		"rolled back on request": {nil, rolling, func(w *world) {
			w.run(6)
			_, err := w.group().RollbackRefresh("because")
			require.NoError(w.t, err)
		}, 30, RollbackSuccessful, "a1:InService b1:InService", 2},
		"an old machine dies meanwhile": {nil, rolling, func(w *world) {
			w.run(6)
			w.dead[w.instance(0).ID] = true
		}, 40, Successful, "a2:InService b2:InService", -1},
		"it grows meanwhile": {nil, rolling, func(w *world) {
			w.run(6)
			w.group().Desired = 3
		}, 50, Successful, "a2:InService b2:InService a2:InService", 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tc.spec)
			w.run(5)
			for _, i := range w.group().Instances {
				i.Answer = goOn
			}
			w.run(10).watch()
			r, err := w.state.StartRefresh(w.now, w.group(), Reference{templateID, 2}, tc.preferences)
			require.NoError(t, err)
			_, err = w.state.StartRefresh(w.now, w.group(), Reference{templateID, 2}, tc.preferences)
			require.ErrorIs(t, err, errRefreshing)
			tc.happen(w)
			w.run(tc.after)
			require.Equal(t, tc.status, r.Status, "%s: %s", r.Reason, w.show())
			require.Equal(t, tc.want, w.show())
			if tc.lowest >= 0 {
				require.Equal(t, tc.lowest, w.lowest, "fewest that answered")
			}
			version := map[string]int{Successful: 2}[r.Status]
			require.Equal(t, max(1, version), w.group().Template.Version)
		})
	}
}

func TestOnlyWhatRunsCanBeCancelled(t *testing.T) {
	w := newWorld(t, nil).run(10)
	_, err := w.group().CancelRefresh()
	require.ErrorIs(t, err, errNoRefresh)
	_, err = w.group().RollbackRefresh("")
	require.ErrorIs(t, err, errNoRefresh)
}

func TestARefreshOfWhatIsCurrentReplacesUnlessToldToSkip(t *testing.T) {
	for _, skip := range []bool{true, false} {
		w := newWorld(t, nil).run(10)
		first := w.instance(0).ID
		_, err := w.state.StartRefresh(w.now, w.group(), Reference{templateID, 1}, Preferences{MinHealthy: 100, MaxHealthy: 200, SkipMatching: skip})
		require.NoError(t, err)
		w.run(60)
		_, there := w.state.Find(first)
		require.Equal(t, skip, there != nil)
		require.Equal(t, Successful, w.group().Refreshes[0].Status)
	}
}
