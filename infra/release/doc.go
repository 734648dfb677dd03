// Package release moves what was built once: it copies images between registries by digest, keeps the names of a
// release in a stack's file, and finds images that need not be built again. It builds nothing, and brings nothing up.
package release
