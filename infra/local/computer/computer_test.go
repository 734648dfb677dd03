package computer

import (
	"crypto/x509"
	"encoding/pem"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOpenStateRefusesNames(t *testing.T) {
	for _, name := range []string{"", "Upper", "-dash", "a b", "images", strings.Repeat("a", 32)} {
		err := New(name, Options{State: t.TempDir()}).openState()
		require.ErrorContains(t, err, "letters, digits and dashes", "name %q", name)
	}
	require.NoError(t, New("test-1", Options{State: t.TempDir()}).openState())
}

func TestPathIsTheOneLoopDevicesKnow(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "link")))
	c := New("test", Options{State: filepath.Join(dir, "link")})
	real, err := filepath.EvalSymlinks(dir)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(real, "volumes", "twip.test.vol-1.img"), c.volumeFile("vol-1"))
}

func TestNetworkDividesItsSubnet(t *testing.T) {
	for _, test := range []struct{ subnet, dynamic, first string }{
		{"172.20.0.0/16", "172.20.128.0/17", "172.20.0.2"},
		{"192.168.224.0/20", "192.168.232.0/21", "192.168.224.2"},
		{"10.1.2.0/24", "10.1.2.128/25", "10.1.2.2"},
	} {
		n := network{netip.MustParsePrefix(test.subnet)}
		require.Equal(t, test.dynamic, n.dynamic().String())
		first, err := n.free(nil)
		require.NoError(t, err)
		require.Equal(t, test.first, first.String())
		second, err := n.free(map[netip.Addr]bool{first: true})
		require.NoError(t, err)
		require.Equal(t, first.Next(), second)
	}
}

func TestNetworkRunsOutOfAddresses(t *testing.T) {
	n := network{netip.MustParsePrefix("10.0.0.0/29")} // .2 and .3 are for machines
	taken := map[netip.Addr]bool{}
	for range 2 {
		address, err := n.free(taken)
		require.NoError(t, err)
		taken[address] = true
	}
	_, err := n.free(taken)
	require.ErrorContains(t, err, "no address is free in 10.0.0.0/29")
}

func TestAuthorityIsKeptAndTrusted(t *testing.T) {
	dir := t.TempDir()
	ca, err := openAuthority(dir, "test")
	require.NoError(t, err)
	names := New("test", Options{}).hosts()
	server, err := ca.server("server", names)
	require.NoError(t, err)

	again, err := openAuthority(dir, "test")
	require.NoError(t, err)
	require.Equal(t, ca.trust(), again.trust())
	same, err := again.server("server", names)
	require.NoError(t, err)
	require.Equal(t, server, same,
		"a certificate that serves is not replaced: machines would see the endpoints restart")

	block, _ := pem.Decode(server)
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(ca.trust()))
	for _, name := range names {
		_, err := certificate.Verify(x509.VerifyOptions{DNSName: name, Roots: roots})
		require.NoError(t, err, name)
	}
	_, err = certificate.Verify(x509.VerifyOptions{DNSName: "example.com", Roots: roots})
	require.Error(t, err)
	require.NotContains(t, string(ca.trust()), "KEY")

	besides, err := ca.server("another", []string{"another.amazonaws.com"})
	require.NoError(t, err)
	require.NotEqual(t, server, besides)
	same, err = again.server("server", names)
	require.NoError(t, err)
	require.Equal(t, server, same, "each server has its own")

	other, err := ca.server("server", []string{"other.amazonaws.com"})
	require.NoError(t, err)
	require.NotEqual(t, server, other)
}

func TestAuthorityThatIsDamagedIsNamed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("nothing"), 0o600))
	_, err := openAuthority(dir, "test")
	require.ErrorContains(t, err, filepath.Join(dir, "ca.pem"))
	require.ErrorContains(t, err, "remove the file")
}

func TestRepositoryByNameOrURL(t *testing.T) {
	c := New("test", Options{Region: "eu-central-1", Account: "111111111111"})
	for _, given := range []string{"twip/app", "111111111111.dkr.ecr.eu-central-1.amazonaws.com/twip/app"} {
		require.Equal(t, "twip/app", c.repository(given))
	}
}

func TestPushedDigest(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0a", 32)
	require.Equal(t, digest,
		pushedDigest("The push refers to repository [127.0.0.1:1/a]\nv1: digest: "+digest+" size: 528\n"))
	require.Empty(t, pushedDigest("The push refers to repository [127.0.0.1:1/a]\n"))
}

func TestPublishArgs(t *testing.T) {
	c := New("test", Options{Ports: map[int]int{80: 8080, 1936: 0}})
	args, err := c.publishArgs([]int{1936, 80})
	require.NoError(t, err)
	require.Equal(t, []string{"--publish", "127.0.0.1:8080:80", "--publish", "127.0.0.1::1936"}, args)
	_, err = c.publishArgs([]int{22})
	require.ErrorContains(t, err, "port 22")
}

func TestForwardingIsTheSameInAnyOrder(t *testing.T) {
	config := string(forwarding("10.0.0.2", []int{1936, 80}))
	require.Equal(t, config, string(forwarding("10.0.0.2", []int{80, 1936})))
	require.Contains(t, config, "listen port-80\n    bind :80\n    server machine 10.0.0.2:80\n")
	require.Contains(t, config, "listen port-1936\n    bind :1936\n    server machine 10.0.0.2:1936\n")
}

func TestParseMemory(t *testing.T) {
	m, err := parseMemory("300\n100\n1000\n")
	require.NoError(t, err)
	require.Equal(t, Memory{Used: 200, Limit: 1000}, m)
	for _, bad := range []string{"", "1 2", "1 2 max"} {
		_, err := parseMemory(bad)
		require.Error(t, err, bad)
	}
}

func TestAttachmentsOfAnInstance(t *testing.T) {
	c := New("test", Options{State: t.TempDir()})
	require.NoError(t, writeJSON(c.attachmentFile("vol-b"), attachment{"i-1", "/dev/xvdg"}))
	require.NoError(t, writeJSON(c.attachmentFile("vol-a"), attachment{"i-1", "/dev/xvdf"}))
	require.NoError(t, writeJSON(c.attachmentFile("vol-c"), attachment{"i-2", "/dev/xvdf"}))
	devices, err := c.attachments("i-1")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"vol-a": "/dev/xvdf", "vol-b": "/dev/xvdg"}, devices)
}

func TestVolumeLifeWithoutMachine(t *testing.T) {
	c := New("test", Options{State: t.TempDir()})
	ctx := t.Context()
	require.ErrorContains(t, c.CreateVolume(ctx, "vol-1", 0), "at least 1 GiB")
	require.NoError(t, c.CreateVolume(ctx, "vol-1", 2))
	require.NoError(t, c.CreateVolume(ctx, "vol-1", 1), "it exists")
	info, err := os.Stat(c.volumeFile("vol-1"))
	require.NoError(t, err)
	require.Equal(t, int64(2<<30), info.Size(), "a volume never shrinks")
	require.NoError(t, c.DetachVolume(ctx, "vol-1"), "it is not attached")
	require.NoError(t, c.DeleteVolume(ctx, "vol-1"))
	require.NoError(t, c.DeleteVolume(ctx, "vol-1"), "it is gone")
	has, err := c.HasVolume(ctx, "vol-1")
	require.NoError(t, err)
	require.False(t, has)
}

func TestHashTellsPartsApart(t *testing.T) {
	require.NotEqual(t, hash([]byte("ab"), []byte("c")), hash([]byte("a"), []byte("bc")))
	require.Regexp(t, "^[0-9a-f]{16}$", hash())
}
