// Package load visits a site as many people do, at a fixed rate, and counts afterwards what became of their posts. The
// drills and the tests of the keeper share it.
//
// What belongs here: sending, and figures about what was sent. What happens to the site meanwhile, and what was
// promised about it, say those who use it.
package load

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"time"

	"twip/infra/site"
)

// Kind is what a request is for.
type Kind string

// The kinds of requests.
const (
	Page   Kind = "page"   // the front page, or the list of articles
	Post   Kind = "post"   // an article, with a title of its own
	Static Kind = "static" // a file of the static tier
)

// Options say what is sent where.
type Options struct {
	URL        string            // the site; required
	Transport  http.RoundTripper // the way to it; nil: a connection like a browser's
	Rate       int               // requests a second, whatever becomes of those before; required
	Posts      float64           // the share of posts among them
	StaticFile string            // path of a static file, which gets a fifth of the requests; "": none
	Titles     string            // what the titles of all posts begin with; no other load may use it; required
	Header     string            // a field of failed answers that says why; "": none
}

const (
	staticShare = 0.2
	listShare   = 0.05 // of the pages, the list of all articles, which grows
	// What visitors wait for: longer than the edge holds requests while servers take over.
	pagePatience = 30 * time.Second
	postPatience = 40 * time.Second
	dialTimeout  = 5 * time.Second
)

// Sample is what became of one request.
type Sample struct {
	Kind    Kind
	Title   string // of a post
	Sent    time.Time
	Done    time.Time
	Problem string // why it failed, e.g. "503" or "no connection"; "": it was answered
}

// Took is how long the visitor waited.
func (s Sample) Took() time.Duration { return s.Done.Sub(s.Sent) }

// OK says that the request was answered with what it asked for. For a post that means: it is acknowledged.
func (s Sample) OK() bool { return s.Problem == "" }

// Load sends requests until it is stopped. All of them belong to one session, as those of a visitor do.
type Load struct {
	options Options
	client  *http.Client
	stop    chan struct{}
	wait    sync.WaitGroup

	mu      sync.Mutex
	samples []Sample
}

// Start begins to send.
func Start(o Options) *Load {
	if o.Transport == nil {
		o.Transport = &http.Transport{MaxIdleConnsPerHost: 100, DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext}
	}
	jar, _ := cookiejar.New(nil) // it fails with options only
	l := &Load{options: o, stop: make(chan struct{}), client: &http.Client{
		Jar:           jar,
		Transport:     o.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	l.wait.Go(l.run)
	return l
}

// Stop stops sending, waits for the answers that are still to come and returns all samples in the order of their ends.
func (l *Load) Stop() []Sample {
	close(l.stop)
	l.wait.Wait()
	return l.Samples()
}

// Samples are those of the requests that have ended.
func (l *Load) Samples() []Sample {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Sample(nil), l.samples...)
}

func (l *Load) run() {
	tick := time.NewTicker(time.Second / time.Duration(l.options.Rate))
	defer tick.Stop()
	rng := rand.New(rand.NewPCG(1, 1)) // the same mixture each time
	for n := 0; ; n++ {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		draw := rng.Float64()
		l.wait.Go(func() {
			switch {
			case draw < l.options.Posts:
				l.post(Title(l.options.Titles, n))
			case draw > 1-staticShare && l.options.StaticFile != "":
				l.get(Static, l.options.StaticFile)
			case n%int(1/listShare) == 0:
				l.get(Page, site.ReadPath)
			default:
				l.get(Page, site.FrontPath)
			}
		})
	}
}

func (l *Load) get(kind Kind, path string) {
	l.send(Sample{Kind: kind}, http.MethodGet, path, "", pagePatience)
}

// post sends an article whose title stands nowhere else on the page that lists it.
func (l *Load) post(title string) {
	form := url.Values{"title": {title}, "body": {"Written by a load of requests."}}.Encode()
	l.send(Sample{Kind: Post, Title: title}, http.MethodPost, site.PostPath, form, postPatience)
}

func (l *Load) send(s Sample, method, path, form string, patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s.Sent = time.Now()
	s.Problem = l.try(ctx, method, path, form)
	s.Done = time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.samples = append(l.samples, s)
}

func (l *Load) try(ctx context.Context, method, path, form string) (problem string) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(l.options.URL, "/")+path,
		strings.NewReader(form))
	if err != nil {
		return err.Error()
	}
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.GetBody = nil // or net/http would send it again by itself
	}
	res, err := l.client.Do(req)
	if err == nil {
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
	}
	var dial *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &dial) && dial.Op == "dial":
		return "no connection"
	case err != nil:
		return "connection lost"
	// A post is answered by a redirection; an application that shows the form again has not taken it.
	case res.StatusCode >= http.StatusBadRequest, form != "" && res.StatusCode < http.StatusMultipleChoices:
		return strings.TrimSpace(res.Status[:3] + " " + res.Header.Get(l.options.Header))
	}
	return ""
}
