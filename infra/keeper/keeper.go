package keeper

import (
	"errors"
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
	ElectionTimeout time.Duration // without a heartbeat before a standby claims; with store errors before a leader gives up
	Start           time.Duration // for a JVM to answer for the first time
	Hang            time.Duration // without an answer before a JVM counts as dead
	Drain           time.Duration // for running requests before an orderly stop
	Stop            time.Duration // for the JVM's own orderly stop, which takes Prevayler's snapshot
}

// DefaultTiming suits an application server of one or two CPUs.
var DefaultTiming = Timing{
	Poll: 250 * time.Millisecond, Heartbeat: 500 * time.Millisecond, ElectionTimeout: 2500 * time.Millisecond,
	Start: 2 * time.Minute, Hang: 5 * time.Second, Drain: 5 * time.Second, Stop: 55 * time.Second,
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
	noted    string        // the last problem logged
}

// sighting is what a standby knows of the newest epoch.
type sighting struct {
	claim     Claim
	heartbeat string
	released  bool
	since     time.Duration // heartbeat unchanged since, as observed without interruption
	at        time.Duration // of the last look
	probed    time.Duration // of the last probe
}

func newKeeper(t Timing, id, address string, files FS, w Environment, log *slog.Logger) *Keeper {
	k := &Keeper{timing: t, id: id, address: address, store: newStore(files), env: w, log: log, metrics: newMetrics()}
	k.changed = make(chan struct{})
	k.route.Changed = k.changed
	k.answered = -time.Hour
	k.reason = "starting"
	return k
}

// Run stands by and leads until stop is closed; a leader stops its JVM in an orderly way first. It then goes
// on looking who leads, so that held requests can be forwarded, until done is closed.
func (k *Keeper) Run(stop, done <-chan struct{}) {
	for {
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

// backOff leaves a server that cannot lead to the others: twice as long after each failure in a row.
func (k *Keeper) backOff(err error) {
	if errors.Is(err, ErrTaken) || errors.Is(err, ErrDeposed) {
		return
	}
	k.failures++
	if k.failures > 1 {
		k.retryAt = k.env.Now() + min(time.Second<<min(k.failures-2, 6), time.Minute)
	}
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
	now := k.env.Now()
	epoch, err := k.store.newest(k.seen.claim.Epoch)
	claim := k.seen.claim
	if err == nil && epoch != claim.Epoch {
		claim, err = k.store.readClaim(epoch)
	}
	var heartbeat string
	var released bool
	if err == nil {
		heartbeat, released, err = k.store.sight(epoch)
	}
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
	// Time that was not watched does not count: this keeper may have slept, not the leader.
	unwatched := now-k.seen.at > k.timing.ElectionTimeout/2
	if claim != k.seen.claim || heartbeat != k.seen.heartbeat || unwatched {
		k.seen.since = now
	}
	k.seen.claim, k.seen.heartbeat, k.seen.released, k.seen.at = claim, heartbeat, released, now
	k.highest = max(k.highest, epoch)
	k.follow()
	k.probe(now)
	return true
}

// follow has requests sent to the leader last seen, unless that was this keeper. While the leader misses heartbeats they
// are held: it may be dead, and whatever is sent to it then ends in doubt.
func (k *Keeper) follow() {
	route := Route{Epoch: k.seen.claim.Epoch}
	if k.seen.claim.Holder != k.id && k.seen.at-k.seen.since <= 2*k.timing.Heartbeat {
		route.Address, route.Holder = k.seen.claim.Address, k.seen.claim.Holder
	}
	k.setRoute(route)
}

// probe learns whether requests can be forwarded, for the health endpoint.
func (k *Keeper) probe(now time.Duration) {
	if address := k.seen.claim.Address; address != "" && address != k.address && now-k.seen.probed >= k.timing.Heartbeat {
		k.seen.probed = now
		if k.env.Probe(address, k.seen.claim.Holder) == Leading {
			k.canAnswer()
			k.resolved()
		} else {
			k.cannotAnswer("the leader at " + address + " cannot be reached, or is starting")
		}
	}
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
	case silent >= k.timing.ElectionTimeout:
		return "the leader has not beatAt for " + silent.Round(time.Millisecond).String()
	case silent <= k.timing.Heartbeat+k.timing.Poll || claim.Address == "":
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
	if r.Epoch == k.route.Epoch && r.Self == k.route.Self && r.Address == k.route.Address && r.Holder == k.route.Holder {
		return
	}
	close(k.changed)
	k.changed = make(chan struct{})
	r.Changed = k.changed
	k.route = r
	k.metrics.role(r)
}

// check is the fence's look at the store: it returns the epoch whose answers may be released.
func (k *Keeper) check() (uint64, error) {
	r := k.Route()
	if err := k.store.current(r.Epoch, k.id); err != nil {
		return 0, err
	}
	return r.Epoch, nil
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
