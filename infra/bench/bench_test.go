package bench

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReport(t *testing.T) {
	const report = "Failed requests:        7\n" +
		"   (Connect: 0, Receive: 3, Length: 4, Exceptions: 0)\nNon-2xx responses:      5\n" +
		"Requests per second:    1234.50 [#/sec] (mean)\n"
	var m measure
	require.NoError(t, m.readReport([]byte(report), false))
	require.Equal(t, measure{rate: 1234.5, failed: 8}, m)
	require.NoError(t, m.readReport([]byte(report), true))
	require.Equal(t, 3, m.failed, "a post is answered by a redirection")
	require.ErrorContains(t, m.readReport([]byte("apr_socket_connect(): Connection refused"), false), "no rate")
	require.NoError(t, m.readPercentiles([]byte("Percentage served,Time in ms\n0,0.5\n99,7.25\n100,80\n")))
	require.Equal(t, 7.25, m.latency[99])
	require.Error(t, m.readPercentiles([]byte("Percentage served,Time in ms\nx,y\n")))
}

func TestMedians(t *testing.T) {
	measures := []measure{
		{rate: 10, latency: [100]float64{99: 5}, cpu: map[string]float64{"a": 3}, failed: 1},
		{rate: 30, latency: [100]float64{99: 9}, cpu: map[string]float64{"a": 1}, failed: 2},
		{rate: 20, latency: [100]float64{99: 1}, cpu: map[string]float64{"a": 2}},
	}
	r := summarize(Route{Name: "x"}, measures)
	require.Equal(
		t,
		Result{Route: Route{Name: "x"}, Rate: 20, Latency: [100]float64{99: 5}, CPU: map[string]float64{"a": 2}, Failed: 3},
		r,
	)
}

func TestTableAndPicture(t *testing.T) {
	results := []Result{
		{Route: Route{Name: "edge"}, Rate: 900, Latency: [100]float64{50: 2, 99: 8}, CPU: map[string]float64{"keeper": 70}},
		{Route: Route{Name: "Jetty"}, Rate: 1000, Latency: [100]float64{50: 1, 99: 4}},
	}
	var out bytes.Buffer
	require.NoError(t, Table(&out, results, "Jetty"))
	require.Regexp(t, `edge\s+900\s+0\.90\s+2\.0\s+8\.0\s+2\.0\s+0\s+70`, out.String())
	out.Reset()
	require.NoError(t, Table(&out, results[:1], "Jetty"))
	require.Regexp(t, `edge\s+900\s+-\s`, out.String())
	out.Reset()
	require.NoError(t, Draw(&out, results))
	require.Contains(t, out.String(), "<svg")
	require.Contains(t, out.String(), "edge")
}

// fakeAB stands in for ab, which not every computer has: it asks once and prints a report.
const fakeAB = `#!/bin/sh
while [ $# -gt 1 ]; do [ "$1" != -e ] || percentiles=$2; [ "$1" != -p ] || cp "$2" "$FORM"; shift; done
[ "$1" != http://fails/ ] || { echo refused >&2; exit 1; }
printf 'Percentage served,Time in ms\n0,1\n99,3\n' > "$percentiles"
echo 'Requests per second:    50.00 [#/sec] (mean)'
`

func TestRun(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ab"), []byte(fakeAB), 0o700))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("FORM", filepath.Join(dir, "form"))
	o := Options{
		Requests:    10,
		Concurrency: 2,
		Runs:        2,
		Processes:   []Process{{"self", os.Getpid()}},
		Progress:    new(bytes.Buffer),
	}
	results, err := Run(
		t.Context(),
		[]Route{{Name: "a", URL: "http://a/", Via: []string{"env", "X=y"}, Post: []byte("title=x"), KeepAlive: true}},
		o,
	)
	require.NoError(t, err)
	require.Equal(t, 50.0, results[0].Rate)
	require.Equal(t, 3.0, results[0].Latency[99])
	require.GreaterOrEqual(t, results[0].CPU["self"], 0.0)
	form, err := os.ReadFile(filepath.Join(dir, "form"))
	require.NoError(t, err)
	require.Equal(t, "title=x", string(form))
	require.Equal(t, 2, strings.Count(fmt.Sprint(o.Progress), "\n"))

	_, err = Run(t.Context(), []Route{{Name: "b", URL: "http://fails/"}}, o)
	require.ErrorContains(t, err, "bench: b: ")
	require.ErrorContains(t, err, "refused")
	o.Processes = []Process{{"nobody", 1 << 30}}
	_, err = Run(t.Context(), []Route{{Name: "c", URL: "http://c/"}}, o)
	require.ErrorContains(t, err, "process 1073741824 (nobody) is gone")
	for _, bad := range []Options{{}, {Requests: 1, Concurrency: 2, Runs: 1}, {Requests: 1, Concurrency: 1}} {
		_, err = Run(t.Context(), []Route{{}}, bad)
		require.ErrorContains(t, err, "cannot be measured")
	}
}

// TestRunForReal holds what is read of ab's output to what ab prints. make installs ab; where it is not, it is named.
func TestRunForReal(t *testing.T) {
	if _, err := exec.LookPath("ab"); err != nil {
		t.Log("ab is not here: only the stand-in was tested")
		return
	}
	asked := atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	results, err := Run(
		t.Context(),
		[]Route{{Name: "a", URL: server.URL + "/"}},
		Options{Requests: 100, Concurrency: 5, Runs: 1},
	)
	require.NoError(t, err)
	require.EqualValues(t, 100, asked.Load())
	require.Zero(t, results[0].Failed)
	require.Positive(t, results[0].Rate)
	require.Positive(t, results[0].Latency[99])
}
