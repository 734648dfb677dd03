// Package edge is what the internet meets: on one host a public address and the HAProxy behind it, in several zones an
// application load balancer with its access logs, certificate, web ACL and CDN. Both forms are an EdgeProxy; package
// components has the one constructor for both.
package edge
