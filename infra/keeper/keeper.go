package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Environment is what a keeper acts on besides the store.
type Environment interface {
	Now() time.Duration // monotonic
	// Wait returns after d, or earlier when one of the channels is closed.
	Wait(d time.Duration, wake ...<-chan struct{})
	// Start starts a JVM in the data directory of an epoch. The one before is dead.
	Start(epoch uint64) (JVM, error)
	// Rehearse starts a JVM on a copy of these parts, asks it for pages, and ends it. fs.ErrNotExist: one is gone.
	Rehearse(parts []part, stop <-chan struct{}) (Rehearsal, error)
	Go(run func())
	// Probe asks the keeper at address whether it is the holder of the newest claim, and is ready.
	Probe(address, holder string) Reach
}

// JVM is a started JVM.
type JVM interface {
	Exited() <-chan struct{} // closed once it is dead, with all processes it started
	Ready() bool             // whether it has ever answered
	Silent() time.Duration   // how long it has not answered; 0 before it is ready
	Stop()                   // asks it to stop in an orderly way
	Kill()
}

// Reach is what a probe found.
type Reach int

// What a probe can find.
const (
	NoAnswer Reach = iota // nothing, or another answer
	Refused               // the machine is there, but no keeper listens
	Leading               // a leader that is ready
)

// Timing holds the protocol's time-outs. They decide when to try, never whether an answer is safe.
type Timing struct {
	Poll            time.Duration // between two looks at the store while standing by
	Heartbeat       time.Duration // between two heartbeats, and two looks at the store while leading
	ElectionTimeout time.Duration // without a heartbeat before a standby claims; with errors before a leader gives up
	Start           time.Duration // for a JVM to answer for the first time
	Hang            time.Duration // without an answer before a JVM counts as dead
	Drain           time.Duration // for running requests before an orderly stop
	Stuck           time.Duration // without a change carried out, while some are asked for, before a JVM counts as dead
	Stop            time.Duration // for the JVM's own orderly stop, which takes Prevayler's snapshot
}

// DefaultTiming suits an application server of one or two CPUs.
var DefaultTiming = Timing{
	Poll: 500 * time.Millisecond, Heartbeat: time.Second, ElectionTimeout: 2500 * time.Millisecond,
	Start: 2 * time.Minute, Hang: 5 * time.Second, Stuck: 20 * time.Second, Drain: 5 * time.Second, Stop: 55 * time.Second,
}

// Route says who can answer requests now.
type Route struct {
	Epoch   uint64          // the newest epoch known
	Self    bool            // this keeper's own JVM answers
	Address string          // the leader's keeper, if it is another one; empty if nobody is known to lead
	Holder  string          // that keeper's name in its claim
	Changed <-chan struct{} // closed when this route is no longer the latest
}

// Keeper takes part in the protocol: it stands by, and leads when nobody else does.
type Keeper struct {
	timing  Timing
	id      string // random, one per process
	address string // where this keeper serves
	store   store
	env     Environment
	log     *slog.Logger
	metrics *metrics

	inFlight atomic.Int64 // requests at the own JVM
	heard    atomic.Int64 // when the own JVM last answered one, as the env's time

	changes changeMonitor
	term    atomic.Pointer[term] // the epoch that this keeper leads

	mu       sync.Mutex
	route    Route
	changed  chan struct{}
	answered time.Duration // when this server was last known to be able to answer
	reason   string        // why this server cannot answer, for people

	// Only Run's goroutine uses what follows.
	seen     sighting
	highest  uint64        // the newest epoch ever seen
	failures int           // to lead, in a row
	retryAt  time.Duration // not to lead before
	deposals int           // in a row, without having led
	lot      int           // 0 to 4, from the id
	noted    string        // the last problem logged

	expect    string // Options.Expect
	release   string // Options.Release
	identity  string // of the store, once known
	rehearsed bool   // release may lead
	misstarts int    // of JVMs, in a row
	suspects  map[File]bool
	tidied    map[uint64]bool // epochs whose sessions are gone
}

// sighting is what a standby knows of the newest epoch.
type sighting struct {
	claim     Claim
	heartbeat string
	released  bool
	since     time.Duration // heartbeat unchanged since, as observed without interruption
	at        time.Duration // of the last look
	probed    time.Duration // of the last probe
	slow      time.Duration // between two heartbeats, where that was more than it should be
	slowAt    time.Duration // when that was seen
}

func newKeeper(t Timing, id, address string, files FS, w Environment, log *slog.Logger) *Keeper {
	k := &Keeper{timing: t, id: id, address: address, store: newStore(files), env: w, log: log, metrics: newMetrics()}
	for _, c := range id {
		k.lot = (k.lot + int(c)) % 5
	}
	k.tidied = map[uint64]bool{}
	k.changed = make(chan struct{})
	k.route.Changed = k.changed
	k.answered = -time.Hour
	k.reason = "starting"
	return k
}

// Run stands by and leads until stop is closed, once its release may lead; a leader stops its JVM in an orderly way
// first. It then goes on looking who leads, so that held requests can be forwarded, until done is closed.
func (k *Keeper) Run(stop, done <-chan struct{}) {
	for k.mayLead(stop) {
		why := k.standBy(stop)
		if why == "" {
			break
		}
		began := k.env.Now()
		err := k.lead(why, began, stop)
		if err == nil {
			break
		}
		k.note("not leading", err)
		k.backOff(err)
		k.seen = sighting{} // claims may have been deleted since; look anew
	}
	for !closed(done) {
		k.look()
		k.env.Wait(k.timing.Poll, done)
	}
}

// backOff leaves a server that cannot lead to the others: twice as long after each failure in a row. One that was
// overtaken waits too, differently long from others, so that not all try again at once.
func (k *Keeper) backOff(err error) {
	wait := time.Duration(0)
	switch {
	case errors.Is(err, ErrTaken) || errors.Is(err, ErrDeposed):
		k.deposals++
		wait = (k.timing.ElectionTimeout / 4) << min(k.deposals-1, 5) * time.Duration(4+k.lot) / 8
	default:
		if k.failures++; k.failures > 1 {
			wait = min(time.Second<<min(k.failures-2, 6), time.Minute)
		}
	}
	k.retryAt = k.env.Now() + wait
}

// standBy returns why this keeper should try to lead, or "" once stop is closed.
func (k *Keeper) standBy(stop <-chan struct{}) string {
	for !closed(stop) {
		if !k.look() {
			k.env.Wait(k.timing.Poll, stop)
			continue
		}
		if why := k.vacant(); why != "" && k.env.Now() >= k.retryAt {
			return why
		}
		k.env.Wait(k.timing.Poll, stop)
	}
	return ""
}

// look reads from the store who leads, and whether it does so any more.
func (k *Keeper) look() bool {
	seen, err := k.sight()
	// The time after the look: if the look itself took long, it is this server that was cut off.
	now := k.env.Now()
	if err != nil {
		k.note("store cannot be read", err)
		// Forwarding is safe without the store, for it is the leader's keeper that asks the fence.
		k.follow()
		k.probe(now)
		if errors.Is(err, fs.ErrNotExist) { // deleted while this keeper slept
			k.seen.claim = Claim{}
		}
		return false
	}
	// Time that was not watched does not count: this keeper may have slept or hung, not the leader.
	unwatched := now-k.seen.at > k.timing.ElectionTimeout/2
	seen.since, seen.at, seen.probed = k.seen.since, now, k.seen.probed
	seen.slow, seen.slowAt = k.seen.slow, k.seen.slowAt
	if now-seen.slowAt > slowMemory {
		seen.slow = 0
	}
	if seen.claim != k.seen.claim || seen.heartbeat != k.seen.heartbeat || unwatched {
		gap := now - k.seen.since
		if seen.claim == k.seen.claim && !unwatched && gap > k.timing.Heartbeat+k.timing.Poll*3/2 && gap >= seen.slow {
			seen.slow, seen.slowAt = gap, now
		}
		seen.since = now
	}
	k.seen = seen
	k.highest = max(k.highest, seen.claim.Epoch)
	if k.identity == "" {
		k.identity = seen.claim.Store
	}
	k.follow()
	k.probe(now)
	return true
}

// sight looks at the leader's heartbeat first. As long as it changes there is no need to look for a newer claim.
func (k *Keeper) sight() (seen sighting, err error) {
	var beat seenHeartbeat
	seen.claim = k.seen.claim
	if seen.claim.Epoch > 0 {
		if beat, err = k.store.sight(seen.claim.Epoch); err != nil {
			return seen, err
		}
	}
	if seen.claim.Epoch == 0 || beat.text == k.seen.heartbeat || beat.released {
		epoch, err := k.store.newest(seen.claim.Epoch)
		if err != nil {
			return seen, err
		}
		if epoch != seen.claim.Epoch {
			if seen.claim, err = k.store.readClaim(epoch); err != nil {
				return seen, err
			}
			if beat, err = k.store.sight(epoch); err != nil {
				return seen, err
			}
		}
	}
	if seen.claim.Store != "" && k.identity != "" && seen.claim.Store != k.identity {
		return seen, fmt.Errorf("%w: claims are of store %q, and this keeper has used store %q; another one is mounted",
			ErrRefused, seen.claim.Store, k.identity)
	}
	seen.heartbeat, seen.released = beat.text, beat.released
	return seen, nil
}

// follow has requests sent to the leader last seen, unless that was this keeper. While the leader misses heartbeats
// they are held: it may be dead, and whatever is sent to it then ends in doubt.
func (k *Keeper) follow() {
	route := Route{Epoch: k.seen.claim.Epoch}
	if k.seen.claim.Holder != k.id && k.seen.at-k.seen.since <= k.timing.Heartbeat+k.timing.Poll/2 {
		route.Address, route.Holder = k.seen.claim.Address, k.seen.claim.Holder
	}
	k.setRoute(route)
}

// probe learns whether requests can be forwarded, for the health endpoint.
func (k *Keeper) probe(now time.Duration) {
	if address := k.seen.claim.Address; address != "" && address != k.address &&
		now-k.seen.probed >= k.timing.Heartbeat {
		k.seen.probed = now
		if k.env.Probe(address, k.seen.claim.Holder) == Leading {
			k.canAnswer()
			k.resolved()
		} else {
			k.cannotAnswer("the leader at " + address + " cannot be reached, or is starting")
		}
	}
}

// slowMemory is how long a slow heartbeat is remembered.
const slowMemory = time.Minute

// patience is how long the leader may be silent: longer where its heartbeats, or the looks at them, have just been
// slow, because a takeover makes a busy computer or store busier, and the next one more likely.
func (k *Keeper) patience() time.Duration {
	return max(k.timing.ElectionTimeout, min(2*k.seen.slow, 4*k.timing.ElectionTimeout))
}

// vacant says why the newest epoch has no leader, or "" if it seems to have one.
func (k *Keeper) vacant() string {
	silent := k.env.Now() - k.seen.since
	claim := k.seen.claim
	switch {
	case claim.Epoch == 0:
		return "nobody has led yet"
	case claim.Holder == k.id:
		return "this keeper's epoch has ended"
	case k.seen.released:
		return "the leader released its epoch"
	case silent >= k.patience():
		return "the leader has not beaten for " + silent.Round(time.Millisecond).String()
	case silent < k.timing.Poll || claim.Address == "":
		return ""
	case claim.Address == k.address:
		return "the leader's process at this address is gone"
	case k.env.Probe(claim.Address, claim.Holder) == Refused:
		return "the leader does not heartbeat and its port is closed"
	}
	return ""
}

// Route says who can answer requests now.
func (k *Keeper) Route() Route {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.route
}

func (k *Keeper) setRoute(r Route) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.Epoch == k.route.Epoch && r.Self == k.route.Self && r.Address == k.route.Address &&
		r.Holder == k.route.Holder {
		return
	}
	close(k.changed)
	k.changed = make(chan struct{})
	r.Changed = k.changed
	k.route = r
	k.metrics.role(r)
}

func (k *Keeper) canAnswer() {
	now := k.env.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answered, k.reason = now, ""
}

func (k *Keeper) cannotAnswer(reason string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reason = reason
}

// note logs a problem, once as long as it stays the same.
func (k *Keeper) note(what string, err error) {
	k.cannotAnswer(what + ": " + err.Error())
	if text := what + err.Error(); text != k.noted {
		k.noted = text
		k.log.Warn(what, "error", err.Error(), "epoch", k.seen.claim.Epoch)
	}
}

func (k *Keeper) resolved() { k.noted = "" }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
