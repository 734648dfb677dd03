// Package ops holds what an operator does with a running environment: status, smoke, bench, images, and the verbs about
// restore points, the restore drill among them.
//
// A verb is given an Environment and writes to a person's terminal. Whether the environment is the local cloud
// or AWS is decided by the caller (infra/cmd/twip); what differs between the two is behind the interfaces Machines, for
// looking, and Host, for running programs beside the data.
package ops
