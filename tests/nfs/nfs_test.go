// Package nfs runs keepers on machines with kernels of their own, over the kernel's NFS 4.1 client and the mount
// options of production, against a real server behind a TLS tunnel, breaks them in many ways under load, and accounts
// for every post that was acknowledged. It needs Docker and root.
//
// What stands in for the JVM (standin) journals as Prevayler does. Jetty itself runs on such machines in `make local
// STACK=prod`; here it would take most of the time to start.
package nfs

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/load"
)

var (
	schedules = flag.Int("schedules", len(faults), "how many faults to inject")
	longest   = flag.Duration("pause", 15*time.Second, "how long what stands still or is cut off does so at the most")
	only      = flag.String("fault", "", "inject only faults whose name contains this")
	seed      = flag.Int64("seed", 1, "of the faults' victims and lengths")
)

func TestFaultsOverNFS(t *testing.T) {
	s := newSite(t)
	end := s.serve("true", build(t, "twip/infra/keeper/cmd/keeper", ""))
	s.eventually(time.Minute, s.flowing)
	s.measure()
	rng := rand.New(rand.NewSource(*seed))
	gaps := map[string][]time.Duration{}
	chosen := slices.DeleteFunc(slices.Clone(faults), func(f fault) bool { return !strings.Contains(f.name, *only) })
	require.NotEmpty(t, chosen, "no fault's name contains %q", *only)
	for i := range *schedules {
		f := chosen[i%len(chosen)]
		leader := s.leader()
		victim := leader
		if rng.Intn(5) == 0 {
			victim = s.servers[rng.Intn(len(s.servers))]
		}
		long := time.Second + time.Duration(math.Pow(rng.Float64(), 3)*float64(*longest-time.Second))
		began := time.Now()
		require.NoError(t, f.do(s, victim, long), f.name)
		over := time.Now()
		s.eventually(3*time.Minute, func() error {
			if time.Since(over) < time.Second {
				return fmt.Errorf("it is just over")
			}
			if err := s.flowing(); err != nil {
				return err
			}
			return s.healthy()
		})
		gap, _ := load.Gap(load.Of(s.load.Samples(), load.Post), began, time.Now())
		gaps[f.name] = append(gaps[f.name], gap)
		s.say(fmt.Sprintf("%2d  %-36s leader %-5t lasted %5.1f s  no post for %5.1f s", i+1, f.name, victim == leader,
			over.Sub(began).Seconds(), gap.Seconds()))
	}
	samples := end()
	for i, tally := range s.count(samples) {
		t.Logf("%s: %d posts, %d acknowledged, %d lost, %d doubled; of the others %d were carried out", s.servers[i].id,
			tally.Sent, tally.Acknowledged, len(tally.Lost), len(tally.Doubled), tally.ThereAnyway)
		require.Empty(t, tally.Lost, "acknowledged posts that %s does not show", s.servers[i].id)
		require.Empty(t, tally.Doubled, "posts that %s shows twice", s.servers[i].id)
	}
	for _, f := range faults {
		if all := gaps[f.name]; len(all) > 0 {
			t.Logf("no post: %-36s n %2d  longest %5.1f s", f.name, len(all), slices.Max(all).Seconds())
		}
	}
	s.leave()
	t.Run("fails without the fence", s.losesWithoutTheFence)
}

// losesWithoutTheFence shows that all this can fail: a keeper whose fence lets everything pass answers for a server
// that has long been succeeded.
func (s *site) losesWithoutTheFence(t *testing.T) {
	source, err := filepath.Abs("../../infra/keeper/fence.go")
	require.NoError(t, err)
	content, err := os.ReadFile(source)
	require.NoError(t, err)
	broken := string(content)
	for _, f := range []string{"pass", "passAtOnce"} {
		old := "func (f *fence) " + f + "() error {\n"
		require.Equal(t, 1, strings.Count(broken, old), "follow the code: %s", old)
		broken = strings.Replace(broken, old, old+"\tif true {\n\t\treturn nil\n\t}\n", 1)
	}
	dir := t.TempDir()
	replaced, overlay := filepath.Join(dir, "fence.go"), filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(replaced, []byte(broken), 0o600))
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{source: replaced}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, text, 0o600))

	end := s.serve("broken", build(t, "twip/infra/keeper/cmd/keeper", overlay))
	s.eventually(time.Minute, s.flowing)
	i := slices.IndexFunc(faults, func(f fault) bool { return f.name == "the machine stands still" })
	lost := 0
	for tries := 0; tries < 4 && lost == 0; tries++ {
		require.NoError(t, faults[i].do(s, s.leader(), 8*time.Second))
		s.eventually(time.Minute, s.healthy)
		for _, tally := range s.count(s.load.Samples()) {
			lost = max(lost, len(tally.Lost))
		}
	}
	end()
	t.Logf("%d acknowledged posts were lost without the fence", lost)
	require.Positive(t, lost, "these tests would not notice a keeper without a fence")
	s.leave()
}

// measure says what a request costs more by way of the keeper that leads: the fence, over NFS.
func (s *site) measure() {
	leader := s.leader()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, post := range []bool{false, true} {
		for _, way := range []struct{ name, port string }{{"application alone", "8081"}, {"keeper that leads", "8080"}} {
			var samples []load.Sample
			for n := range 60 {
				sample := load.Sample{Sent: time.Now()}
				base := "http://" + leader.address + ":" + way.port
				var resp *http.Response
				var err error
				if post {
					resp, err = client.PostForm(base+"/Post.action", url.Values{"title": {fmt.Sprint("measured ", n)}})
				} else {
					resp, err = client.Get(base + "/")
				}
				require.NoError(s.t, err)
				require.NoError(s.t, resp.Body.Close())
				if resp.StatusCode >= http.StatusBadRequest {
					sample.Problem = resp.Status
				}
				sample.Done = time.Now()
				samples = append(samples, sample)
			}
			ms := func(part float64) float64 { return float64(load.Quantile(samples, part)) / float64(time.Millisecond) }
			s.t.Logf("%-4s %-18s p50 %6.1f ms  p99 %6.1f ms", map[bool]string{false: "GET", true: "POST"}[post], way.name, ms(0.5),
				ms(0.99))
		}
	}
}
