// Package drill breaks an environment on purpose while people use it, and judges what they saw. A drill is one fault
// with its promise: how long which requests may go unanswered, and how many may fail. Whatever the drill, no
// acknowledged post may be lost or doubled, and none may change its date that was posted well before the fault.
//
// Everything is measured from outside, by package load through the edge; nothing is asked of the servers that were
// broken. What breaks a machine is behind Single and Region; the tables of drills are train.go and prod.go.
//
// A verdict comes from timelines alone (judge), so that the tests can give it ones in which a promise is broken.
package drill
