package images_test

import (
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/images"
	"twip/tests/artifact"
)

// trainingReport is what the build of an app image says about the run in which it recorded the classes.
func trainingReport(t *testing.T, image string) string {
	t.Helper()
	report, err := os.ReadFile(unpacked(t, image, "/srv/jetty/trained/report"))
	require.NoError(t, err)
	return string(report)
}

// TestAForeignWebApplicationRunsUnchanged builds a web application with the habits of one made for Struts 2.1 (a filter as
// front controller, a tag library in a jar, old byte code, reflection into the JDK, sessions that cannot be serialized, a slow
// orderly stop) and gives it to the app image as a team gives its own. Struts and Prevayler themselves are in no archive that
// a build may use: Debian 13 has neither.
func TestAForeignWebApplicationRunsUnchanged(t *testing.T) {
	artifacts := t.TempDir()
	artifact.Pack(t, os.DirFS(foreignApplication(t)), filepath.Join(artifacts, "companyNews.war"))
	image, err := buildImage(images.App, artifacts, t.TempDir())
	require.NoError(t, err)
	require.Contains(t, trainingReport(t, image), "covers the web application")

	s := newSite(t, image)
	_, page := s.get(t, "/")
	require.Contains(t, page, "foreign, for ")
	require.NotContains(t, page, "for "+s.proxy.address(t), "the visitor's address, not the proxy's")
	require.Contains(t, page, "at "+s.url+"/")
	response, err := s.do("GET", "/", http.Header{"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Host": {"elsewhere.example"},
		"X-Forwarded-Proto": {"https"}, "Forwarded": {"for=203.0.113.9;host=elsewhere.example"}}, "")
	require.NoError(t, err)
	defer response.Body.Close()
	forged, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, page, string(forged), "what a client says about its origin is replaced")

	for _, title := range []string{"<first>", "second"} {
		require.Equal(t, 302, s.status("POST", "/Post.action", form, "title="+title))
	}
	want := func() {
		_, page := s.get(t, "/Read.action")
		require.Contains(t, page, "Titles: [&lt;first>, second] (2), more: true")
		require.Contains(t, page, "<p>&lt;first&gt;</p>")
	}
	want()

	require.Len(t, s.app.said(t, "no Prevayler in the application: no snapshots are taken until one appears", "time"), 1)

	// The stop takes 6 s, in which the only copy of the data is written.
	mustDocker(t, "stop", s.app.id)
	mustDocker(t, "start", s.app.id)
	want()
}

// An application that does not start ends its build. One that may need something that only the environment has goes out
// if that is asked for, and then does not lead: it fails its rehearsal beside the site, which goes on.
func TestAnApplicationThatDoesNotStart(t *testing.T) {
	application := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(application, "WEB-INF"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(application, "WEB-INF", "web.xml"), []byte(`<web-app>
  <listener><listener-class>not.There</listener-class></listener></web-app>`), 0o644))
	artifacts := t.TempDir()
	artifact.Pack(t, os.DirFS(application), filepath.Join(artifacts, "companyNews.war"))
	_, err := buildImage(images.App, artifacts, t.TempDir())
	require.ErrorContains(t, err, "train: the web application did not serve / (answer: none)")
	image, err := build(images.App, images.Options{Artifacts: artifacts, Out: t.TempDir(), TrainingOptional: true})
	require.NoError(t, err)
	require.Contains(t, trainingReport(t, image), "WARNING: the web application did not serve / (answer: none)")
	require.NoError(t, filepath.WalkDir(unpacked(t, image, "/"), func(path string, _ fs.DirEntry, err error) error {
		for _, data := range []string{"*.journal", "*.snapshot", "files[*]"} {
			is, _ := filepath.Match(data, filepath.Base(path))
			require.False(t, is, "the training left %s", path)
		}
		return err
	}))

	s := newSite(t, built[images.App])
	s.post(t, "before", "a release that does not start")
	next := runWith(t, images.App, image, s.network, impatient(t, image), "-v", s.store+":/store")
	var health string
	await(t, 3*time.Minute, "the verdict of the rehearsal", func() bool {
		answer, err := http.Get("http://" + next.address(t) + ":8082/health")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		health = string(body)
		return err == nil && answer.StatusCode == http.StatusServiceUnavailable && strings.Contains(health, "failed, so it does not lead")
	})
	t.Log(health)
	require.Equal(t, 200, s.status("GET", "/", nil, ""))
	mustDocker(t, "stop", s.app.id)
	require.Never(t, func() bool { return strings.Contains(next.logs(t), `"msg":"claimed"`) }, 5*time.Second, time.Second,
		"it leads, although it was not able to")
	mustDocker(t, "start", s.app.id)
	_, page := s.get(t, "/Read.action")
	require.Contains(t, page, "a release that does not start")
}

// impatient is an app image's command, with seconds instead of minutes for the application's first answer.
func impatient(t *testing.T, image string) []string {
	t.Helper()
	command := strings.Fields(mustDocker(t, "inspect", "-f", `{{join .Config.Cmd " "}}`, image))
	return append([]string{command[0], "--start-timeout", "10s"}, command[1:]...)
}

// foreignApplication compiles testdata/foreign with the compiler in the app image and returns the unpacked application.
func foreignApplication(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/foreign")))
	for _, part := range []string{"application", "taglib"} {
		mustDocker(t, "run", "--rm", "--label", label, "--user", "0", "--network", "none", "-v", dir+":/foreign",
			"--entrypoint", "java", built[images.App], "-cp", "/usr/share/java/eclipse-jdt-core-compiler-batch.jar",
			"org.eclipse.jdt.internal.compiler.batch.Main", "-source", "1.8", "-target", "1.8",
			"-cp", "/usr/share/java/servlet-api.jar:/usr/share/java/tomcat9-jsp-api.jar", "-d", "/foreign/classes/"+part, "/foreign/"+part)
	}
	application, taglib := filepath.Join(dir, "webapp"), filepath.Join(dir, "taglib-resources")
	require.NoError(t, os.CopyFS(filepath.Join(application, "WEB-INF", "classes"), os.DirFS(filepath.Join(dir, "classes", "application"))))
	require.NoError(t, os.CopyFS(taglib, os.DirFS(filepath.Join(dir, "classes", "taglib"))))
	require.NoError(t, os.Mkdir(filepath.Join(application, "WEB-INF", "lib"), 0o755))
	artifact.Pack(t, os.DirFS(taglib), filepath.Join(application, "WEB-INF", "lib", "foreign-tags-1.0.jar"))
	return application
}

// pack makes a zip file of a directory.
