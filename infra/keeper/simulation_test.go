package keeper

import (
	"flag"
	"fmt"
	"log/slog"
	"math/rand"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	schedules = flag.Int("schedules", defaultSchedules, "how many schedules the simulation tries")
	seed      = flag.Int64("seed", 0, "replay this schedule only, with its log")
)

// without says what a control run lacks of the protocol.
type without struct {
	fence bool          // answers are given as soon as the JVM has them
	copy  bool          // all epochs share one directory
	fresh time.Duration // the store is mounted with an attribute cache of this age
	sync  bool          // copies are not synced
	marks bool          // a successor copies what it sees of the journals
}

// simulation is one schedule: some computers with a keeper each, one store, and requests.
type simulation struct {
	scheduler
	without  without
	disk     *disk
	faults   faults
	nodes    []*node
	clients  *simProcess
	writers  map[string]*prevayler // by directory
	latest   *prevayler            // the last JVM started
	ids      int                   // changes requested
	acked    []ack
	answers  int
	verdict  string // the first violation
	timing   Timing
	log      *slog.Logger
	holders  int
	takeover int
	led      map[string]bool // releases
	refuses  time.Duration   // until when one fails its rehearsals
}

// ack is a change that a client knows to be done.
type ack struct {
	id int
	at time.Duration
}

// node is a computer with a keeper and its JVM.
type node struct {
	sim     *simulation
	address string
	keeper  *Keeper
	process *simProcess // the keeper's
	mount   *mount
	jvm     *prevayler
	link    string
	unheard map[*node]bool // partitioned from
	clock   time.Duration  // what its clock is ahead
	rate    float64        // of its clock
	stop    chan struct{}
	refused bool // its release has failed its last rehearsal
}

// env is a node as Environment.
type env struct{ *node }

func (w env) Now() time.Duration {
	return w.clock + time.Duration(float64(w.sim.now)*w.rate)
}

func (w env) Wait(d time.Duration, wake ...<-chan struct{}) {
	w.process.sleep(time.Duration(float64(d)/w.rate), wake...)
}

func (w env) Go(run func()) { w.sim.spawn(w.process, run) }

// Rehearse fails with some releases for a while: what they cannot do yet may be the store's fault.
func (w env) Rehearse([]part, <-chan struct{}) (Rehearsal, error) {
	w.process.sleep(300 * time.Millisecond)
	w.refused = w.keeper.release == "broken" && w.sim.now < w.sim.refuses
	if w.refused {
		return Rehearsal{}, errJVMDied
	}
	return Rehearsal{}, nil
}

func (w env) Start(epoch uint64) (JVM, error) {
	// Where there is no data yet, a release has nothing to rehearse on, and may lead.
	files, _ := w.sim.disk.list(path.Join(DataDir(epoch), filesDir))
	if w.refused && !w.sim.led[w.keeper.release] && len(files) > 0 {
		w.sim.violate("%s leads with a release that has not passed its rehearsal", w.address)
	}
	w.sim.led[w.keeper.release] = true
	if w.jvm != nil && !w.jvm.process.dead {
		w.sim.violate("%s moves its link while its JVM runs", w.address)
	}
	w.link = DataDir(epoch)
	if w.sim.without.copy {
		w.link = "shared"
	}
	j := &prevayler{node: w.node, link: w.link, exited: make(chan struct{}), process: &simProcess{machine: w.process.machine}}
	if w.sim.writers[w.link] != nil && !w.sim.without.copy {
		w.sim.violate("a second JVM starts in %s", w.link)
	}
	w.sim.writers[w.link] = j
	w.jvm, w.sim.latest = j, j
	w.sim.takeover++
	w.sim.spawn(j.process, j.run)
	return j, nil
}

func (w env) Probe(address, _ string) Reach {
	other := w.sim.at(address)
	w.process.sleep(w.sim.uniform(time.Millisecond, 20*time.Millisecond))
	switch {
	case other == nil || w.unheard[other]:
		return NoAnswer
	case other.process.dead:
		return Refused
	case !other.process.paused && other.keeper.Route().Self:
		return Leading
	}
	return NoAnswer
}

func (s *simulation) at(address string) *node {
	for _, n := range s.nodes {
		if n.address == address {
			return n
		}
	}
	return nil
}

func (s *simulation) violate(format string, args ...any) {
	if s.verdict == "" {
		s.verdict = fmt.Sprintf(format, args...)
		s.log.Error("VIOLATION", "what", s.verdict)
	}
}

func newSimulation(seed int64, w without, log *slog.Logger) *simulation {
	s := &simulation{without: w, writers: map[string]*prevayler{}, log: log, led: map[string]bool{}}
	s.rng = rand.New(rand.NewSource(seed))
	s.disk = newDisk(&s.scheduler)
	if s.chance(0.5) {
		s.disk.lag = s.uniform(0, 2*time.Second)
	}
	s.clients = &simProcess{machine: &machine{s: &s.scheduler}}
	s.timing = Timing{Poll: 400 * time.Millisecond, Heartbeat: 400 * time.Millisecond, ElectionTimeout: 1200 * time.Millisecond,
		Start: 10 * time.Second, Hang: 1500 * time.Millisecond, Stuck: 2 * time.Second, Drain: 500 * time.Millisecond, Stop: 2 * time.Second}
	if s.chance(0.3) {
		s.adoptable()
	}
	for i := range 2 + s.rng.Intn(2) {
		n := &node{sim: s, address: fmt.Sprintf("n%d", i), unheard: map[*node]bool{}, rate: 1,
			clock: s.uniform(0, time.Hour), process: &simProcess{machine: &machine{s: &s.scheduler}, dead: true}}
		s.nodes = append(s.nodes, n)
		s.after(s.uniform(0, 20*time.Millisecond), n.start)
	}
	return s
}

// adoptable leaves the data of an installation without a keeper in the store.
func (s *simulation) adoptable() {
	dir := filesDir
	if s.without.copy {
		dir = path.Join("shared", filesDir)
		_ = s.disk.mkdir("shared") // its parent is there
	}
	_ = s.disk.mkdir(dir) // its parent is there
	for journal := range 1 + s.rng.Intn(3) {
		first := s.ids + 1
		file, err := s.disk.create(fmt.Sprintf("%s/%019d.journal", dir, first), true)
		if err != nil {
			panic(err)
		}
		for range 1 + s.rng.Intn(4) {
			file.data = fmt.Appendf(file.data, "%d\n", s.ids)
			s.acked = append(s.acked, ack{s.ids, 0})
			s.ids++
		}
		if journal == 2 {
			file.data = append(file.data, '9') // torn
		}
	}
}

// start starts the keeper of a computer where none runs.
func (n *node) start() {
	if !n.process.dead || n.jvm != nil && !n.jvm.process.dead {
		return
	}
	s := n.sim
	n.process = &simProcess{machine: n.process.machine}
	s.holders++
	n.mount = newMount(s.disk, n.process, &s.faults, s.without)
	n.keeper = newKeeper(s.timing, fmt.Sprintf("holder%d", s.holders), n.address, n.mount, env{n}, s.log.With("keeper", n.address))
	n.keeper.store.keep = retention{claims: 2, least: 1, most: 2, age: time.Hour, interval: 500 * time.Millisecond, pressed: 1}
	n.keeper.release, n.refused = s.release(), false
	n.stop = make(chan struct{})
	keeper, stop := n.keeper, n.stop
	s.spawn(n.process, func() {
		keeper.Run(stop, stop)
		s.after(0, n.crash)
	})
}

// release is that of the next keeper: a good one, another good one, or one that fails its rehearsals for some time.
func (s *simulation) release() string {
	switch {
	case s.holders%5 == 0:
		s.refuses = s.now + longest
		return "broken"
	case s.holders%3 == 0:
		return "next"
	}
	return "first"
}

// crash ends the keeper and, a moment later, the JVM with it; perhaps with the computer and what it had not
// synced.
func (n *node) crash() {
	n.process.die()
	if n.mount != nil && n.sim.chance(0.5) {
		n.mount.flushAll()
	}
	if j := n.jvm; j != nil && !j.process.dead {
		n.sim.after(n.sim.uniform(0, 50*time.Millisecond), j.exit)
	}
}

// request sends one to a computer. change is the number of a change, or -1 for a read.
func (s *simulation) request(n *node, change int) {
	began := s.now
	s.spawn(s.clients, func() {
		got, ok := s.handle(n, change, false)
		if !ok {
			return
		}
		s.answers++
		for _, a := range s.acked {
			switch {
			case a.at >= began || got.served.has(a.id):
			case got.by == s.latest:
				s.violate("change %d, acknowledged at %s, is lost at %s", a.id, a.at, began)
			case s.without == without{}:
				s.violate("change %d, acknowledged at %s, is not in the answer of a former leader at %s", a.id, a.at, began)
			}
		}
		if change >= 0 {
			s.acked = append(s.acked, ack{change, s.now})
		}
	})
}

// answer is what a client gets to see, and from whom.
type answer struct {
	served changes
	by     *prevayler
}

// handle is what proxy does, without HTTP: the route, the JVM, the fence.
func (s *simulation) handle(n *node, change int, forwarded bool) (got answer, ok bool) {
	k := n.keeper
	if k == nil {
		return got, false
	}
	survived := n.process.visit(func() {
		switch route := k.Route(); {
		case route.Self:
			k.inFlight.Add(1)
			defer k.inFlight.Add(-1)
			got.by = n.jvm
			if change >= 0 {
				k.ChangeBegins()
			}
			got.served, ok = n.jvm.ask(change)
			if change >= 0 {
				k.ChangeEnds(ok)
			}
			if ok && !s.without.fence {
				ok = k.MayAnswer(route.Epoch) == nil
			}
		case route.Address != "" && !forwarded:
			leader := s.at(route.Address)
			if leader == nil || n.unheard[leader] {
				return
			}
			got, ok = s.handle(leader, change, true)
			n.process.turn()
		}
	})
	return got, ok && survived
}

// load sends requests until the time is reached.
func (s *simulation) load(until time.Duration) {
	if s.now >= until {
		return
	}
	n := s.nodes[s.rng.Intn(len(s.nodes))]
	if s.chance(0.6) {
		s.request(n, s.ids)
		s.ids++
	} else {
		s.request(n, -1)
	}
	s.after(s.uniform(10*time.Millisecond, 150*time.Millisecond), func() { s.load(until) })
}

// trouble lets something go wrong, again and again until the time is reached.
func (s *simulation) trouble(until time.Duration) {
	if s.now >= until {
		return
	}
	n := s.nodes[s.rng.Intn(len(s.nodes))]
	if s.chance(0.6) { // mostly the one that leads
		for _, m := range s.nodes {
			if m.keeper != nil && m.keeper.Route().Self {
				n = m
			}
		}
	}
	long := s.uniform(100*time.Millisecond, longest)
	heal := func(call func()) { s.after(long, call) }
	j := n.jvm
	kind := s.rng.Intn(15)
	s.log.Debug("fault", "at", s.now, "kind", kind, "node", n.address, "long", long)
	switch kind {
	case 0: // the container is killed, and started again
		n.crash()
		heal(n.start)
	case 1: // the JVM is killed
		if j != nil {
			j.exit()
		}
	case 2: // the computer stands still
		n.pause(j, true, true)
		heal(func() { n.resume(j, true, true) })
	case 3: // the keeper alone does
		n.pause(j, true, false)
		heal(func() { n.resume(j, true, false) })
	case 4: // the JVM alone does
		n.pause(j, false, true)
		heal(func() { n.resume(j, false, true) })
	case 5: // the store cannot be reached from one computer
		n.process.cut = true
		heal(n.process.join)
	case 6: // nor one computer from another
		other := s.nodes[s.rng.Intn(len(s.nodes))]
		n.unheard[other], other.unheard[n] = true, true
		heal(func() { delete(n.unheard, other); delete(other.unheard, n) })
	case 7: // a clock jumps, and goes wrong
		n.clock += s.uniform(-10*time.Second, time.Hour)
		n.rate = 0.5 + 1.5*s.rng.Float64()
		heal(func() { n.rate = 1 })
	case 8: // a disk is slow
		n.process.slow = s.uniform(0, 500*time.Millisecond)
		heal(func() { n.process.slow = 0 })
	case 9: // the store fails now and then
		s.faults.chance = 0.2 * s.rng.Float64()
		heal(func() { s.faults.chance = 0 })
	case 10: // an orderly stop, and a start
		if !n.process.dead && !closed(n.stop) {
			s.close(n.stop)
		}
		heal(n.start)
	case 11: // a JVM cannot write its journal any more, and says so or hangs
		if j != nil {
			j.failing, j.hangs = true, s.chance(0.5)
		}
	case 12: // large directories are slow
		s.faults.perEntry = s.uniform(0, 100*time.Millisecond)
		heal(func() { s.faults.perEntry = 0 })
	case 13: // somebody claims and goes away, several times
		s.storm(1 + s.rng.Intn(3))
	case 14: // a JVM takes a snapshot
		if j != nil && j.ready && !j.process.dead {
			s.spawn(j.process, func() {
				j.process.turn()
				j.lock()
				j.snapshot()
				j.unlock()
			})
		}
	}
	s.after(s.uniform(0, 1500*time.Millisecond), func() { s.trouble(until) })
}

// storm lets a keeper that dies at once claim epochs.
func (s *simulation) storm(claims int) {
	p := &simProcess{machine: &machine{s: &s.scheduler}}
	st := newStore(newMount(s.disk, p, &s.faults, s.without))
	s.spawn(p, func() {
		for range claims {
			newest, err := st.newest(0)
			if err != nil || newest == 0 {
				return
			}
			s.holders++
			_ = st.claim(Claim{Epoch: newest + 1, Holder: fmt.Sprintf("storm%d", s.holders), Address: "nobody"})
			p.sleep(s.uniform(0, time.Second))
		}
	})
}

func (n *node) processes(j *prevayler) []*simProcess {
	if j == nil {
		return []*simProcess{n.process}
	}
	return []*simProcess{n.process, j.process}
}

func (n *node) pause(j *prevayler, keeper, jvm bool) {
	if keeper {
		n.process.paused = true
	}
	if jvm && j != nil && !j.process.paused {
		j.process.paused, j.silent = true, n.sim.now
	}
}

func (n *node) resume(j *prevayler, keeper, jvm bool) {
	if keeper {
		for _, p := range n.processes(nil) {
			p.resume()
		}
	}
	if jvm && j != nil {
		j.process.resume()
	}
}

// longest is how long a fault lasts at most.
const longest = 3 * time.Second

// simulate runs a schedule and returns what it violated.
func simulate(seed int64, w without, log *slog.Logger) *simulation {
	const rough, calm = 7 * time.Second, 30 * time.Second
	s := newSimulation(seed, w, log)
	s.after(time.Second, func() { s.load(rough) })
	s.after(s.uniform(0, 2*time.Second), func() { s.trouble(rough) })
	s.run(rough + longest) // everything has healed
	// Posts, for a site that can only be read has not recovered.
	before, asked := len(s.acked), time.Duration(0)
	for s.verdict == "" && len(s.acked) == before && asked < calm {
		for _, n := range s.nodes {
			s.after(0, n.start) // a machine starts a keeper again whenever one has ended, and that may take its time
		}
		s.request(s.nodes[s.rng.Intn(len(s.nodes))], s.ids)
		s.ids++
		asked += 200 * time.Millisecond
		s.run(s.now + 200*time.Millisecond)
	}
	if s.broken != "" {
		s.violate("%s", s.broken)
	}
	if len(s.acked) == before {
		s.violate("nobody has answered a post for %s after everything healed", calm)
	}
	s.end()
	return s
}

func (s *simulation) end() {
	s.clients.die()
	for _, n := range s.nodes {
		for _, p := range n.processes(n.jvm) {
			p.die()
		}
	}
}

// verdicts tries seeds on all processors until one is judged as expected, and returns it, with the totals.
func verdicts(seeds int, w without, expect string) (failed *simulation, failedSeed int64, acked, takeovers int) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // short-lived worlds, little memory
	var mu sync.Mutex
	var wait sync.WaitGroup
	next := int64(0)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for {
				mu.Lock()
				next++
				mine, over := next, failed != nil || next >= int64(seeds)+1
				mu.Unlock()
				if over {
					return
				}
				s := simulate(mine, w, slog.New(slog.DiscardHandler))
				mu.Lock()
				acked += len(s.acked)
				takeovers += s.takeover
				if s.verdict != "" && strings.Contains(s.verdict, expect) && (failed == nil || mine < failedSeed) {
					failed, failedSeed = s, mine
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return failed, failedSeed, acked, takeovers
}

func TestSimulation(t *testing.T) {
	if *seed != 0 {
		log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelDebug}))
		require.Empty(t, simulate(*seed, without{}, log).verdict)
		return
	}
	began := time.Now()
	failed, failedSeed, acked, takeovers := verdicts(*schedules, without{}, "")
	if failed != nil {
		t.Fatalf("seed %d: %s\nreplay: go test ./infra/keeper -run 'TestSimulation$' -seed %d", failedSeed, failed.verdict, failedSeed)
	}
	t.Logf("%d schedules in %s: %d acknowledged changes, %d JVM starts", *schedules, time.Since(began).Round(time.Millisecond), acked, takeovers)
}

// TestSimulationFindsWhatIsMissing shows that the simulation would notice if the protocol lacked a part. Each of
// these is a design that looks sufficient.
func TestSimulationFindsWhatIsMissing(t *testing.T) {
	for name, control := range map[string]struct {
		without without
		expect  string
	}{
		"no fence":                  {without{fence: true}, "is lost"},
		"no copy of the epoch":      {without{copy: true}, "is lost"},
		"no marks":                  {without{marks: true}, "is lost"},
		"only a lock file":          {without{fence: true, copy: true}, "is lost"},
		"an attribute cache of 3 s": {without{fresh: 3 * time.Second}, "is lost"},
		// The manifest tells that the copy is not whole, so the data is refused and nothing is lost.
		"copies that are not synced": {without{sync: true}, "nobody has answered a post"},
	} {
		t.Run(name, func(t *testing.T) {
			failed, failedSeed, _, _ := verdicts(5000, control.without, control.expect)
			require.NotNil(t, failed, "no schedule of 5000 shows what this lacks")
			t.Logf("seed %d: %s", failedSeed, failed.verdict)
		})
	}
}

// TestSimulationIsDeterministic makes sure that a seed that failed can be replayed.
func TestSimulationIsDeterministic(t *testing.T) {
	for seed := range int64(20) {
		a, b := simulate(seed, without{}, slog.New(slog.DiscardHandler)), simulate(seed, without{}, slog.New(slog.DiscardHandler))
		require.Equal(t, a.acked, b.acked)
		require.Equal(t, a.count, b.count)
	}
}
