// Package provider serves the resource providers "aws" and "docker" to a Pulumi engine on this computer, from inside
// this process. What a resource is called and what a change does to it comes from package account. What can run, runs:
// an instance, its volumes, images, published ports and log groups are handed to a Computer. Everything else is
// recorded and nothing more.
//
// What exists is kept in one file, so that separate runs agree about it. It holds identifiers and the few facts that
// one resource needs of another, never inputs as such, and so no secrets.
package provider
