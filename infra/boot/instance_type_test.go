package boot

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Every machine of a group has another type to fall back on, of the same memory.
func TestEveryInstanceTypeHasAnAlternative(t *testing.T) {
	for name, memory := range InstanceTypes {
		types := Alike(name)
		require.GreaterOrEqual(t, len(types), 2, name)
		require.Equal(t, name, types[0])
		for _, other := range types {
			require.Equal(t, memory, InstanceTypes[other], "%s in the place of %s", other, name)
		}
	}
}
