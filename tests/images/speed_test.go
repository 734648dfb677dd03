package images_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/bench"
	"twip/infra/images"
	"twip/infra/keeper"
)

// Figures for people want a quiet computer and more requests:
//
//	go test -v -run TestSpeed ./tests/images -speed.requests 10000 -speed.runs 3 -speed.dir /tmp
var (
	speedRequests = flag.Int("speed.requests", 1000, "requests of each route and run")
	speedRuns     = flag.Int("speed.runs", 1, "runs of each route; the median counts")
	speedDir      = flag.String("speed.dir", "", "directory for the pictures (SVG); empty: none")
	speedCPUs     = flag.String("speed.cpus", "", "processors for everything that is measured, such as 0; empty: all")
	speedGoals    = flag.Bool("speed.goals", false, "fail where a goal is missed")
)

// pid is a container's first process, as this computer knows it.
func (c container) pid(t *testing.T) int {
	t.Helper()
	pid, err := strconv.Atoi(mustDocker(t, "inspect", "-f", "{{.State.Pid}}", c.id))
	require.NoError(t, err)
	return pid
}

// child returns the only child of a process; threads may have started it.
func child(t *testing.T, pid int) int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	require.NoError(t, err)
	var found []int
	for _, list := range lists {
		data, err := os.ReadFile(list)
		require.NoError(t, err)
		for _, field := range strings.Fields(string(data)) {
			id, err := strconv.Atoi(field)
			require.NoError(t, err)
			found = append(found, id)
		}
	}
	require.Len(t, found, 1, "children of process %d", pid)
	return found[0]
}

// pinned are the options that keep a container to the processors of -speed.cpus. A t2.micro's limit on memory would
// measure the garbage collector instead.
func pinned() []string {
	options := []string{"--memory", "1g"}
	if *speedCPUs != "" {
		options = append(options, "--cpuset-cpus", *speedCPUs)
	}
	return options
}

// newPlainJetty starts Jetty as the keeper does, but without it, and reachable from outside.
func newPlainJetty(t *testing.T, network string) container {
	t.Helper()
	entry := mustDocker(t, "inspect", "-f", `{{join .Config.Cmd " "}}`, built[images.App])
	_, command, found := strings.Cut(entry, " -- java ")
	require.True(t, found, "the app image's command is %q", entry)
	options := append(
		pinned(),
		"--network-alias",
		"jetty",
		"-v",
		newStore(t)+":/run/keeper/persistence",
		"--user",
		"0",
		"--entrypoint",
		"java",
	)
	args := append([]string{"run", "-d", "--label", label, "--network", network}, append(options, built[images.App])...)
	args = append(append(args, strings.Fields(command)...), "jetty.http.host=0.0.0.0", "jetty.http.port=8081")
	c := container{mustDocker(t, args...)}
	t.Cleanup(func() { mustDocker(t, "rm", "-fv", c.id) })
	return c
}

// newSeedProxy starts HAProxy as the seed of this project had it.
func newSeedProxy(t *testing.T, network string) container {
	t.Helper()
	configuration, err := filepath.Abs("testdata/seed")
	require.NoError(t, err)
	args := append(
		[]string{
			"run",
			"-d",
			"--label",
			label,
			"--network",
			network,
			"-v",
			configuration + ":/seed:ro",
			"--entrypoint",
			"haproxy",
		},
		pinned()...)
	c := container{mustDocker(t, append(args, built[images.Proxy], "-db", "-f", "/seed/haproxy.cfg")...)}
	t.Cleanup(func() { mustDocker(t, "rm", "-fv", c.id) })
	return c
}

// speedSite is a site with some app containers, as many as one of them is to lead.
type speedSite struct {
	proxy container
	apps  []container
}

func newSpeedSite(t *testing.T, servers int) speedSite {
	t.Helper()
	network, store := newNetwork(t), newStore(t)
	run(t, images.Static, built[images.Static], network, append(pinned(), "--network-alias", "static")...)
	var s speedSite
	var addresses []string
	sockets := newSockets(t)
	for i := range servers {
		name := fmt.Sprintf("app-%d", i+1)
		addresses = append(addresses, "/sockets/"+name)
		app := run(t, images.App, built[images.App], network, append(pinned(), "--network-alias", name,
			"-v", store+":/store", "-v", sockets(name)+":/sockets", "-e", keeper.SocketsEnv+"=/sockets")...)
		s.apps = append(s.apps, app)
		awaitAnswer(t, app, "8080")
	}
	s.proxy = run(t, images.Proxy, built[images.Proxy], network,
		append(pinned(), "-v", sockets("")+":/sockets:ro", "-e", "STATIC_SERVERS=static:8080",
			"-e", "APP_SERVERS="+strings.Join(addresses, " "))...)
	awaitAnswer(t, s.proxy, "8080")
	return s
}

func (c container) at(t *testing.T, port string) string {
	t.Helper()
	return "http://" + c.address(t) + ":" + port + "/"
}

func awaitAnswer(t *testing.T, c container, port string) {
	t.Helper()
	url := c.at(t, port)
	await(t, 60*time.Second, "an answer of "+url, func() bool {
		response, err := http.Get(url)
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// measure warms the routes up, measures them, and prints what it found under a title.
func speedOf(
	t *testing.T,
	title, baseline string,
	routes []bench.Route,
	processes []bench.Process,
) map[string]bench.Result {
	t.Helper()
	if *speedCPUs != "" {
		for i := range routes {
			routes[i].Via = []string{"taskset", "-c", *speedCPUs}
		}
	}
	o := bench.Options{Requests: *speedRequests, Concurrency: 10, Runs: 1, Processes: processes}
	_, err := bench.Run(t.Context(), routes, o) // compilers and caches
	require.NoError(t, err)
	o.Runs = *speedRuns
	load, err := os.ReadFile("/proc/loadavg")
	require.NoError(t, err)
	results, err := bench.Run(t.Context(), routes, o)
	require.NoError(t, err)
	fmt.Printf("%s; %d requests, 10 at a time, median of %d; load average before: %s", title, o.Requests, o.Runs, load)
	require.NoError(t, bench.Table(os.Stdout, results, baseline))
	if *speedDir != "" {
		picture, err := os.Create(filepath.Join(*speedDir, strings.NewReplacer(" ", "-", ",", "").Replace(title)+".svg"))
		require.NoError(t, err)
		require.NoError(t, bench.Draw(picture, results))
		require.NoError(t, picture.Close())
	}
	byName := map[string]bench.Result{}
	for _, r := range results {
		require.Zero(t, r.Failed, "%s: requests failed", r.Route.Name)
		byName[r.Route.Name] = r
	}
	return byName
}

// goal says a figure, and fails for it only if goals are asked for: a computer that does other things too misses them.
func goal(t *testing.T, what string, figure, limit float64, atMost bool) {
	t.Helper()
	met := figure >= limit
	sign := "≥"
	if atMost {
		met, sign = figure <= limit, "≤"
	}
	fmt.Printf("goal: %s %.2f %s %.2f: %t\n", what, figure, sign, limit, met)
	if *speedGoals && !met {
		t.Errorf("%s is %.2f, the goal is %s %.2f", what, figure, sign, limit)
	}
}

// TestSpeed measures the whole way and its parts in one run: through the edge, at the keeper, straight at Jetty, and
// the topology that this project began with, which has neither keeper nor shield.
func TestSpeed(t *testing.T) {
	s := newSpeedSite(t, 1)
	plain := newNetwork(t)
	jetty := newPlainJetty(t, plain)
	awaitAnswer(t, jetty, "8081")
	seed := newSeedProxy(t, plain)
	awaitAnswer(t, seed, "8080")

	keeping := s.apps[0].pid(t)
	processes := []bench.Process{
		{Name: "proxy", PID: s.proxy.pid(t)},
		{Name: "keeper", PID: keeping},
		{Name: "JVM", PID: child(t, keeping)},
		{Name: "plain proxy", PID: seed.pid(t)},
		{Name: "plain JVM", PID: jetty.pid(t)},
	}
	routes := []bench.Route{
		{Name: "edge", URL: s.proxy.at(t, "8080")}, {Name: "keeper", URL: s.apps[0].at(t, "8080")},
		{Name: "Jetty", URL: jetty.at(t, "8081")}, {Name: "seed", URL: seed.at(t, "8080")},
	}
	kept := slices.Clone(routes)
	for i := range kept {
		kept[i].KeepAlive = true
	}
	posts := slices.Clone(routes)
	for i := range posts {
		posts[i].URL += "Nothing" // posts that change nothing: the journal's disk is not what is measured
		posts[i].Post = []byte("title=x&body=" + strings.Repeat("a", 1000))
	}
	read := speedOf(t, "a connection per request", "Jetty", routes, processes)
	held := speedOf(t, "kept connections", "Jetty", kept, processes)
	speedOf(t, "posts of 1 KB, a connection each", "Jetty", posts, processes)
	for i := range posts {
		posts[i].KeepAlive = true
	}
	posted := speedOf(t, "posts of 1 KB, kept connections", "Jetty", posts, processes)
	share := 0.9
	if *speedCPUs != "" {
		share = 0.75
	}
	goal(t, "edge / Jetty", read["edge"].Rate/read["Jetty"].Rate, share, false)
	goal(t, "edge / Jetty, kept connections", held["edge"].Rate/held["Jetty"].Rate, 0.5, false)
	goal(t, "p99 of edge / Jetty", read["edge"].Latency[99]/read["Jetty"].Latency[99], 2, true)
	goal(t, "keeper, µs a request", read["edge"].CPU["keeper"], 75, true)
	goal(t, "proxy, µs a GET", read["edge"].CPU["proxy"], 40, true)
	goal(t, "proxy, µs a post of 1 KB", posted["edge"].CPU["proxy"], 50, true)
}

// TestScalingDoesNotHurt measures the edge before one, two and three app containers, of which one leads.
func TestScalingDoesNotHurt(t *testing.T) {
	var routes []bench.Route
	for servers := 1; servers <= 3; servers++ {
		routes = append(routes, bench.Route{Name: strconv.Itoa(servers), URL: newSpeedSite(t, servers).proxy.at(t, "8080")})
	}
	results := speedOf(t, "by number of app containers", "1", routes, nil)
	goal(t, "two / one app container", results["2"].Rate/results["1"].Rate, 0.95, false)
	goal(t, "three / one app container", results["3"].Rate/results["1"].Rate, 0.95, false)
}
