package machine

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/drill"
	"twip/infra/local"
	"twip/infra/local/region"
	"twip/infra/ops"
	"twip/tests/artifact"
	"twip/tests/visitor"
)

// TestProd brings production up, takes the writer's machine and then a zone from it, and brings it changes, good and bad.
func TestProd(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	var log bytes.Buffer
	state := filepath.Join(os.TempDir(), "twip-test-prod")
	cloud := local.New(local.Options{
		Name: "test-prod", Checkout: root, StackFiles: filepath.Join(root, "tests", "stacks"), Stack: "prod", State: state,
		Ports: map[int]int{80: 0}, Out: io.MultiWriter(t.Output(), &log),
	})
	require.NoError(t, region.Stop(state), "what an interrupted run left")
	require.NoError(t, cloud.Computer.Clean(t.Context()))
	require.NoError(t, os.RemoveAll(state))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		require.NoError(t, cloud.Destroy(ctx))
		requireNothingLeft(t, "test-prod", "container", "volume", "network")
		left, err := exec.Command("sh", "-c", "grep -lszF TWIP_REGION="+state+" /proc/[0-9]*/environ || true").Output()
		require.NoError(t, err)
		require.Empty(t, string(left), "no controller is left")
		require.NoError(t, cloud.Computer.Clean(ctx))
	})
	begun := time.Now()
	require.NoError(t, cloud.Up(t.Context()))
	t.Logf("up after %.0f s", time.Since(begun).Seconds())

	outputs, err := cloud.Outputs(t.Context())
	require.NoError(t, err)
	env, err := ops.FromOutputs("prod", outputs, cloud.Machines())
	require.NoError(t, err)
	require.NoError(t, ops.Smoke(t.Context(), env, io.Discard))
	require.NoError(t, ops.Status(t.Context(), env, t.Output()))

	r, err := cloud.Region(t.Context())
	require.NoError(t, err)
	writer, err := r.Writer(t.Context())
	require.NoError(t, err)
	e := &environment{Cloud: cloud, t: t, outputs: outputs}
	id, err := cloud.Computer.Exec(t.Context(), writer.ID, "sh", "-c", `service=http://169.254.169.254/latest
token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $service/api/token)
curl -sf -H "X-aws-ec2-metadata-token: $token" $service/meta-data/instance-id`)
	require.NoError(t, err)
	require.Equal(t, writer.ID, string(id), "a machine is told which one it is")
	e.post("before its machine is lost")
	drills, o, err := e.Drills(t.Context(), nil)
	require.NoError(t, err)
	chosen, err := drill.Choose(drills, "writer-off,zone-off")
	require.NoError(t, err)
	// What replaces machines boots on the same processors meanwhile. `make drill` judges the times that are promised.
	_, err = drill.Run(t.Context(), drill.Slower(chosen, 4), o)
	require.NoError(t, err)
	require.Contains(t, e.articles(), "before its machine is lost")
	for _, tier := range []string{"app", "static"} {
		e.logged("journals", tier, `"MemoryUsedPercent": `)
	}
	successor, err := r.Writer(t.Context())
	require.NoError(t, err)
	require.Greater(t, successor.Epoch, writer.Epoch)

	log.Reset()
	require.NoError(t, cloud.Up(t.Context()))
	require.Contains(t, log.String(), "up: 0 changes", "a second up changes nothing")

	// A new version of the template: the very rollout function brings it to the group, old servers serve until new ones do.
	e.post("before the rollout")
	require.NoError(t, cloud.Set("twip:memoryMiB", map[string]int{"app": 1280, "static": 256}))
	begun = time.Now()
	stop := e.reads()
	require.NoError(t, cloud.Up(t.Context()))
	reads, failed := stop()
	t.Logf("rolled out after %.0f s; %d of %d reads failed: %v", time.Since(begun).Seconds(), len(failed), reads, failed)
	require.Empty(t, failed, "nobody notices a rollout")
	machines, err := r.Machines(t.Context(), "app")
	require.NoError(t, err)
	for _, m := range machines {
		require.Equal(t, 2, m.Version)
	}
	require.Contains(t, e.articles(), "before the rollout")

	begun = time.Now()
	require.NoError(t, cloud.Scale(t.Context(), 3))
	machines, err = r.Machines(t.Context(), "app")
	require.NoError(t, err)
	require.Len(t, machines, 3)
	t.Logf("scaled out after %.0f s", time.Since(begun).Seconds())

	e.badReleasesAreTakenBack(r)
}

func files(content map[string]string) fstest.MapFS {
	all := fstest.MapFS{}
	for name, text := range content {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

// badReleases are names of local.BadWARs, and whether the build notices.
var badReleases = []struct {
	name    string
	refused bool
}{{"it does not start", true}, {"it answers 500", true}, {"it cannot read the data", false}}

// badReleasesAreTakenBack rolls out applications that do not do. Those of before serve all the time, `up` is red and says why, and the
// next `up` of a good one is green.
func (e *environment) badReleasesAreTakenBack(r *local.Region) {
	e.t.Helper()
	before, err := r.Machines(e.t.Context(), "app")
	require.NoError(e.t, err)
	for _, bad := range badReleases {
		artifacts := e.t.TempDir()
		artifact.Pack(e.t, files(local.BadWARs[bad.name]), filepath.Join(artifacts, "companyNews.war"))
		require.NoError(e.t, e.Set("twip:artifacts", artifacts))
		require.NoError(e.t, e.Set("twip:trainingRun", "required"))
		if bad.refused {
			begun := time.Now()
			require.ErrorContains(e.t, e.Up(e.t.Context()), "the web application did not serve /", "it is not even built")
			e.t.Logf("%s: refused after %.0f s, by its build; let through now, as if it only lacked something there", bad.name,
				time.Since(begun).Seconds())
			require.NoError(e.t, e.Set("twip:trainingRun", "optional"))
		}
		e.post("before: " + bad.name)
		begun := time.Now()
		stop := e.reads()
		err = e.Up(e.t.Context())
		reads, failed := stop()
		e.t.Logf("%s: up is red after %.0f s; %d of %d reads failed: %v: %v", bad.name, time.Since(begun).Seconds(), len(failed),
			reads, failed, err)
		require.ErrorContains(e.t, err, "was not rolled out")
		require.Empty(e.t, failed, "nobody notices a bad release")
		e.post("after: " + bad.name)
		require.Contains(e.t, e.articles(), "before: "+bad.name)
	}

	require.NoError(e.t, e.Set("twip:artifacts", "artifacts"))
	begun := time.Now()
	require.NoError(e.t, e.Up(e.t.Context()))
	e.t.Logf("a good release again after %.0f s", time.Since(begun).Seconds())
	for _, bad := range badReleases {
		require.Contains(e.t, e.articles(), "after: "+bad.name)
	}
	after, err := r.Machines(e.t.Context(), "app")
	require.NoError(e.t, err)
	require.Len(e.t, after, len(before))
}

// reads reads pages until it is stopped, which tells how many there were and which failed.
func (e *environment) reads() (stop func() (int, []string)) {
	return visitor.Read(e.t, client, e.output("url")+"/Read.action")
}
