// Package region does on this computer what AWS does around machines: it keeps the size of autoscaling groups over the
// zones, runs lifecycle hooks, replaces what dies or is unhealthy, refreshes instances, leads a load balancer, and
// answers the part of AWS's API that machines and the rollout function use.
//
// State.Step decides, and touches nothing but the State: it is given the time, what the program declared and what
// machines and load balancer look like. Controller looks, has Step decide, and makes it so; it is a process of its own
// that lives beyond the command which started it (process.go), and begins again from its state file after a crash.
//
// # What is not imitated
//
//   - Scaling policies, schedules, warm pools, instance protection, maximum instance lifetime, launch failures that
//     AWS has and Docker has not. The desired capacity changes on demand (make scale).
//   - A refresh fails at the first new machine that its lifecycle hook abandons or that dies; AWS goes on trying for up
//     to an hour. Checkpoints, the strategy ReplaceRootVolume and scale-in protection settings are refused or absent.
//   - Scaling activities are told of launches that were given up only. Signatures of requests are not verified.
//   - A machine that is paused counts as running for good; EC2's status check would fail after some minutes.
//   - Alarms watch nothing: they are in the state that SetAlarmState or a drill gave them.
//   - The load balancer is one HAProxy, not a node per zone; it answers 503 where an ALB may answer 502 or 504, when a
//     target does not accept a connection. Slow start, stickiness and weighted actions are not declared, and absent.
//   - Security groups are recorded: machines of a stack reach each other on every port.
package region
