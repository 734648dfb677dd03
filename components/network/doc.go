// Package network is where things stand and what may talk to what: the VPC with its subnets, routes, NAT gateways,
// endpoints and flow log, security groups and the rules between them.
package network
