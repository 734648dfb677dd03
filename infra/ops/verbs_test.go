package ops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// companyNews is a site that works unless a path is told to misbehave.
type companyNews struct {
	mu       sync.Mutex
	titles   []string
	status   map[string]int // path → status to answer instead
	forgets  bool           // acknowledges posts and drops them
	noStatic bool
	trusting bool   // takes every request for what it says
	read     string // what /Read.action shows instead of the titles
}

func (c *companyNews) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if status, ok := c.status[r.URL.Path]; ok {
		w.WriteHeader(status)
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for name := range r.Form {
		if strings.ContainsAny(name, "#.${[") && !c.trusting {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
	}
	switch r.URL.Path {
	case "/":
		if !c.noStatic {
			fmt.Fprint(w, `<link rel="stylesheet" href="/styles/site.css">`)
		}
	case "/Read.action":
		if c.read != "" {
			fmt.Fprint(w, c.read)
			return
		}
		fmt.Fprint(w, c.titles)
	case "/Post.action":
		if !c.forgets {
			c.titles = append(c.titles, r.FormValue("title"))
		}
		http.Redirect(w, r, "Read.action", http.StatusFound)
	case "/styles/site.css":
		fmt.Fprint(w, "body{}")
	default:
		http.NotFound(w, r)
	}
}

func TestSmoke(t *testing.T) {
	for name, tc := range map[string]struct {
		site *companyNews
		want string // empty: all well
	}{
		"well":          {&companyNews{}, ""},
		"front broken":  {&companyNews{status: map[string]int{"/": 500}}, "GET /: status 500, want 200"},
		"list broken":   {&companyNews{status: map[string]int{"/Read.action": 503}}, "GET /Read.action: status 503"},
		"static broken": {&companyNews{status: map[string]int{"/styles/site.css": 404}}, "GET /styles/site.css: status 404"},
		"no static":     {&companyNews{noStatic: true}, "does not use the static tier"},
		"post refused":  {&companyNews{status: map[string]int{"/Post.action": 403}}, "POST /Post.action: status 403, want"},
		"trusting":      {&companyNews{trusting: true}, "GET /?class.classLoader.twip=1: status 200, want 403"},
		"post lost":     {&companyNews{forgets: true}, "just posted is not in the list"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tc.site)
			defer server.Close()
			var out bytes.Buffer
			err := Smoke(context.Background(), Environment{Stack: "train", URL: server.URL}, &out)
			if tc.want == "" {
				require.NoError(t, err)
				require.Contains(t, out.String(), "Location: ")
				require.Contains(t, out.String(), "first byte after")
				return
			}
			require.ErrorContains(t, err, tc.want)
			require.ErrorContains(t, err, "make status STACK=train")
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		err := Smoke(context.Background(), Environment{URL: server.URL}, &bytes.Buffer{})
		require.ErrorContains(t, err, "connection refused")
	})
}

// fixedMachines answers Status with what a test says.
type fixedMachines struct {
	machines []Machine
	err      error
}

func (f fixedMachines) Status(context.Context) ([]Machine, error) { return f.machines, f.err }

func TestStatus(t *testing.T) {
	server := httptest.NewServer(&companyNews{})
	defer server.Close()
	up := Container{
		Name:   "app-1",
		Status: "Up 2 minutes (healthy)",
		Image:  "x.example/twip-app@sha256:0123456789abcdef",
	}
	machine := func(state string, containers ...Container) fixedMachines {
		return fixedMachines{machines: []Machine{{ID: "i-1", State: state, Containers: containers, Journal: "read i-1"}}}
	}
	credits := func(left float64) fixedMachines {
		m := machine("running", up)
		m.machines[0].Credits = &left
		return m
	}
	for name, tc := range map[string]struct {
		machines fixedMachines
		url      string
		want     string
	}{
		"well":                 {machine("running", up), server.URL, ""},
		"machine stopped":      {machine("stopped"), server.URL, "machine i-1 is stopped"},
		"container unhealthy":  {machine("running", Container{Name: "app-1", Status: "Up (unhealthy)"}), server.URL, "app-1"},
		"container restarting": {machine("running", Container{Status: "Exited (1)"}), server.URL, "Exited (1)"},
		"credits":              {credits(60), server.URL, ""},
		"hardly any credits":   {credits(3), server.URL, "3 CPU credits left"},
		"boot failed":          {machine("running"), "http://127.0.0.1:1", "first line of their boot on:\n  read i-1"},
		"site broken":          {fixedMachines{}, server.URL + "/nothing", "404"},
		"cloud silent":         {fixedMachines{err: errors.New("no credentials")}, server.URL, "no credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := Status(context.Background(), Environment{Stack: "train", URL: tc.url, Machines: tc.machines}, &out)
			if tc.want == "" {
				require.NoError(t, err)
				require.Contains(t, out.String(), "twip-app@0123456789ab")
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// An outage is what one watches for, so it does not end the watch.
func TestWatch(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	in, out := io.Pipe()
	done := make(chan error)
	go func() {
		done <- Watch(ctx, Environment{Stack: "train", URL: "http://127.0.0.1:1", Store: "vol-1",
			Images:   map[string]string{"app": "x/twip-app@sha256:0123456789abcdef"},
			Machines: fixedMachines{machines: []Machine{{ID: "i-1", State: "stopped"}}}}, time.Millisecond, out)
	}()
	var seen string
	buffer := make([]byte, 4096)
	for strings.Count(seen, "machine i-1 is stopped") < 3 {
		n, err := in.Read(buffer)
		require.NoError(t, err)
		seen += string(buffer[:n])
	}
	for _, part := range []string{"release of app  twip-app@0123456789ab", "store           vol-1", "connection refused"} {
		require.Contains(t, seen, part)
	}
	stop()
	go func() { _, _ = io.Copy(io.Discard, in) }()
	require.NoError(t, <-done)
}

func TestFromOutputs(t *testing.T) {
	outputs := map[string]any{"url": "http://a", "statsUrl": "http://b", "images": map[string]any{"app": "x@sha256:1"}}
	env, err := FromOutputs("train", outputs, nil)
	require.NoError(t, err)
	images := map[string]string{"app": "x@sha256:1"}
	require.Equal(t, Environment{Stack: "train", URL: "http://a", StatsURL: "http://b", Images: images}, env)
	_, err = FromOutputs("train", map[string]any{"other": 1}, nil)
	require.ErrorContains(t, err, `output "url" is missing (there are [other])`)
}
