// Package storemachine is the user data of a machine that mounts a file system and serves nothing, for the tests of
// machines with kernels of their own and of keepers over NFS.
package storemachine

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/boot"
)

// UserData mounts the file system by the very scripts of production. The container that it names is nowhere.
func UserData(t testing.TB, dnsName string) []byte {
	t.Helper()
	document, err := boot.Machine{
		Region: "eu-central-1", Journal: "none", Store: &boot.Store{EFS: &boot.EFS{DNSName: dnsName}},
		Containers: []boot.Container{{
			Name: "none", Image: "none@sha256:" + strings.Repeat("0", 64), LogGroup: "none", MemoryMiB: 64, PIDs: 10,
			StopSeconds: 1, Health: []string{"true"},
		}},
	}.Render()
	require.NoError(t, err)
	return document
}
