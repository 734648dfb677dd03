package machine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/local"
	"twip/infra/local/computer"
)

// environment is the training environment as `make local` brings it up, under a name and on ports of its own.
type environment struct {
	*local.Cloud
	t       *testing.T
	log     *bytes.Buffer  // what the last command printed
	outputs map[string]any // the stack's, once they were asked for: asking takes a second
}

// TestTrain boots the training environment and lives through what happens to one. Its steps build on each other.
func TestTrain(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	e := &environment{t: t, log: &bytes.Buffer{}}
	// Not t.TempDir(): what an interrupted run left can be cleaned away only by who knows where its volumes are.
	state := filepath.Join(os.TempDir(), "twip-test-train")
	e.Cloud = local.New(local.Options{
		Name: "test-train", Checkout: root, StackFiles: filepath.Join(root, "tests", "stacks"), Stack: "train", State: state,
		Ports: map[int]int{80: 0, 1936: 0}, Out: io.MultiWriter(t.Output(), e.log),
	})
	require.NoError(t, e.Computer.Clean(t.Context()), "what an interrupted run left")
	require.NoError(t, os.RemoveAll(state))
	t.Cleanup(func() { require.NoError(t, e.Computer.Clean(context.WithoutCancel(t.Context()))) })
	started := time.Now()
	require.NoError(t, e.Up(t.Context()))
	t.Logf("time to the first 200: %.0f s", time.Since(started).Seconds())

	for _, step := range []struct {
		name string
		run  func(*environment)
	}{
		{"serves", serves},
		{"has nothing to change", hasNothingToChange},
		{"denies OGNL", deniesOGNL},
		{"keeps within its memory", keepsWithinMemory},
		{"keeps metadata from containers", keepsMetadataFromContainers},
		{"logs to CloudWatch", logsToCloudWatch},
		{"sends its journal", sendsItsJournal},
		{"survives a hanging container", survivesHangingContainer},
		{"survives a reboot", survivesReboot},
		{"survives its replacement", survivesReplacement},
		{"keeps the drills' promises", keepsItsPromises},
		{"notices broken promises", noticesBrokenPromises},
		{"passes a restore drill", passesRestoreDrill},
		{"goes back to a restore point", goesBack},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.run(&environment{Cloud: e.Cloud, t: t, log: e.log}) }) {
			t.Fatal("the steps after this one would show nothing")
		}
	}
	require.NoError(t, e.Destroy(t.Context()))
	requireNothingLeft(t, "test-train", "container", "volume", "network")
}

func serves(e *environment) {
	require.Equal(e.t, http.StatusOK, e.get("/").status)
	require.Equal(e.t, http.StatusOK, e.get("/Read.action").status)
	style := e.get("/styles/site.css")
	require.Equal(e.t, http.StatusOK, style.status)
	require.Contains(e.t, style.header.Get("Cache-Control"), "max-age")
	require.Contains(e.t, style.header.Get("Content-Type"), "text/css")
	e.post("served")
	require.Contains(e.t, e.articles(), "served")
	require.Contains(e.t, e.fetch(e.output("statsUrl")).body, "Statistics Report")
}

func hasNothingToChange(e *environment) {
	e.log.Reset()
	require.NoError(e.t, e.Up(e.t.Context()))
	require.Contains(e.t, e.log.String(), "up: 0 changes")
}

func deniesOGNL(e *environment) {
	for _, attack := range []string{
		"/Read.action?redirect:%24%7B%23context%7D",
		"/Read.action?(%27%5Cu0023_memberAccess%5B%5C%27allowStaticMethodAccess%5C%27%5D%27)(a)=true",
		"/Read.action?x%5B%40java.lang.Runtime%40getRuntime()%5D=1",
		"/Read.action?class.classLoader.jarPath=x",
	} {
		require.Equal(e.t, http.StatusForbidden, e.get(attack).status, attack)
	}
	text := "C# costs 5% more; redirect: see #3"
	e.post(text)
	require.Contains(e.t, e.articles(), text)
}

func keepsWithinMemory(e *environment) {
	m, err := e.Computer.Memory(e.t.Context(), e.output("instanceId"))
	require.NoError(e.t, err)
	require.EqualValues(e.t, 1024<<20, m.Limit)
	require.Less(e.t, m.Used, m.Limit)
	e.t.Logf("memory of the whole machine: %d of %d MiB", m.Used>>20, m.Limit>>20)
	e.t.Logf("of its containers:\n%s", e.on("docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}"))
	// cgroup v1 has the counter in one file, v2 in the other.
	kills := e.on("sh", "-c", "cat /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events 2>/dev/null || true")
	require.Regexp(e.t, `(?m)^oom_kill 0$`, kills, "the machine ran out of memory")
}

func keepsMetadataFromContainers(e *environment) {
	script := `exec 3<>/dev/tcp/169.254.169.254/80; printf 'PUT /latest/api/token HTTP/1.0\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n' >&3; read -r line <&3; echo "$line"`
	require.Contains(e.t, e.on("timeout", "5", "bash", "-c", script), "200", "the machine itself is answered")
	_, err := e.Computer.Exec(e.t.Context(), e.output("instanceId"), "timeout", "5", "docker", "exec", "proxy", "bash", "-c", script)
	require.Error(e.t, err, "a container must not reach the machine's credentials")
}

func logsToCloudWatch(e *environment) {
	for tier := range e.groups("logGroups") {
		e.logged("logGroups", tier, "")
	}
}

// What a machine says of its boot is there when the machine is not, and how full it is.
func sendsItsJournal(e *environment) {
	e.logged("journals", "host", "cloud-init: ")
	e.logged("journals", "host", `"MemoryUsedPercent": `)
}

// groups are the log groups that an output names.
func (e *environment) groups(output string) map[string]any {
	e.t.Helper()
	outputs, err := e.Outputs(e.t.Context())
	require.NoError(e.t, err)
	groups, ok := outputs[output].(map[string]any)
	require.True(e.t, ok && len(groups) > 0, "%s: %v", output, outputs[output])
	return groups
}

// logged waits until a log group has a line with a text.
func (e *environment) logged(output, name, text string) {
	e.t.Helper()
	group := e.groups(output)[name].(string)
	e.eventually(30*time.Second, func() error {
		events, err := e.Computer.LogEvents(e.t.Context(), group, "")
		if err != nil {
			return err
		}
		for _, event := range events {
			if strings.Contains(event.Message, text) {
				return nil
			}
		}
		return fmt.Errorf("log group %s: none of %d lines has %q", group, len(events), text)
	})
}

// A container that hangs fails its health check; the machine's watchdog must then replace it.
func survivesHangingContainer(e *environment) {
	before := e.on("docker", "inspect", "--format", "{{.Id}}", "static")
	e.on("docker", "pause", "static")
	e.eventually(4*time.Minute, func() error {
		now, err := e.Computer.Exec(e.t.Context(), e.output("instanceId"), "docker", "inspect", "--format", "{{.Id}}", "static")
		if err == nil && string(now) == before {
			err = fmt.Errorf("the hanging container was not replaced")
		}
		return err
	})
	e.awaitSite()
}

func survivesReboot(e *environment) {
	e.post("before the reboot")
	article := e.article("before the reboot")
	rebooted := time.Now()
	require.NoError(e.t, e.Computer.Reboot(e.t.Context(), e.output("instanceId")))
	e.awaitSite()
	e.t.Logf("rebooted: the site answered again after %.0f s", time.Since(rebooted).Seconds())
	require.Equal(e.t, article, e.article("before the reboot"), "an orderly stop keeps the date")
}

func survivesReplacement(e *environment) {
	e.post("before the replacement")
	article, machine := e.article("before the replacement"), e.output("instanceId")
	replaced := time.Now()
	require.NoError(e.t, e.Scale(e.t.Context(), 2))
	e.outputs = nil
	e.t.Logf("replaced: the site answered again after %.0f s", time.Since(replaced).Seconds())
	require.NotEqual(e.t, machine, e.output("instanceId"), "other user data is another machine")
	require.Equal(e.t, article, e.article("before the replacement"), "an orderly stop keeps the date")
	state, err := e.Computer.State(e.t.Context(), machine)
	require.NoError(e.t, err)
	require.Equal(e.t, computer.Gone, state.Phase)
}

func (e *environment) bothServersHealthy() error {
	healthy := e.on("docker", "ps", "--filter", "health=healthy", "--format", "{{.Names}}")
	if strings.Count(healthy, "app-") < 2 {
		return fmt.Errorf("not both app containers are healthy: %s", healthy)
	}
	return nil
}

// writer is the app container in which Jetty runs; the others stand by without one.
func (e *environment) writer() string {
	e.t.Helper()
	names := e.on("sh", "-c",
		`for c in $(docker ps --filter name=app- --format '{{.Names}}'); do if docker top "$c" -eo pid,comm | grep -qw java; then echo "$c"; fi; done`)
	return strings.TrimSpace(names)
}

// on runs a command on the machine.
func (e *environment) on(argv ...string) string {
	e.t.Helper()
	out, err := e.Computer.Exec(e.t.Context(), e.output("instanceId"), argv...)
	require.NoError(e.t, err)
	return string(out)
}

func (e *environment) output(name string) string {
	e.t.Helper()
	if e.outputs == nil {
		var err error
		e.outputs, err = e.Outputs(e.t.Context())
		require.NoError(e.t, err)
	}
	value, ok := e.outputs[name].(string)
	require.True(e.t, ok, "output %s is missing in %v", name, e.outputs)
	return value
}

type answer struct {
	status int
	header http.Header
	body   string
}

// client does not follow redirects: where a post leads is part of the answer.
var client = &http.Client{
	Timeout:       40 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (e *environment) try(address string) (answer, error) { return read(client.Get(address)) }

func (e *environment) tryPost(title string) (answer, error) {
	return read(client.PostForm(e.output("url")+"/Post.action", url.Values{"title": {title}, "body": {"text"}}))
}

func read(res *http.Response, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(body)}, err
}

func (e *environment) fetch(address string) answer {
	e.t.Helper()
	a, err := e.try(address)
	require.NoError(e.t, err)
	return a
}

func (e *environment) get(path string) answer { e.t.Helper(); return e.fetch(e.output("url") + path) }

func (e *environment) post(title string) {
	e.t.Helper()
	a, err := e.tryPost(title)
	require.NoError(e.t, err)
	require.Equal(e.t, http.StatusFound, a.status)
	require.Contains(e.t, a.header.Get("Location"), "Read.action")
}

func (e *environment) articles() string {
	e.t.Helper()
	a := e.get("/Read.action")
	require.Equal(e.t, http.StatusOK, a.status)
	return a.body
}

// article is the listing of one article, its date included.
func (e *environment) article(title string) string {
	e.t.Helper()
	found := regexp.MustCompile(`(?s)<h2>` + regexp.QuoteMeta(title) + `</h2>\s*<time.*?</time>`).FindString(e.articles())
	require.NotEmpty(e.t, found, "no article %q", title)
	return found
}

// awaitSite waits until both tiers answer.
func (e *environment) awaitSite() {
	e.t.Helper()
	e.eventually(3*time.Minute, func() error {
		for _, path := range []string{"/Read.action", "/styles/site.css"} {
			if a, err := e.try(e.output("url") + path); err != nil {
				return err
			} else if a.status != http.StatusOK {
				return fmt.Errorf("%s: %d", path, a.status)
			}
		}
		return nil
	})
}

// eventually polls until the check passes, and fails with its last error.
func (e *environment) eventually(limit time.Duration, check func() error) {
	e.t.Helper()
	var err error
	require.Eventually(e.t, func() bool { err = check(); return err == nil }, limit, 200*time.Millisecond,
		"%v", lateError{&err})
}

// lateError prints the error that a variable holds when it is printed.
type lateError struct{ err *error }

func (l lateError) String() string { return fmt.Sprint(*l.err) }
