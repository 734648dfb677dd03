package graph

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/boot"
	"twip/stacks"
)

const (
	digestA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	commit  = "0123456789012345678901234567890123456789"
	digestB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// released is production with images that another stack has built.
var released = map[string]string{
	"twip:release": `{"app":"` + digestA + `","static":"` + digestB + `","commit":"` + commit + `","companyNews.war":"` +
		digestA + `"}`,
	"twip:releaseBefore": `{"app":"` + digestB + `","static":"` + digestA + `"}`,
}

// A stack that names its release builds nothing, and asks the registry for the images before anything is made of them.
func TestReleaseIsNotBuilt(t *testing.T) {
	g := prod(t, released)
	require.False(t, g.Has(imageType))
	require.Len(t, g.Of(t, repositoryType), 2, "the images' places stay, and so do the machines' rights")
	images := g.Output(t, "images").(map[string]any)
	require.True(t, strings.HasSuffix(images["app"].(string), "@"+digestA), images)
	require.True(t, strings.HasSuffix(images["static"].(string), "@"+digestB), images)
	require.Equal(t, map[string]any{"app": digestB, "static": digestA}, g.Output(t, "releaseBefore"))
	require.Equal(t, map[string]any{"commit": commit, "companyNews.war": digestA}, g.Output(t, "origin"))
	asked := 0
	for _, question := range g.Invokes {
		if question.Token == "aws:ecr/getImage:getImage" {
			asked++
		}
	}
	require.Equal(t, 2, asked)
}

// Images and stylesheets of the release before are served as well, where there is one that is another.
func TestFilesOfTheReleaseBefore(t *testing.T) {
	for name, tc := range map[string]struct {
		config map[string]string
		want   bool
	}{
		"a release before":    {released, true},
		"no release before":   {map[string]string{"twip:release": released["twip:release"]}, false},
		"the same files":      {map[string]string{"twip:release": released["twip:release"], "twip:releaseBefore": released["twip:release"]}, false},
		"a stack that builds": {map[string]string{"twip:releaseBefore": released["twip:releaseBefore"]}, false},
	} {
		g := prod(t, tc.config)
		for _, template := range g.Of(t, templateType) {
			document := g.Document(t, template)
			want := tc.want && strings.Contains(template.Name, "static")
			require.Equal(t, want, strings.Contains(document, "@"+digestA+"\" /srv/site /var/lib/twip/before"), "%s: %s", name, template.Name)
			require.Equal(t, want, strings.Contains(document, boot.BeforeMount), "%s: %s", name, template.Name)
		}
	}
}

// Going back to content that the registry holds builds nothing of it, and everything else as ever.
func TestContentThatWasBuiltIsNotBuiltAgain(t *testing.T) {
	config := Fixture(t, "train", nil)
	tags, err := stacks.ContentTags("..", "train", config)
	require.NoError(t, err)
	require.Len(t, tags, 3)
	g := train(t, map[string]string{"twip:built": `{"` + tags[1] + `":"` + digestA + `","0123456789abcdef":"` + digestB + `"}`})
	require.Len(t, g.Of(t, imageType), 2)
	for _, built := range g.Of(t, imageType) {
		require.NotContains(t, g.At(t, built, "imageName"), tags[1])
	}
	require.True(t, strings.HasSuffix(g.Output(t, "images").(map[string]any)["app"].(string), "@"+digestA))
}

func TestContentTagsOfARelease(t *testing.T) {
	tags, err := stacks.ContentTags("..", "prod", prodConfig(t, released))
	require.NoError(t, err)
	require.Empty(t, tags, "it builds nothing")
}
