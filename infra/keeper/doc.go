// Package keeper lets several app servers share one Prevayler data set: exactly one JVM writes, every
// server can answer, and no change that a client was told of is lost.
//
// What belongs here: the protocol on the shared store, the proxy in front of the JVM, and the process that
// starts and stops it. What the JVM runs and how machines come up is described elsewhere.
//
// # The store
//
// A directory that all keepers see: a local one, or NFS 4.1 mounted with actimeo=0,lookupcache=none. A keeper refuses
// an NFS mount without these.
//
//	keeper/layout                   names this layout; an unknown one is refused
//	keeper/identity                 tells this store from any other
//	keeper/claims/<epoch>           who may write in that epoch, and the address where it serves
//	keeper/beats/<epoch>            heartbeats: a counter, what the epoch has come to, and marks, see below
//	keeper/epochs/<epoch>/data      the directory in which that epoch's JVM runs
//	keeper/epochs/<epoch>/snapshots links to snapshots in data that are proven: whole, and on the disk
//	keeper/epochs/<epoch>/complete  manifest; published when data holds everything from the epoch before
//	keeper/epochs/<epoch>/released  written when the epoch's JVM has ended in an orderly way
//	keeper/tmp/                     files that are being written, to be published by a link
//
// Keepers before marks, identity and snapshots have the same layout without them: either kind goes on from what the
// other left, and takes part with it.
//
// Whatever else lies beside keeper/ is the data of an installation without a keeper. It is adopted as epoch
// 0: copied by the first leader, never changed. Stop that installation first: it takes part in no protocol.
//
// # The protocol
//
// To lead, a keeper
//
//  1. claims epoch n, one more than the newest claim, by link(2) of a finished, synced file to claims/n. The link is
//     exclusive create and publication in one atomic step, so there is no moment between the two in which a slow
//     claimant could publish an old epoch over a newer one;
//  2. then finds the newest complete epoch below n that has served or was made by a restore, copies what is needed of
//     its data into epochs/n/data, syncs it, and publishes epochs/n/complete. It does not end before it sees the
//     journals as long as the source's last heartbeat says that they are;
//  3. then starts a JVM there. Each process keeps one link to the data directory of its own JVM, and moves it only
//     when that JVM is known to be dead;
//  4. proves the snapshot that the JVM began with, and says in its heartbeat that the epoch serves. Only then it
//     answers.
//
// Every answer of the JVM, whatever the method, passes the fence: after the JVM has answered, the keeper
//
//  1. finds out how long the journals are now, and if that has changed writes it into its heartbeat: the mark;
//  2. then looks at the store, and releases the answer only if claims/n+1 does not exist and claims/n is still its
//     own.
//
// (Struts actions change data by GET as well, so the method does not say which answers need the fence.) Heartbeats are
// rounds of the fence too, so there is one writer of that file at a time and a mark never goes back.
//
// # What a network store promises
//
// EFS promises close-to-open consistency, and consistency of a read after a write only for synchronous writes that do
// not append (docs.aws.amazon.com/efs/latest/ug/features.html, "Data consistency"). A journal is appended to, and open
// when another server copies it: what was synced may not be seen there yet. So nothing rests on that. The heartbeat's
// file has its whole length from before its holder opens it, is written over in place, synchronously, and is opened
// anew to be read: its mark is seen by whoever reads it after the write. And a journal that is seen as long as the mark
// holds every byte before its end, for it only grows. What the mark costs: one write of 4 KiB for a round in which a
// journal has grown.
//
// # Why the safety rules hold
//
// "Epoch n is current" means: claims/n exists and claims/n+1 does not. Claims are made in order without gaps
// (n+1 is tried only by a keeper that saw n), so a current epoch has no successor of any number, and an epoch
// that is no longer current never is again.
//
// No acknowledged change is lost. The JVM answers after its journal is synced. The fence then writes the mark m, at
// least that long, and sees after that, at a moment t, that n is current. Whoever leads next links claims/n+1 after t,
// reads the mark after that, and so finds m or a later one: its copy holds the change, and by induction every later
// epoch does. It copies from n and not from an older epoch: n's heartbeat says that it serves since before its first
// answer, and that is read after the claim. An epoch that was claimed and never served acknowledged nothing, and holds
// nothing that its source has not; it is passed over, so a copy from which no JVM starts is not copied on.
//
// Journals of a directory before the newest are closed, which close-to-open covers. A directory is listed again when
// its time of change is new, or not a second old, because file systems count time in steps. Directories that an
// application makes while it serves are found with a heartbeat; until then close-to-open is all that their journals
// have.
//
// Of the source, a new epoch gets the newest snapshot and the journals from the one that the next transaction is in.
// Prevayler's snapshot is renamed into place but not synced, so after a crash it may be damaged. If the newest is not
// proven, the proven one before and the journals since come too. A JVM that ends or stays silent at its start, twice,
// makes its keeper leave an unproven snapshot out, at every other attempt. What a JVM began with is proven before
// anything is answered: it may hold changes that were never acknowledged and are in no journal, after which the JVM
// numbers the next. Prevayler deletes a snapshot before it writes it again; the keeper's link to it stays.
//
// A former leader may go on appending while its files are copied. Its answers fail the fence, so it does not
// matter how much of that is copied, but the copy must be one that Prevayler can replay. A torn last
// transaction is: Prevayler reads up to it and continues in a new journal; a journal whose first transaction is torn it
// renames to <name>.unusedFile<time>, and may begin that name again, shorter. A journal missing in the middle is
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
// A keeper without the store answers nothing, because the fence does not pass; that includes reads, so nothing stale is
// served, not even for 2 s. A leader that finds a newer claim kills its JVM. One whose store returns errors for longer
// than Timing.ElectionTimeout does so too, because Prevayler stops for good on a failed write; a store that only hangs
// (an NFS hard mount) stops answers but not the JVM, which goes on when the store does. A JVM that has lost its journal
// answers reads and no changes any more: a new one replaces it after Timing.Stuck.
//
// No clock is trusted. Time-outs, on the monotonic clock, decide when to try to claim: when the heartbeat has not
// changed for Timing.ElectionTimeout, as observed without interruption, so a keeper that slept, or whose own look at
// the store hung, cannot mistake that for its leader's silence. Where heartbeats came late in the last minute, twice
// that long is waited, up to four times the time-out: a takeover makes a busy store busier, and the next one more
// likely. A claim made too early costs a switch, never a change.
// Heartbeats go out beside the work on an epoch as long as that goes on, so work that takes long looks like no death.
// Wall clocks only date things for people and decide the age at which restore points beyond the least number go.
//
// Claims far behind the newest are deleted (retention.claims). A claimant that slept all that time could then link a
// number long passed; so it lists the claims after linking and gives up if there is a higher one. The fence looks
// for claims/n+1 first and at claims/n second: deletion goes upwards, so if n+1 is missing because it was
// deleted, n is missing too, or is another file than the one that was read after the claim.
//
// A store has an identity, which claims carry: a keeper whose mount leads to another store refuses it, and
// Options.Expect refuses an empty one in the place of one with data.
//
// What this relies on: link(2) is atomic (NFS 4.1 and POSIX), a file opened anew is read fresh (close-to-open,
// with the mount options above also its directory entry), a synchronous write in place is read by whoever reads
// afterwards, fsync means what it says, and the application answers
// after its change is in the journal, as Prevayler's execute does. It does not rely on locks, leases or clocks.
//
// # Confinement
//
// With Options.Confine whoever gets the JVM to run code of his own finds little: a filter of system calls, set before
// the JVM starts and for good, lets it start no program, look into no other process, signal none but itself, and make
// no socket but TCP's; without Options.Outbound it cannot open a connection either, and can only answer. The keeper
// itself cannot be looked into (PR_SET_DUMPABLE). The image has no program but the JVM and the keeper, its root is
// read-only, and what is written to its tmpfs cannot be executed (Docker's default). What is left to such code is the
// JVM's own memory, and the store: it can spoil the data that the application could, and restore points, which backups
// are for.
//
// # Restores
//
// Every complete epoch that has served is a restore point. A restore claims the next epoch like a keeper, fills it from
// the restore point and releases it, and then looks whether it was overtaken: a keeper that claimed after it found it
// complete; of one that claimed before, the manifest tells where its data came from.
//
// # Rehearsals
//
// A release that has not led rehearses before it may (Options.Release, which claims record): its JVM starts on a copy
// of what a new epoch would get, beside whoever leads, is asked for "/" and the listed pages, and ends. The copy lies
// outside of the store, in which a rehearsal writes nothing. Until it has passed, the server answers nobody and is not
// healthy, so nothing takes it for a replacement of those that run; it tries again for as long as it does not pass, for
// what kept it may have been the store. If all other servers die meanwhile, those that have passed lead. Whoever has
// passed once, or finds that the newest data was written by the same release, does not rehearse again.
//
// # Requests
//
// A request is read whole before anything is done about it: its head strictly by package http1, its body up to
// bodyLimit bytes, all bodies together within a bound. So it can be sent again, and a slow client takes none of the
// JVM's threads. An answer is passed on as it comes.
//
// A standby forwards to the leader, whose keeper applies the fence and says so in the answer: an address may have
// passed to another process, and an answer without the leader's word, of the epoch that the standby follows or a later
// one, is not given to anybody. Keepers recognize each other by the holder of the leader's claim, which nobody knows
// who cannot read the store. A visitor's Keeper-* fields are dropped, and a request that is meant for another holder is
// not carried out.
//
// Requests that no JVM can take right now are held, bounded in time (Options.Hold) and number (Options.MaxHeld). A
// request that certainly reached no JVM is sent again. One that may have is sent again only if it is known to change
// nothing: GET, HEAD or OPTIONS without a query and a body, to "/" or a listed page (Options.ReadPaths), whose only
// path parameter may be a session. Any other gets 503 with Retry-After, because whether it was carried out is unknown.
//
// # Sessions
//
// Jetty's file session store lies in .sessions inside the data directory and is copied with the epoch, newest first,
// for at most sessionTime, without syncing and without a place in the manifest: a session survives a switch, but a
// switch does not wait for sessions, and one that cannot be copied is no failure. Those of epochs that have ended are
// removed.
//
// # Health
//
// /health (admin port) says whether this server can answer, and is for load balancers. It turns 503 during an
// outage of the store, on all servers at once, so nothing that replaces servers may act on it; /live says only
// that the process works and is for that.
package keeper
