package graph

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Every provider of an environment with an account refuses credentials of another one.
func TestAccountHoldsForEveryProvider(t *testing.T) {
	g := prod(t, named, worldwide, map[string]string{
		"twip:account": "123456789012",
		"twip:backups": `{"every":"day","keepDays":90,"lockDays":30,"copyTo":"eu-west-1"}`,
	})
	require.Len(t, g.Of(t, awsProvider), 3)
	for _, provider := range g.Of(t, awsProvider) {
		require.Contains(t, g.At(t, provider, "allowedAccountIds"), "123456789012", provider.Name)
	}
}
