package engine_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A stack that goes from building to a release, to another release, and back: nothing is built after the first time, and
// servers are replaced only when their images are others.
func TestRelease(t *testing.T) {
	r := prod(t)
	first := r.mustUp()
	running := map[string]string{}
	for kind, image := range first.Outputs["images"].(map[string]any) {
		_, running[kind], _ = strings.Cut(image.(string), "@")
	}
	require.Len(t, running, 2)
	before := r.count()

	t.Log("to name what runs changes no server")
	r.config["twip:release"] = running
	named := r.mustUp()
	require.Empty(t, steps(named, "aws:ec2/launchTemplate:LaunchTemplate"))
	require.Empty(t, steps(named, "aws:lambda/invocation:Invocation"))
	require.Zero(t, r.mustUp().Changed(), "and a second up changes nothing")

	t.Log("a release that was not copied is refused before anything changes")
	next := map[string]string{"app": "sha256:" + strings.Repeat("a", 64), "static": running["static"]}
	r.config["twip:release"] = next
	_, err := r.up()
	require.ErrorContains(t, err, "copy it there with make promote")
	r.config["twip:release"] = running
	require.Zero(t, r.mustUp().Changed())

	t.Log("one that is there rolls out, in the group that runs it")
	r.images[next["app"]] = true
	r.config["twip:release"], r.config["twip:releaseBefore"] = next, running
	promoted := r.mustUp()
	require.Equal(t, []string{"update"}, steps(promoted, "aws:ec2/launchTemplate:LaunchTemplate"))
	require.Equal(t, running["app"], promoted.Outputs["releaseBefore"].(map[string]any)["app"])

	t.Log("and back")
	r.config["twip:release"], r.config["twip:releaseBefore"] = running, next
	back := r.mustUp()
	require.Equal(t, []string{"update"}, steps(back, "aws:ec2/launchTemplate:LaunchTemplate"))
	require.Equal(t, first.Outputs["images"], back.Outputs["images"])
	require.Empty(t, r.since(before, "build"))
}

// Going back to older content, whose tag the registry holds: a build is refused, as ECR refuses it, and the image that is
// named instead is not built.
func TestOlderContent(t *testing.T) {
	r := train(t)
	first := r.mustUp()
	r.config["twip:rebuild"] = "r2"
	second := r.mustUp()
	require.NotEqual(t, first.Outputs["images"], second.Outputs["images"])

	delete(r.config, "twip:rebuild")
	_, err := r.up()
	require.ErrorContains(t, err, "already exists in")

	before := r.count()
	built := map[string]string{}
	for _, image := range first.Outputs["images"].(map[string]any) {
		repository, digest, _ := strings.Cut(image.(string), "@")
		for name, pushed := range r.tags {
			if tag, of := strings.CutPrefix(name, repository+":"); of && pushed == digest {
				built[tag] = digest
			}
		}
	}
	require.Len(t, built, 3)
	r.config["twip:built"] = built
	third := r.mustUp()
	require.Equal(t, first.Outputs["images"], third.Outputs["images"])
	require.Empty(t, r.since(before, "build"))
	require.Zero(t, r.mustUp().Changed())
}
