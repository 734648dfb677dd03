// Package keeper lets several app servers share one Prevayler data set: exactly one JVM writes, every
// server can answer, and no change that a client was told of is lost.
//
// What belongs here: the protocol on the shared store, the proxy in front of the JVM, and the process that
// starts and stops it. What the JVM runs and how machines come up is described elsewhere.
//
// # The store
//
// A directory that all keepers see: a local one, or NFS 4.1 mounted with actimeo=0,lookupcache=none.
//
//	keeper/layout                  names this layout; an unknown one is refused
//	keeper/claims/<epoch>          who may write in that epoch, and the address where it serves
//	keeper/beats/<epoch>           a counter, and whether the epoch ever served
//	keeper/epochs/<epoch>/data     the directory in which that epoch's JVM runs
//	keeper/epochs/<epoch>/complete manifest; written when data holds everything from the epoch before
//	keeper/epochs/<epoch>/released written when the epoch's JVM has ended in an orderly way
//	keeper/tmp/                    claims that are being written
//
// Whatever else lies beside keeper/ is the data of an installation without a keeper. It is adopted as epoch
// 0: copied by the first leader, never changed. Stop that installation first: it takes part in no protocol.
//
// # The protocol
//
// To lead, a keeper
//
//  1. claims epoch n, one more than the newest claim, by link(2) of a finished, synced file to claims/n. The
//     link is exclusive create and publication in one atomic step, so there is no moment between the two in
//     which a slow claimant could publish an old epoch over a newer one;
//  2. then finds the newest complete epoch below n and copies its data into epochs/n/data, syncs it, and
//     writes epochs/n/complete;
//  3. then starts a JVM there. Each process keeps one link to the data directory of its own JVM, and moves it
//     only when that JVM is known to be dead.
//
// Every answer of the JVM, whatever the method, passes the fence: after the JVM has answered, the keeper reads
// the store anew, and releases the answer only if claims/n+1 does not exist and claims/n is still its own.
// (Struts actions change data by GET as well, so the method does not say which answers need the fence.)
//
// # Why the safety rules hold
//
// "Epoch n is current" means: claims/n exists and claims/n+1 does not. Claims are made in order without gaps
// (n+1 is tried only by a keeper that saw n), so a current epoch has no successor of any number, and an epoch
// that is no longer current never is again.
//
// No acknowledged change is lost. The JVM answers after its journal is synced. The fence then sees that n is
// current at a moment t. Whoever leads next links claims/n+1 after t, and lists and copies the data after that;
// so the change was in the files before their copy began. Files only grow: a journal is appended to, snapshots
// are renamed into place. The copy therefore holds the change, and by induction every later epoch does. It
// copies from n and not from an older epoch, for n was complete before its JVM started, and the search for the
// newest complete epoch starts after the claim. An epoch that was claimed but never complete never had a JVM,
// hence acknowledged nothing.
//
// A former leader may go on appending while its files are copied. Its answers fail the fence, so it does not
// matter how much of that is copied, but the copy must be one that Prevayler can replay. A torn last
// transaction is: Prevayler reads up to it and continues in a new journal. A journal missing in the middle is
// not; so the names are listed before and after the copy, and the copy starts over if they differ.
//
// Two JVMs never write one directory. A directory belongs to an epoch, an epoch to one claim, a claim to one
// process, and that process starts one JVM in it, once: a JVM that ended is succeeded by a new epoch. A JVM
// that wakes up after hours has files of a dead epoch open, and names new ones through the link of its own
// container, which still points there. It does not outlive its keeper: as PID 1 the keeper takes the container
// with it, and elsewhere PR_SET_PDEATHSIG ends the JVM. Closed files are copied as well and not hard linked,
// because nothing but custom says which files an old JVM no longer appends to; the copy shares blocks where the
// file system can (copy_file_range).
//
// A keeper without the store answers nothing, because the fence does not pass; that includes reads, so nothing
// stale is served, not even for 2 s. A leader that finds a newer claim kills its JVM. One whose store returns
// errors for longer than Timing.ElectionTimeout does so too, because Prevayler stops for good on a failed write; a
// store that only hangs (an NFS hard mount) stops answers but not the JVM, which goes on when the store does.
//
// No clock is trusted. Time-outs, on the monotonic clock, decide when to try to claim: when the heartbeat has not
// changed for Timing.ElectionTimeout, as observed without interruption, so a keeper that slept cannot mistake its own
// sleep for its leader's. A claim made too early costs a switch, never a change. Wall clocks only date things
// for people and decide the age at which restore points beyond the least number go.
//
// Claims far behind the newest are deleted (retention.claims). A claimant that slept all that time could then link a
// number long passed; so it lists the claims after linking and gives up if there is a higher one. The fence looks
// for claims/n+1 first and at claims/n second: deletion goes upwards, so if n+1 is missing because it was
// deleted, n is missing too.
//
// What this relies on: link(2) is atomic (NFS 4.1 and POSIX), a file opened anew is read fresh (close-to-open,
// with the mount options above also its directory entry), fsync means what it says, and the application answers
// after its change is in the journal, as Prevayler's execute does. It does not rely on locks, leases or clocks.
//
// # Requests
//
// A standby forwards to the leader, whose keeper applies the fence and says so in the answer: an address may have
// passed to another process, and an answer without the leader's word is not given to anybody. Requests that no
// JVM can take right now are held, bounded in time (Options.Hold) and number (Options.MaxHeld), bodies up to
// bodyLimit bytes each. A request that certainly reached no JVM is sent again. One that may have is sent again
// only if it cannot change data: GET, HEAD or OPTIONS without a query, to a path that is no action or a listed
// read-only one (Options.ReadPaths). Any other gets 503 with Retry-After, because whether it was carried out is
// unknown.
//
// # Sessions
//
// Jetty's file session store lies in .sessions inside the data directory and is copied with the epoch, newest
// first, for at most sessionTime, without syncing and without a place in the manifest: a session survives a
// switch, but a switch does not wait for sessions.
//
// # Health
//
// /health (admin port) says whether this server can answer, and is for load balancers. It turns 503 during an
// outage of the store, on all servers at once, so nothing that replaces servers may act on it; /live says only
// that the process works and is for that.
package keeper
