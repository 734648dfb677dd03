// Package compute is the machines: the one host, the autoscaling groups, the template that both boot from, their roles,
// how new versions reach a group (instance refresh), and the hours in which a host runs.
package compute
