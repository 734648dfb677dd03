// Package tier is what answers visitors: the static tier and the app tier, their container images, log groups and
// containers, and the target groups through which a load balancer reaches them.
package tier
