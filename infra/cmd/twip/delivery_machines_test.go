//go:build machines

package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/local"
	"twip/infra/local/region"
	"twip/tests/artifact"
	"twip/tests/visitor"
)

// TestMain lets the test start itself as the process that controls production's groups.
func TestMain(m *testing.M) {
	region.Main()
	os.Exit(m.Run())
}

// What make deliver and make rollback do, with real machines: a release that is good, one that train stops, and the way
// back. Readers of production notice none of it.
func TestMachinesDeliver(t *testing.T) {
	root, err := checkout()
	require.NoError(t, err)
	state := filepath.Join(os.TempDir(), "twip-test-delivery")
	side := func(stack string, ports map[int]int) (task, *local.Cloud) {
		c := local.New(local.Options{Name: "test-delivery", Checkout: root, StackFiles: filepath.Join(root, "tests", "stacks"),
			Stack: stack, State: state, Ports: ports, Out: t.Output()})
		o := options{stack: stack, cloud: onThisComputer, from: "train", wait: deliverWait}
		return task{options: o, cloud: c, out: t.Output()}, c
	}
	train, builder := side("train", map[int]int{80: 0, 1936: 0})
	prod, production := side("prod", map[int]int{80: 0})
	require.NoError(t, region.Stop(state), "what an interrupted run left")
	require.NoError(t, builder.Computer.Clean(t.Context()))
	require.NoError(t, os.RemoveAll(state))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		require.NoError(t, errors.Join(production.Destroy(ctx), builder.Destroy(ctx), builder.Computer.Clean(ctx)))
	})
	deliver := func() error {
		d := &sequence{from: train, to: prod}
		return errors.Join(d.run(t.Context()), d.report())
	}
	running := func() map[string]string {
		env, err := prod.environment(t.Context())
		require.NoError(t, err)
		return env.Images
	}

	t.Log("the first release")
	require.NoError(t, deliver())
	first := running()
	env, err := prod.environment(t.Context())
	require.NoError(t, err)
	stop := visitor.Read(t, http.DefaultClient, env.URL+"/Read.action")

	t.Log("another one, of another application and other files")
	next := t.TempDir()
	application := filepath.Join(t.TempDir(), "ROOT")
	takeApplication(t, application)
	require.NoError(t, os.WriteFile(filepath.Join(application, "WEB-INF", "release.txt"), []byte("next"), 0o644))
	artifact.Pack(t, os.DirFS(application), filepath.Join(next, "companyNews.war"))
	files := t.TempDir()
	require.NoError(t, os.CopyFS(files, os.DirFS(filepath.Join(root, "infra", "images", "sample", "static"))))
	require.NoError(t, os.Rename(filepath.Join(files, "images", "logo.svg"), filepath.Join(files, "images", "next.svg")))
	artifact.Pack(t, os.DirFS(files), filepath.Join(next, "static.zip"))
	require.NoError(t, builder.Set("twip:artifacts", next))
	require.NoError(t, deliver())
	second := running()
	for tier := range first {
		require.NotEqual(t, first[tier], second[tier], tier)
	}
	for _, file := range []string{"/images/next.svg", "/images/logo.svg"} {
		require.Equal(t, http.StatusOK, status(t, env.URL+file), "%s: files of the release before are there as well", file)
	}

	t.Log("one that does not start: train stops it")
	bad := t.TempDir()
	artifact.Pack(t, fstest.MapFS{"WEB-INF/web.xml": {
		Data: []byte("<web-app><listener><listener-class>not.There</listener-class></listener></web-app>"),
	}}, filepath.Join(bad, "companyNews.war"))
	require.NoError(t, builder.Set("twip:artifacts", bad))
	require.ErrorContains(t, deliver(), "up train")
	require.Equal(t, second, running())

	t.Log("back to the first")
	begun := time.Now()
	require.NoError(t, rollback(t.Context(), prod))
	require.NoError(t, prod.cloud.Up(t.Context()))
	require.NoError(t, smoke(t.Context(), prod))
	require.Equal(t, first, running())
	count, failed := stop()
	t.Logf("rolled back and visited %.0f s after the command; %d of %d reads failed in all: %v", time.Since(begun).Seconds(),
		len(failed), count, failed)
	require.Empty(t, failed, "readers notice nothing")
}

// takeApplication takes the sample, compiled, out of the image that train built.
func takeApplication(t *testing.T, into string) {
	t.Helper()
	docker := func(args ...string) string {
		out, err := exec.Command("docker", args...).CombinedOutput()
		require.NoError(t, err, "%v: %s", args, out)
		return strings.TrimSpace(string(out))
	}
	built := strings.Fields(docker("image", "ls", "--filter", "label=twip.local=test-delivery", "--filter",
		"reference=*/twip-train-app*", "--format", "{{.Repository}}:{{.Tag}}"))
	require.NotEmpty(t, built)
	container := docker("create", built[0])
	defer docker("rm", container)
	docker("cp", container+":/srv/jetty/webapps/ROOT", into)
}

func status(t *testing.T, url string) int {
	t.Helper()
	answer, err := http.Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	return answer.StatusCode
}
