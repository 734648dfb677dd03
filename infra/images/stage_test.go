package images

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var kinds = []Kind{Static, App, Proxy}

func TestEveryKindIsStagedFromTheSampleAlone(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			out := t.TempDir()
			c, err := Stage(kind, Options{Artifacts: filepath.Join(out, "absent"), Out: out})
			require.NoError(t, err)
			require.Equal(t, kind, c.Kind)
			require.Equal(t, filepath.Join(out, string(kind)), c.Dir)
			require.Regexp(t, `^[0-9a-f]{16}$`, c.Tag)
			require.Equal(t, map[string]string{"BASE_IMAGE": DefaultBaseImage}, c.Args)
			require.FileExists(t, filepath.Join(c.Dir, "Dockerfile"))
			if kind != Proxy {
				require.Contains(t, c.Source, "sample")
			}
		})
	}
}

func TestStagingIsTheSameEverywhere(t *testing.T) {
	for _, kind := range kinds {
		first, second := t.TempDir(), t.TempDir()
		a, err := Stage(kind, Options{Out: first})
		require.NoError(t, err)
		b, err := Stage(kind, Options{Out: second})
		require.NoError(t, err)
		require.Equal(t, a.Tag, b.Tag)
		require.Equal(t, listing(t, a.Dir), listing(t, b.Dir), "names, modes, times and contents")
	}
}

func TestTheTagCoversContentModeNameAndArguments(t *testing.T) {
	base := tree{"a": {data: []byte("x"), mode: plain}}
	args := map[string]string{"BASE_IMAGE": "debian:trixie-slim"}
	tags := map[string]string{}
	for what, tag := range map[string]string{
		"as it is":         base.hash(args),
		"another content":  tree{"a": {data: []byte("y"), mode: plain}}.hash(args),
		"another mode":     tree{"a": {data: []byte("x"), mode: executable}}.hash(args),
		"another name":     tree{"b": {data: []byte("x"), mode: plain}}.hash(args),
		"another argument": base.hash(map[string]string{"BASE_IMAGE": "debian:13"}),
		"a moved boundary": tree{"ax": {data: nil, mode: plain}}.hash(args),
	} {
		require.NotContains(t, tags, tag, what)
		tags[tag] = what
	}
	c, err := Stage(Proxy, Options{Out: t.TempDir(), BaseImage: "debian:13"})
	require.NoError(t, err)
	d, err := Stage(Proxy, Options{Out: t.TempDir()})
	require.NoError(t, err)
	require.NotEqual(t, c.Tag, d.Tag)
}

func TestASecondStagingTouchesOnlyWhatDiffers(t *testing.T) {
	out := t.TempDir()
	c, err := Stage(Static, Options{Out: out})
	require.NoError(t, err)
	before := inodes(t, c.Dir)

	changed := filepath.Join(c.Dir, "nginx.conf")
	require.NoError(t, os.WriteFile(changed, []byte("something else"), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(c.Dir, "left", "over"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(c.Dir, "site", "stray"), nil, 0o644))
	require.NoError(t, os.Remove(filepath.Join(c.Dir, "healthcheck")))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(c.Dir, "healthcheck")))

	again, err := Stage(Static, Options{Out: out})
	require.NoError(t, err)
	require.Equal(t, c.Tag, again.Tag)
	fresh, err := Stage(Static, Options{Out: t.TempDir()})
	require.NoError(t, err)
	require.Equal(t, listing(t, fresh.Dir), listing(t, c.Dir))
	for name, info := range inodes(t, c.Dir) {
		if name == "nginx.conf" || name == "healthcheck" {
			continue
		}
		require.True(t, os.SameFile(before[name], info), "%s was written again", name)
	}
}

func TestArtifactsTakeTheSamplesPlace(t *testing.T) {
	artifacts := t.TempDir()
	put(t, artifacts, "companyNews.war", map[string]string{
		"index.jsp": "hello", "WEB-INF/web.xml": "<web-app/>", `WEB-INF\classes\a.class`: "x",
		"__MACOSX/._index.jsp": "junk", "WEB-INF/": "",
	})
	put(t, artifacts, "static.zip",
		map[string]string{"static/styles/main.css": "b{}", "static/images/a b.png": "p", "static/.DS_Store": "x"})

	out := t.TempDir()
	app, err := Stage(App, Options{Artifacts: artifacts, Out: out})
	require.NoError(t, err)
	require.Contains(t, app.Source, "companyNews.war (3 files")
	require.Equal(t, []string{"WEB-INF/classes/a.class", "WEB-INF/web.xml", "index.jsp"},
		names(t, filepath.Join(app.Dir, "webapp", "root")))
	require.NoDirExists(t, filepath.Join(app.Dir, "webapp", "src"), "nothing of the sample is left")

	static, err := Stage(Static, Options{Artifacts: artifacts, Out: out})
	require.NoError(t, err)
	require.Contains(t, static.Source, "static.zip")
	provided, err := os.ReadFile(filepath.Join(artifacts, "static.zip"))
	require.NoError(t, err)
	require.Equal(t, "static.zip", static.Artifact)
	require.Equal(t, fmt.Sprintf("sha256:%x", sha256.Sum256(provided)), static.Checksum, "what sha256sum prints of it")
	require.Equal(t, []string{"images/a b.png", "styles/main.css"}, names(t, filepath.Join(static.Dir, "site")))

	require.NoError(t, os.Remove(filepath.Join(artifacts, "companyNews.war")))
	sample, err := Stage(App, Options{Artifacts: artifacts, Out: out})
	require.NoError(t, err)
	require.NotEqual(t, app.Tag, sample.Tag)
	require.Empty(t, sample.Artifact+sample.Checksum)
	require.NoFileExists(t, filepath.Join(sample.Dir, "webapp/root/WEB-INF/classes/a.class"))
}

func TestStaticFilesOfTheSameLengthGetDifferentTimes(t *testing.T) {
	time := func(css string) time.Time {
		artifacts := t.TempDir()
		put(t, artifacts, "static.zip", map[string]string{"styles/site.css": css})
		c, err := Stage(Static, Options{Artifacts: artifacts, Out: t.TempDir()})
		require.NoError(t, err)
		info, err := os.Stat(filepath.Join(c.Dir, "site/styles/site.css"))
		require.NoError(t, err)
		return info.ModTime()
	}
	require.NotEqual(t, time("b{top:1}"), time("b{top:2}"), "nginx would give both the same ETag")
}

func TestUnusableArtifactsAreRefused(t *testing.T) {
	link := func(w *zip.Writer) {
		header := &zip.FileHeader{Name: "WEB-INF/link"}
		header.SetMode(fs.ModeSymlink | 0o777)
		f, _ := w.CreateHeader(header)
		_, _ = f.Write([]byte("/etc/passwd"))
	}
	twice := func(w *zip.Writer) {
		for _, content := range []string{"a", "b"} {
			f, _ := w.Create("WEB-INF/web.xml")
			_, _ = f.Write([]byte(content))
		}
	}
	cases := []struct {
		name, artifact string
		kind           Kind
		data           []byte
		want           string
	}{
		{"no zip", "companyNews.war", App, []byte("<html>404 Not Found</html>"), "not a readable zip file"},
		{"empty", "companyNews.war", App, nil, "not a readable zip file"},
		{
			"cut",
			"companyNews.war",
			App,
			archive(t, map[string]string{"WEB-INF/web.xml": "x"})[:60],
			"not a readable zip file",
		},
		{
			"no web application",
			"companyNews.war",
			App,
			archive(t, map[string]string{"a/WEB-INF/web.xml": "x"}),
			"no WEB-INF",
		},
		{
			"climbs out",
			"companyNews.war",
			App,
			archive(t, map[string]string{"WEB-INF/../../x": "x"}),
			"would leave the directory",
		},
		{
			"climbs out with the other separator",
			"companyNews.war",
			App,
			archive(t, map[string]string{`..\x`: "x"}),
			"would leave the directory",
		},
		{
			"absolute",
			"companyNews.war",
			App,
			archive(t, map[string]string{"/etc/cron.d/x": "x"}),
			"would leave the directory",
		},
		{"link", "companyNews.war", App, build(t, link), "it is a link"},
		{"twice", "companyNews.war", App, build(t, twice), "twice with different contents"},
		{
			"file and directory",
			"companyNews.war",
			App,
			archive(t, map[string]string{"WEB-INF": "x", "WEB-INF/web.xml": "x"}),
			"it is a file, and a directory",
		},
		{
			"nothing to serve",
			"static.zip",
			Static,
			archive(t, map[string]string{"css/a.css": "x"}),
			"neither a styles nor an images directory",
		},
		{
			"several places",
			"static.zip",
			Static,
			archive(t, map[string]string{"a/styles/a.css": "x", "b/images/b.png": "x"}),
			"in several directories (a, b)",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			artifacts, out := t.TempDir(), t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(artifacts, c.artifact), c.data, 0o644))
			_, err := Stage(c.kind, Options{Artifacts: artifacts, Out: out})
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, filepath.Join(artifacts, c.artifact))
			require.ErrorContains(t, err, "remove it to use the sample")
			require.Empty(t, names(t, out), "nothing was written")
		})
	}
}

func TestPicturesOfStylesheetsBelongToThem(t *testing.T) {
	site, err := staticSite(tree{"top/styles/a.css": {}, "top/styles/images/b.png": {}})
	require.NoError(t, err)
	require.Contains(t, site, "styles/images/b.png")
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := Stage(App, Options{})
	require.ErrorContains(t, err, "Out is empty")
	_, err = Stage("database", Options{Out: t.TempDir()})
	require.ErrorContains(t, err, `unknown kind "database"`)
	artifacts := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(artifacts, "static.zip"), 0o755))
	_, err = Stage(Static, Options{Artifacts: artifacts, Out: t.TempDir()})
	require.ErrorContains(t, err, "static.zip")
}

func TestOnlyScriptsAreExecutable(t *testing.T) {
	for _, kind := range kinds {
		c, err := Stage(kind, Options{Out: t.TempDir()})
		require.NoError(t, err)
		for name, entry := range listing(t, c.Dir) {
			require.Equal(t, strings.HasPrefix(entry.content, "#!"), entry.mode == executable, "%s: %s", kind, name)
		}
	}
}

type entry struct {
	content string
	mode    fs.FileMode
	time    time.Time
}

func listing(t *testing.T, dir string) map[string]entry {
	found := map[string]entry{}
	for name, info := range inodes(t, dir) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		found[name] = entry{string(data), info.Mode(), info.ModTime().UTC()}
	}
	return found
}

func names(t *testing.T, dir string) []string {
	var found []string
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, name)
		}
		return err
	}))
	return found
}

func inodes(t *testing.T, dir string) map[string]fs.FileInfo {
	found := map[string]fs.FileInfo{}
	for _, name := range names(t, dir) {
		info, err := os.Lstat(filepath.Join(dir, name))
		require.NoError(t, err)
		found[name] = info
	}
	return found
}

func put(t *testing.T, dir, name string, files map[string]string) {
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), archive(t, files), 0o644))
}

func archive(t *testing.T, files map[string]string) []byte {
	return build(t, func(w *zip.Writer) {
		for name, content := range files {
			f, err := w.Create(name)
			require.NoError(t, err)
			if !strings.HasSuffix(name, "/") {
				_, err = f.Write([]byte(content))
				require.NoError(t, err)
			}
		}
	})
}

func build(t *testing.T, fill func(*zip.Writer)) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	fill(w)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// The same content under another word is another image, with a tag that no registry holds yet.
func TestRebuild(t *testing.T) {
	tags := map[string]bool{}
	for _, word := range []string{"", "r2", "r3"} {
		c, err := Stage(Static, Options{Out: t.TempDir(), Rebuild: word})
		require.NoError(t, err)
		require.Equal(t, word, c.Args["REBUILD"])
		tags[c.Tag] = true
	}
	require.Len(t, tags, 3)
}
