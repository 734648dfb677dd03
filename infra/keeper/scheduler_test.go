package keeper

import (
	"container/heap"
	"fmt"
	"iter"
	"math/rand"
	"runtime/debug"
	"slices"
	"time"
)

// scheduler runs tasks one at a time on simulated time. Everything that could go either way is drawn from one
// seeded source, so a seed is a schedule.
type scheduler struct {
	now     time.Duration
	rng     *rand.Rand
	events  eventQueue
	count   int
	current *task
	tasks   []*task // that wait for a channel
	closed  bool    // a channel has been, since tasks that wait for one were looked at
	idle    int     // wake-ups without time passing
	broken  string  // the first thing that the store found wrong
}

func (s *scheduler) fail(format string, args ...any) {
	if s.broken == "" {
		s.broken = fmt.Sprintf(format, args...)
	}
}

type event struct {
	at   time.Duration
	seq  int
	call func()
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(e any)   { *q = append(*q, e.(event)) }
func (q *eventQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last].call = nil
	*q = (*q)[:last]
	return e
}

func (s *scheduler) after(d time.Duration, call func()) {
	s.count++
	heap.Push(&s.events, event{s.now + max(d, 0), s.count, call})
}

// run handles events until the time is reached.
func (s *scheduler) run(until time.Duration) {
	for len(s.events) > 0 && s.events[0].at <= until {
		e := heap.Pop(&s.events).(event)
		if s.idle++; e.at > s.now {
			s.idle = 0
		}
		s.now = e.at
		e.call()
		s.wake()
	}
	s.now = until
}

// wake resumes tasks whose channel was closed by the last event.
func (s *scheduler) wake() {
	if !s.closed && !slices.ContainsFunc(s.tasks, func(t *task) bool { return slices.ContainsFunc(t.wake, closed) }) {
		return
	}
	s.closed = false
	for _, t := range slices.Clone(s.tasks) {
		if slices.ContainsFunc(t.wake, closed) {
			t.resumeFrom(t.turn)
		}
	}
}

// close closes a channel that tasks may wait for.
func (s *scheduler) close(c chan struct{}) {
	close(c)
	s.closed = true
}

// uniform draws a duration between least and most.
func (s *scheduler) uniform(least, most time.Duration) time.Duration {
	return least + time.Duration(s.rng.Int63n(int64(most-least)+1))
}

func (s *scheduler) chance(p float64) bool { return s.rng.Float64() < p }

// task is a goroutine that runs only while the scheduler waits for it.
type task struct {
	s     *scheduler
	owner *simProcess // the task ends with it
	yield func(struct{}) bool
	next  func() (struct{}, bool)
	end   func()
	turn  int // of parking; a wake-up for an earlier one is void
	wake  []<-chan struct{}
	on    *simProcess // the process that the task is in right now
	lost  bool        // that process died
}

// ended unwinds a task whose owner died; lost unwinds a visit to a process that died.
type (
	ended struct{}
	lost  struct{}
)

func (s *scheduler) spawn(owner *simProcess, run func()) {
	t := &task{s: s, owner: owner, on: owner}
	t.next, t.end = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		defer func() {
			if r := recover(); r != nil {
				switch r.(type) {
				case ended, lost:
				default:
					debug.PrintStack()
					panic(r)
				}
			}
		}()
		run()
	})
	if owner != nil {
		owner.tasks = append(owner.tasks, t)
	}
	turn := t.turn
	s.after(0, func() { t.resumeFrom(turn) })
}

// resumeFrom continues the task if it is still parked where it was at that turn.
func (t *task) resumeFrom(turn int) {
	if t.turn != turn {
		return
	}
	t.turn++
	t.unwait()
	before := t.s.current
	t.s.current = t
	_, more := t.next()
	t.s.current = before
	if !more && t.owner != nil {
		t.owner.tasks = slices.DeleteFunc(t.owner.tasks, func(u *task) bool { return u == t })
	}
}

func (t *task) unwait() {
	if t.wake != nil {
		t.wake = nil
		t.s.tasks = slices.DeleteFunc(t.s.tasks, func(u *task) bool { return u == t })
	}
}

// park gives way until resumeFrom(turn).
func (t *task) park(wake ...<-chan struct{}) {
	if slices.ContainsFunc(wake, closed) {
		if t.s.idle++; t.s.idle > 10000 {
			panic("a task waits in a loop for a channel that is closed")
		}
		turn := t.turn
		t.s.after(0, func() { t.resumeFrom(turn) })
	} else if len(wake) > 0 {
		t.wake = wake
		t.s.tasks = append(t.s.tasks, t)
	}
	if !t.yield(struct{}{}) {
		panic(ended{})
	}
	if t.lost {
		t.lost = false
		panic(lost{})
	}
}

// kill ends the task where it is parked.
func (t *task) kill() {
	t.turn++
	t.unwait()
	before := t.s.current
	t.s.current = t
	t.end()
	t.s.current = before
}

// machine is what the processes of one computer share: their way to the store.
type machine struct {
	s      *scheduler
	cut    bool          // the store cannot be reached, and hangs
	slow   time.Duration // added to what the store takes
	onJoin []func()      // when no longer cut off
}

func (m *machine) join() {
	m.cut = false
	calls := m.onJoin
	m.onJoin = nil
	for _, call := range calls {
		m.s.after(0, call)
	}
}

// simProcess is a simulated process, which can be paused and killed.
type simProcess struct {
	*machine
	dead    bool
	paused  bool
	tasks   []*task
	onRun   []func() // when no longer paused
	visited []*task  // by tasks of others
}

// whenRunning calls now, or when the process runs again; never if it dies first.
func (p *simProcess) whenRunning(call func()) {
	switch {
	case p.dead:
	case p.paused:
		p.onRun = append(p.onRun, func() { p.whenRunning(call) })
	default:
		call()
	}
}

func (p *simProcess) resume() {
	p.paused = false
	calls := p.onRun
	p.onRun = nil
	for _, call := range calls {
		p.s.after(0, call)
	}
}

// die ends the process with its tasks. Visitors find that out.
func (p *simProcess) die() {
	if p.dead {
		return
	}
	p.dead = true
	tasks := p.tasks
	p.tasks = nil
	for _, t := range tasks {
		t.kill()
	}
	visited := p.visited
	p.visited = nil
	for _, t := range visited {
		t.lost = true
		turn := t.turn
		p.s.after(0, func() { t.resumeFrom(turn) })
	}
}

// visit runs call inside p on behalf of the current task, and returns false if p dies meanwhile.
func (p *simProcess) visit(call func()) (survived bool) {
	if p.dead {
		return false
	}
	t := p.s.current
	before := t.on
	t.on = p
	p.visited = append(p.visited, t)
	defer func() {
		t.on = before
		p.visited = slices.DeleteFunc(p.visited, func(u *task) bool { return u == t })
		if r := recover(); r != nil {
			if _, ok := r.(lost); !ok || !p.dead {
				panic(r)
			}
			survived = false
		}
	}()
	p.turn()
	call()
	return true
}

// turn waits until the process that the current task is in runs.
func (p *simProcess) turn() {
	if !p.paused {
		return
	}
	t := p.s.current
	turn := t.turn
	p.whenRunning(func() { t.resumeFrom(turn) })
	t.park()
}

// sleep is time that passes in the process.
func (p *simProcess) sleep(d time.Duration, wake ...<-chan struct{}) {
	t := p.s.current
	turn := t.turn
	p.s.after(d, func() { p.whenRunning(func() { t.resumeFrom(turn) }) })
	t.park(wake...)
	p.turn()
}

// operate carries out an operation of the process on the store: it travels, happens there, and its result
// travels back. It happens even if the process is paused meanwhile, and perhaps if it has died.
func (p *simProcess) operate(happen func()) {
	t := p.s.current
	turn := t.turn
	reply := func() { p.s.after(p.latency(), func() { p.whenRunning(func() { t.resumeFrom(turn) }) }) }
	var arrive func()
	arrive = func() {
		switch {
		case p.dead && p.s.chance(0.5):
		case p.cut:
			p.onJoin = append(p.onJoin, arrive)
		default:
			happen()
			reply()
		}
	}
	trip := p.latency()
	if p.s.chance(0.001) { // long enough for others to take over more than once
		trip += p.s.uniform(0, 6*time.Second)
	}
	p.s.after(trip, arrive)
	t.park()
	p.turn()
}

func (p *simProcess) latency() time.Duration {
	return p.s.uniform(100*time.Microsecond, 2*time.Millisecond+p.slow)
}
