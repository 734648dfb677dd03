package release

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
)

// host is a registry in memory that counts what is sent to it.
type host struct {
	address string
	layers  *atomic.Int32 // uploads that were begun
	refuse  *atomic.Bool  // it answers 403
}

func newHost(t *testing.T) host {
	t.Helper()
	h := host{layers: &atomic.Int32{}, refuse: &atomic.Bool{}}
	inner := registry.New(registry.Logger(log.New(&bytes.Buffer{}, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.refuse.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/blobs/") {
			h.layers.Add(1)
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	h.address = strings.TrimPrefix(server.URL, "http://")
	return h
}

func find(_ context.Context, url string) (Repository, error) { return NewRepository(url, Login{}) }

func (h host) repository(t *testing.T, name string) Repository {
	t.Helper()
	r, err := NewRepository(h.address+"/"+name, Login{})
	require.NoError(t, err)
	return r
}

// push puts an image of three layers under a tag and answers its digest.
func push(t *testing.T, to Repository, tag string) (v1.Image, string) {
	t.Helper()
	image, err := random.Image(1000, 3)
	require.NoError(t, err)
	require.NoError(t, remote.Write(to.at.Tag(tag), image))
	digest, err := image.Digest()
	require.NoError(t, err)
	return image, digest.String()
}

func TestCopySendsWhatIsNotThere(t *testing.T) {
	from, to := newHost(t), newHost(t)
	source, target := from.repository(t, "train-app"), to.repository(t, "prod-app")
	image, digest := push(t, source, "0123456789abcdef")

	copied, err := source.Copy(t.Context(), digest, target)
	require.NoError(t, err)
	require.True(t, copied)
	require.EqualValues(t, 4, to.layers.Load(), "three layers and the image's configuration")
	for _, name := range []string{digest, tagOf(digest)} {
		found, err := target.Digest(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, digest, found)
	}

	t.Log("a second time nothing is sent")
	copied, err = source.Copy(t.Context(), digest, target)
	require.NoError(t, err)
	require.False(t, copied)
	require.EqualValues(t, 4, to.layers.Load())

	t.Log("of the next image only the new layer is sent")
	layer, err := random.Layer(1000, "application/vnd.docker.image.rootfs.diff.tar.gzip")
	require.NoError(t, err)
	next, err := mutate.AppendLayers(image, layer)
	require.NoError(t, err)
	require.NoError(t, remote.Write(source.at.Tag("next"), next))
	nextDigest, err := next.Digest()
	require.NoError(t, err)
	_, err = source.Copy(t.Context(), nextDigest.String(), target)
	require.NoError(t, err)
	require.EqualValues(t, 4+2, to.layers.Load(), "the layer and the configuration")
}

// BuildKit pushes an index of images.
func TestCopyOfAnIndex(t *testing.T) {
	source, target := newHost(t).repository(t, "train"), newHost(t).repository(t, "prod")
	image, err := random.Image(1000, 1)
	require.NoError(t, err)
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image})
	require.NoError(t, remote.WriteIndex(source.at.Tag("x"), index))
	digest, err := index.Digest()
	require.NoError(t, err)
	copied, err := source.Copy(t.Context(), digest.String(), target)
	require.NoError(t, err)
	require.True(t, copied)
	found, err := target.Digest(t.Context(), digest.String())
	require.NoError(t, err)
	require.Equal(t, digest.String(), found)
}

func TestCopyRefusals(t *testing.T) {
	from, to := newHost(t), newHost(t)
	source, target := from.repository(t, "train"), to.repository(t, "prod")
	missing := "sha256:" + strings.Repeat("0", 64)
	_, err := source.Copy(t.Context(), missing, target)
	require.ErrorContains(t, err, "has its registry let go of it?")
	_, digest := push(t, source, "x")
	to.refuse.Store(true)
	_, err = source.Copy(t.Context(), digest, target)
	require.ErrorContains(t, err, "may you read this registry")
	_, err = NewRepository("UPPER/case", Login{})
	require.ErrorContains(t, err, `repository "UPPER/case"`)
}

var commit, checksum = strings.Repeat("1", 40), "sha256:" + strings.Repeat("c", 64)

func outputsOf(h host, digests Digests) map[string]any {
	images, repositories := map[string]any{}, map[string]any{}
	for kind, digest := range digests {
		repositories[kind] = h.address + "/" + kind
		images[kind] = h.address + "/" + kind + "@" + digest
	}
	origin := map[string]any{"commit": commit, "companyNews.war": checksum}
	return map[string]any{"images": images, "repositories": repositories, "origin": origin}
}

func TestPromote(t *testing.T) {
	from, to := newHost(t), newHost(t)
	running := Digests{}
	for _, kind := range []string{"app", "static", "proxy"} {
		_, running[kind] = push(t, from.repository(t, kind), "content")
	}
	train, err := StackOf("train", outputsOf(from, running), find)
	require.NoError(t, err)
	old := Digests{"app": "sha256:" + strings.Repeat("1", 64), "static": running["static"]}
	prod, err := StackOf("prod", outputsOf(to, old), find)
	require.NoError(t, err)

	var out bytes.Buffer
	chosen, err := Promote(t.Context(), train, prod, &out)
	require.NoError(t, err)
	require.Equal(t, Digests{"app": running["app"], "static": running["static"], "commit": commit, "companyNews.war": checksum},
		chosen, "prod has no proxy of its own")
	require.Contains(t, out.String(), "app: copied to "+to.address+"/app")
	require.NoError(t, Present(t.Context(), prod, chosen), "every image is asked for, and nothing else")
	require.Equal(t, fmt.Sprintf("  app: sha256:111111111111 -> %s\n  commit: 1111111111111111111, as it runs\n"+
		"  companyNews.war: sha256:cccccccccccc, as it runs\n  static: %s, as it runs\n",
		running["app"][:19], running["static"][:19]), Difference(prod.Running, chosen))
	require.False(t, prod.Runs(chosen))
	chosen["app"], chosen["commit"] = old["app"], strings.Repeat("2", 40)
	require.True(t, prod.Runs(chosen), "the same images, of whatever commit, are the same release")

	require.ErrorContains(t, Present(t.Context(), prod, old), "has no sha256:1111", "it was never in this registry")
	_, err = Promote(t.Context(), prod, train, &out)
	require.ErrorContains(t, err, `stack "prod" runs no image "proxy", which stack "train" needs`)
	_, err = StackOf("new", map[string]any{"url": "x"}, find)
	require.ErrorContains(t, err, "bring it up once")
}

// A tag that the state still has was not left behind: its image is the stack's own.
func TestBuilt(t *testing.T) {
	h := newHost(t)
	_, old := push(t, h.repository(t, "app"), "aaaaaaaaaaaaaaaa")
	push(t, h.repository(t, "app"), "bbbbbbbbbbbbbbbb")
	state := func(current string) []byte {
		return fmt.Appendf(nil, `{"version": 3, "deployment": {"resources": [
  {"type": "aws:ecr/repository:Repository", "outputs": {"repositoryUrl": %q}},
  {"type": "docker:index/image:Image", "inputs": {"imageName": %q}}]}}`, h.address+"/app", h.address+"/app:"+current)
	}
	for name, tc := range map[string]struct {
		state []byte
		tags  []string
		want  Digests
	}{
		"what runs":       {state("bbbbbbbbbbbbbbbb"), []string{"bbbbbbbbbbbbbbbb"}, Digests{}},
		"an older commit": {state("bbbbbbbbbbbbbbbb"), []string{"aaaaaaaaaaaaaaaa"}, Digests{"aaaaaaaaaaaaaaaa": old}},
		"never built":     {state("bbbbbbbbbbbbbbbb"), []string{"cccccccccccccccc"}, Digests{}},
		"a new stack":     {[]byte(`{"version": 3, "deployment": {}}`), []string{"aaaaaaaaaaaaaaaa"}, Digests{}},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := Built(t.Context(), tc.state, tc.tags, find)
			require.NoError(t, err)
			require.Equal(t, tc.want, found)
		})
	}
	_, err := Built(t.Context(), []byte("nothing"), nil, find)
	require.ErrorContains(t, err, "state cannot be read")
	h.refuse.Store(true)
	_, err = Built(t.Context(), state("x"), []string{"aaaaaaaaaaaaaaaa"}, find)
	require.ErrorContains(t, err, "may you read this registry")
}

func TestWriteFileKeepsEverythingElse(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	const head, tail = "# Production.\nencryptionsalt: v1:x\nconfig:\n  aws:region: eu-central-1\n", "  # Who may see it.\n" +
		"  twip:siteCidrs: [0.0.0.0/0]\n  twip:tags:\n    Environment: prod\n"
	const releaseOfA = "  twip:release:\n    app: sha256:"
	for name, tc := range map[string]struct {
		before string
		values map[string]Digests
		after  string
		err    string
	}{
		"added":    {before: head + tail, values: map[string]Digests{"twip:release": {"app": digest}}, after: head + tail + releaseOfA + digest[7:] + "\n"},
		"replaced": {before: head + "  twip:release: {app: old}\n" + tail, values: map[string]Digests{"twip:release": {"app": digest}}, after: head + releaseOfA + digest[7:] + "\n" + tail},
		"replaced over lines": {before: head + "  twip:release:\n    app: old\n    static: old\n" + tail,
			values: map[string]Digests{"twip:release": {"app": digest}}, after: head + releaseOfA + digest[7:] + "\n" + tail},
		"a name like another":   {before: head + "  twip:releaseBefore: {app: old}\n" + tail, values: map[string]Digests{"twip:release": {"app": digest}}, after: head + "  twip:releaseBefore: {app: old}\n" + tail + releaseOfA + digest[7:] + "\n"},
		"taken out":             {before: head + "  twip:release:\n    app: old\n" + tail, values: map[string]Digests{"twip:release": {}}, after: head + tail},
		"a number as a name":    {before: head, values: map[string]Digests{"twip:built": {"1234567890123456": digest}}, after: head + "  twip:built:\n    \"1234567890123456\": " + digest + "\n"},
		"a commit of digits":    {before: head, values: map[string]Digests{"twip:release": {"commit": commit}}, after: head + "  twip:release:\n    commit: \"" + commit + "\"\n"},
		"before other keys":     {before: head + "other: 1\n", values: map[string]Digests{"twip:release": {"app": digest}}, after: head + releaseOfA + digest[7:] + "\nother: 1\n"},
		"no section":            {before: "# new\n", values: map[string]Digests{"twip:release": {"app": digest}}, after: "# new\nconfig:\n" + releaseOfA + digest[7:] + "\n"},
		"a section in one line": {before: "config: {aws:region: x}\n", values: map[string]Digests{"twip:release": {"app": digest}}, err: "nothing was written"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "Pulumi.prod.yaml")
			require.NoError(t, os.WriteFile(file, []byte(tc.before), 0o600))
			err := WriteFile(file, tc.values)
			text, readErr := os.ReadFile(file)
			require.NoError(t, readErr)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				require.Equal(t, tc.before, string(text))
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.after, string(text))
		})
	}
}
