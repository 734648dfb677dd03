// Package graph runs the program, or a part of it, without Pulumi's engine and without AWS, and answers questions about
// the resources that it asked for. It is the test double of all tests that only look at what is declared; the tests
// themselves are beside it.
//
// It stands in for the engine at the same gRPC interface, so a program cannot tell the difference: it gets identifiers
// and outputs (from infra/local/account, the repository's one description of AWS), its stack outputs and messages are
// kept, and in a preview what is not known yet stays unknown. It refuses what the engine would refuse and mocks let
// pass: a URN that is registered twice, a resource without an explicit provider, a property that does not exist.
package graph
