package components

import (
	"cmp"
	"maps"
	"slices"
)

// sortedKeys makes ranging over a map the same every time.
func sortedKeys[M ~map[K]V, K cmp.Ordered, V any](m M) []K { return slices.Sorted(maps.Keys(m)) }
