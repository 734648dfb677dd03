package ops

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"time"

	"twip/infra/site"
)

// attacks are requests that have to be refused wherever the site runs, whatever application it is: one for each way by
// which Struts 2.1 takes expressions from visitors. They would do no harm.
var attacks = []struct {
	method, path string
	form         url.Values
}{
	{http.MethodGet, site.FrontPath + "?class.classLoader.twip=1", nil},
	{http.MethodGet, site.ReadPath + "?%23_memberAccess%5B%22twip%22%5D=1", nil},
	{http.MethodPost, site.PostPath, url.Values{"redirect:${1+1}": {""}}},
	{http.MethodPost, site.PostPath, url.Values{"title[new java.lang.Object()]": {""}}},
}

// Smoke visits the site as a reader, a writer and an attacker would and prints every answer with its headers and
// timings. It posts one article and reads it back. The error joins everything that was not as it should be.
func Smoke(ctx context.Context, env Environment, out io.Writer) error {
	s := &smoke{ctx: ctx, base: strings.TrimSuffix(env.URL, "/"), out: out, client: &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	front := s.get(site.FrontPath, http.StatusOK)
	s.get(site.ReadPath, http.StatusOK)
	if file := site.StaticFile(string(front), s.base); file != "" {
		s.get(file, http.StatusOK)
	} else {
		s.fail("GET /: no link to /styles/ or /images/ found: the page does not use the static tier")
	}
	title := "smoke-" + rand.Text()
	s.post(site.PostPath, url.Values{"title": {title}, "body": {"Written by the smoke test."}}, http.StatusFound)
	if list := s.get(site.ReadPath, http.StatusOK); !bytes.Contains(list, []byte(title)) {
		s.fail("GET /Read.action: the article %q just posted is not in the list", title)
	}
	for _, a := range attacks {
		s.do(a.method, a.path, a.form, http.StatusForbidden)
	}
	if err := errors.Join(s.problems...); err != nil {
		return fmt.Errorf("stack %q at %s is not well:\n%w\nlook at it with: make status STACK=%[1]s",
			env.Stack, env.URL, err)
	}
	fmt.Fprintf(out, "\nall well: %s\n", env.URL)
	return nil
}

type smoke struct {
	ctx      context.Context
	base     string
	out      io.Writer
	client   *http.Client
	problems []error
}

func (s *smoke) fail(format string, args ...any) {
	s.problems = append(s.problems, fmt.Errorf(format, args...))
}

func (s *smoke) get(path string, want int) []byte {
	return s.do(http.MethodGet, path, nil, want)
}

func (s *smoke) post(path string, form url.Values, want int) []byte {
	return s.do(http.MethodPost, path, form, want)
}

// do sends one request, prints what came back and notes when the status is not the one wanted.
func (s *smoke) do(method, path string, form url.Values, want int) []byte {
	start := time.Now()
	var firstByte time.Duration
	trace := &httptrace.ClientTrace{GotFirstResponseByte: func() { firstByte = time.Since(start) }}
	ctx := httptrace.WithClientTrace(s.ctx, trace)
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.fail("%s %s: %w", method, path, err)
		return nil
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := s.client.Do(req)
	if err != nil {
		s.fail("%s %s: %w", method, path, err)
		return nil
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, site.MaxPage))
	if err != nil {
		s.fail("%s %s: answer broke off after %d bytes: %w", method, path, len(body), err)
	}
	fmt.Fprintf(s.out, "\n%s %s\n  %s, %d bytes, first byte after %s, all after %s\n", method, path, res.Status,
		len(body), firstByte.Round(100*time.Microsecond), time.Since(start).Round(100*time.Microsecond))
	for _, name := range sortedHeaders(res.Header) {
		fmt.Fprintf(s.out, "  %s: %s\n", name, strings.Join(res.Header[name], ", "))
	}
	if res.StatusCode != want {
		s.fail("%s %s: status %d, want %d", method, path, res.StatusCode, want)
	}
	return body
}

func sortedHeaders(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
