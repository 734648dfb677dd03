package main

import (
	"bytes"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"twip/stacks"
)

// images is a registry in memory with an image in each of the repositories; it answers their digests.
func imagesIn(t *testing.T, repositories ...string) (address string, digests map[string]string) {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(&bytes.Buffer{}, "", 0))))
	t.Cleanup(server.Close)
	address, digests = strings.TrimPrefix(server.URL, "http://"), map[string]string{}
	for _, repository := range repositories {
		image, err := random.Image(500, 1)
		require.NoError(t, err)
		ref, err := name.ParseReference(address + "/" + repository + ":content")
		require.NoError(t, err)
		require.NoError(t, remote.Write(ref, image))
		digest, err := image.Digest()
		require.NoError(t, err)
		digests[repository] = digest.String()
	}
	return address, digests
}

// A promotion, and back again, on AWS: pulumi says what runs, the registry is asked, and the stack's file is written.
func TestPromoteAndRollback(t *testing.T) {
	address, digest := imagesIn(t, "train-app", "train-static", "prod-app", "prod-static")
	outputs := func(stack string) string {
		return strings.NewReplacer("REG", address, "STACK", stack, "APP", digest[stack+"-app"], "STATIC", digest[stack+"-static"]).Replace(
			`{"images": {"app": "REG/STACK-app@APP", "static": "REG/STACK-static@STATIC"}, ` +
				`"repositories": {"app": "REG/STACK-app", "static": "REG/STACK-static"}}`)
	}
	root := t.TempDir()
	file := filepath.Join(root, "Pulumi.prod.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(root, "Pulumi.yaml"), []byte("name: twip\n"), 0o600))
	require.NoError(t, os.WriteFile(file, []byte("config:\n  aws:region: eu-central-1 # ours\n"), 0o600))
	t.Chdir(root)
	stand(t, map[string]string{"docker": "exit 1", "pulumi": `case "$*" in
"stack output --json --stack train") echo '` + outputs("train") + `' ;;
"stack output --json --stack prod") echo '` + outputs("prod") + `' ;;
"config --json --stack prod") cat config.json ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac`})

	var out bytes.Buffer
	require.NoError(t, run(t.Context(), strings.Fields("-stack prod -cloud aws promote -from train"), strings.NewReader(""), &out))
	require.Contains(t, out.String(), "  app: "+digest["prod-app"][:19]+" -> "+digest["train-app"][:19])
	require.Contains(t, out.String(), "nothing runs it yet: make up STACK=prod CLOUD=aws")
	release := func(stack string) string {
		return "\n    app: " + digest[stack+"-app"] + "\n    static: " + digest[stack+"-static"] + "\n"
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "config:\n  aws:region: eu-central-1 # ours\n  twip:release:"+release("train")+"  twip:releaseBefore:"+release("prod"), string(text))

	json := func(stack string) string {
		return `{\"app\":\"` + digest[stack+"-app"] + `\",\"static\":\"` + digest[stack+"-static"] + `\"}`
	}
	require.NoError(t, os.WriteFile("config.json", []byte(`{"twip:release": {"value": "`+json("train")+`"}, "twip:releaseBefore": {"value": "`+json("prod")+`"}}`), 0o600))
	require.NoError(t, run(t.Context(), strings.Fields("-stack prod -cloud aws rollback"), strings.NewReader(""), &out))
	text, err = os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "config:\n  aws:region: eu-central-1 # ours\n  twip:release:"+release("prod")+"  twip:releaseBefore:"+release("train"), string(text))

	t.Log("what the registry let go of is no release to go back to")
	gone := strings.ReplaceAll(json("prod"), digest["prod-app"], "sha256:"+strings.Repeat("0", 64))
	require.NoError(t, os.WriteFile("config.json", []byte(`{"twip:release": {"value": "`+json("train")+`"}, "twip:releaseBefore": {"value": "`+gone+`"}}`), 0o600))
	require.ErrorContains(t, try(t, "-stack prod -cloud aws rollback"), "has no sha256:0000")
	require.NoError(t, os.WriteFile("config.json", []byte(`{}`), 0o600))
	require.ErrorContains(t, try(t, "-stack prod -cloud aws rollback"), "nothing was promoted to it yet")
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(text), string(after), "a refusal writes nothing")
}

// Going back to an older commit: its image is named before pulumi runs, which therefore builds nothing.
func TestUpOnAWSUsesImagesThatAreThere(t *testing.T) {
	address, _ := imagesIn(t)
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "Pulumi.yaml"), []byte("name: twip\n"), 0o600))
	file := filepath.Join(root, "Pulumi.train.yaml")
	require.NoError(t, os.WriteFile(file, []byte("config:\n  aws:region: eu-central-1\n"), 0o600))
	t.Chdir(root)
	tags := contentTags(t, root)
	image, err := random.Image(500, 1)
	require.NoError(t, err)
	ref, err := name.ParseReference(address + "/app:" + tags[1])
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, image))
	digest, err := image.Digest()
	require.NoError(t, err)
	log := stand(t, map[string]string{"docker": "", "pulumi": `case "$*" in
"config --json --stack train") echo '{"aws:region": {"value": "eu-central-1"}}' ;;
"stack export --stack train") echo '{"deployment": {"resources": [{"type": "aws:ecr/repository:Repository", "outputs": {"repositoryUrl": "` + address + `/app"}}]}}' ;;
esac`})
	require.NoError(t, try(t, "-cloud aws up"))
	require.Contains(t, calls(t, log), "pulumi up --stack train")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), tags[1])
	require.Contains(t, string(text), digest.String())
}

func contentTags(t *testing.T, root string) []string {
	t.Helper()
	tags, err := stacks.ContentTags(root, "train", map[string]string{"aws:region": "eu-central-1"})
	require.NoError(t, err)
	require.Len(t, tags, 3)
	return tags
}
