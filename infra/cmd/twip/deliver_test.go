package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/ops"
	"twip/infra/release"
)

// fakeCloud is a stack that runs what its configuration names, on a site that works unless it runs a bad image.
type fakeCloud struct {
	cloud
	name    string
	address string                     // of the registry
	builds  release.Digests            // what an up without a release makes
	config  map[string]release.Digests // by full key
	running release.Digests
	bad     string // an image with which up fails
	broken  string // an image with which the site answers 500
	site    *httptest.Server
	ups     *[]string
}

func newFakeCloud(t *testing.T, name, address string, builds release.Digests, ups *[]string) *fakeCloud {
	f := &fakeCloud{name: name, address: address, builds: builds, config: map[string]release.Digests{}, ups: ups}
	var posted []string
	f.site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		names := ""
		if err := r.ParseForm(); err == nil {
			names = strings.Join(slices.Collect(maps.Keys(r.Form)), " ")
		}
		switch {
		case f.running["app"] == f.broken:
			w.WriteHeader(http.StatusInternalServerError)
		case strings.ContainsAny(names, "#.${["): // an attack
			w.WriteHeader(http.StatusForbidden)
		case r.Method == http.MethodPost:
			posted = append(posted, r.FormValue("title"))
			w.Header().Set("Location", "/Read.action")
			w.WriteHeader(http.StatusFound)
		default:
			fmt.Fprintf(w, `<link href="/styles/x.css"> %v`, posted)
		}
	}))
	t.Cleanup(f.site.Close)
	return f
}

func (f *fakeCloud) Up(context.Context) error {
	next := f.config[releaseKey]
	if len(next) == 0 {
		next = f.builds
	}
	*f.ups = append(*f.ups, f.name+" "+next["app"][7:10])
	if f.bad != "" && next["app"] == f.bad {
		return errors.New("it did not rehearse")
	}
	f.running = next
	return nil
}

func (f *fakeCloud) Outputs(context.Context) (map[string]any, error) {
	outputs := map[string]any{}
	if f.running != nil {
		repository := f.address + "/" + f.name + "-app"
		outputs["url"] = f.site.URL
		outputs["images"] = map[string]any{"app": repository + "@" + f.running["app"]}
		outputs["repositories"] = map[string]any{"app": repository}
	}
	return outputs, nil
}

func (f *fakeCloud) Machines() (none ops.Machines) { return none }

func (f *fakeCloud) Config(context.Context) (map[string]string, error) {
	values := map[string]string{}
	for key, digests := range f.config {
		values[key] = fmt.Sprintf(`{"app":%q}`, digests["app"])
	}
	return values, nil
}

func (f *fakeCloud) Configure(_ context.Context, values map[string]release.Digests) error {
	for key, digests := range values {
		f.config[key] = digests
	}
	return nil
}

func (f *fakeCloud) Find(_ context.Context, at string) (release.Repository, error) {
	return release.NewRepository(at, release.Login{})
}

// What comes of a delivery: a good one runs in both, a bad one is stopped at train or taken back from prod.
func TestDeliver(t *testing.T) {
	address, digest := imagesIn(t, "train-app", "prod-app")
	old, next := digest["prod-app"], digest["train-app"]
	for name, tc := range map[string]struct {
		fail  func(train, prod *fakeCloud)
		isNew bool // there is no prod yet
		err   string
		ups   []string
		runs  string // prod, in the end
	}{
		"good":             {ups: []string{"train new", "prod new"}, runs: next},
		"good, new prod":   {isNew: true, ups: []string{"train new", "prod old", "prod new"}, runs: next},
		"bad at train":     {fail: func(train, _ *fakeCloud) { train.bad = next }, err: "up train: it did not rehearse", ups: []string{"train new"}, runs: old},
		"broken at train":  {fail: func(train, _ *fakeCloud) { train.broken = next }, err: "smoke train: stack \"train\"", ups: []string{"train new"}, runs: old},
		"refused by prod":  {fail: func(_, prod *fakeCloud) { prod.bad = next }, err: "the new release does not do: up prod: it did not rehearse", ups: []string{"train new", "prod new", "prod old"}, runs: old},
		"broken at prod":   {fail: func(_, prod *fakeCloud) { prod.broken = next }, err: "the new release does not do: smoke prod", ups: []string{"train new", "prod new", "prod old"}, runs: old},
		"nothing is right": {fail: func(_, prod *fakeCloud) { prod.bad, prod.broken = next, old }, err: "and the one before could not be brought back", ups: []string{"train new", "prod new", "prod old"}, runs: old},
	} {
		t.Run(name, func(t *testing.T) {
			var ups []string
			train := newFakeCloud(t, "train", address, release.Digests{"app": next}, &ups)
			prod := newFakeCloud(t, "prod", address, release.Digests{"app": old}, &ups)
			if !tc.isNew {
				prod.running = prod.builds
			}
			if tc.fail != nil {
				tc.fail(train, prod)
			}
			var out bytes.Buffer
			side := func(stack string, c cloud) task {
				return task{options: options{stack: stack, cloud: onThisComputer, from: "train", wait: 50 * time.Millisecond}, cloud: c, out: &out}
			}
			d := &sequence{from: side("train", train), to: side("prod", prod)}
			err := d.run(t.Context())
			if tc.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.err)
			}
			names := strings.NewReplacer(next[7:10], "new", old[7:10], "old")
			require.Equal(t, tc.ups, strings.Split(names.Replace(strings.Join(ups, ",")), ","))
			require.Equal(t, tc.runs, prod.running["app"])
			require.NoError(t, d.report())
			require.Contains(t, out.String(), "delivery from train to prod")
		})
	}
}
