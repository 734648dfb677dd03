// Package stacks is where an environment is decided: it reads the configuration, once, and wires the components of the
// topology that the configuration asks for.
//
// keys.go is the one table of configuration keys: loading, every error message and the check of Pulumi.yaml come from
// it. Each topology has a file of its own that reads like a picture of the environment.
package stacks
