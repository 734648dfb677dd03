package load

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Slow are visitors who keep a connection each and ask rarely: all of them at the same moments, so that many
// connections behind the site's edge are used at once and then rest as long.
type Slow struct {
	URL      string          // the site
	Visitors int             // at least 1
	Pauses   []time.Duration // after each of them every visitor asks once
	Paths    []string        // which visitors ask for in turns
}

// Visit returns what became of the requests after pauses: none where ctx ended first. Like a browser, a visitor whose
// connection has been closed meanwhile opens another one.
func (s Slow) Visit(ctx context.Context) []Sample {
	var all []*Load
	for range s.Visitors {
		transport := &http.Transport{MaxConnsPerHost: 1}
		defer transport.CloseIdleConnections()
		all = append(all, &Load{options: Options{URL: s.URL}, client: &http.Client{Transport: transport}})
	}
	ask := func() {
		var wait sync.WaitGroup
		for i, l := range all {
			wait.Go(func() { l.get(Page, s.Paths[i%len(s.Paths)]) })
		}
		wait.Wait()
	}
	ask()
	for _, pause := range s.Pauses {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		ask()
	}
	var samples []Sample
	for _, l := range all {
		samples = append(samples, l.samples[1:]...)
	}
	return samples
}
