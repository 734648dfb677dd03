// Package preflight asks an AWS account, before a first `up`, whether it lets the environment be made: who asks, what
// the region offers, what the account's quotas leave, whether the machine image and the hosted zone are there. It
// changes nothing, and every failure says what to ask for.
package preflight
