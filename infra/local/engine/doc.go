// Package engine runs a Pulumi program on this computer: the real engine, with its state in a directory, on the
// providers of package provider. It needs no network and no account, and leaves the checkout as it is: the project's
// files are copied into the state directory with the local values put over them, and the engine reads and writes the
// copies.
package engine
