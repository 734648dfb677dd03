// Package corpus holds the requests that every environment has to decide alike: attacks on Struts 2.1, which are
// refused, and what people send, which is not. Tests send them through train's edge, and to an app server as
// production's load balancer does, and show them to production's web ACL.
package corpus

import (
	"fmt"
	"go/build"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Request is one request.
type Request struct {
	Name   string // says what it is, and how it is sent
	Method string
	Target string // the path and the query, as they are sent
	Type   string // of the body; empty without one
	Body   string
}

// Form is the content type that browsers give to forms.
const Form = "application/x-www-form-urlencoded"

// Attacks are all ways in which each attack is sent.
func Attacks() (all []Request) {
	long := "body=" + strings.Repeat("word+", 10000) + "&"
	for _, name := range attackNames {
		for encoding, encode := range encodings {
			told := encoding + ": " + name
			all = append(all,
				Request{"query, " + told, "GET", "/Read.action?" + encode(name) + "=1", "", ""},
				Request{"query without value, " + told, "GET", "/Read.action?a=1&" + encode(name), "", ""},
				Request{"form, " + told, "POST", "/Post.action", Form, "title=x&" + encode(name) + "=1"},
				Request{"after a long text, " + told, "POST", "/Post.action", Form, long + encode(name) + "=1"})
		}
	}
	return ordered(all)
}

// Uploads are bodies of kinds that no form of the site has.
func Uploads() (all []Request) {
	for _, kind := range []string{
		"multipart/form-data; boundary=frontier", "Multipart/Form-Data;boundary=x", "multipart/mixed; boundary=x",
		"text/plain", "application/json", "application/x-www-form-urlencoded; charset=UTF-16LE",
	} {
		all = append(all, Request{kind, "POST", "/Post.action", kind, "--frontier\r\n%{#context}"})
	}
	return all
}

// Texts are what people write, and what would be evaluated if it were not only text.
func Texts() []string { return slices.Concat(texts, attackValues) }

// Honest is what people send: links, searches, and articles.
func Honest() (all []Request) {
	for _, query := range queries {
		all = append(all, Request{"link: " + query, "GET", "/Read.action?" + query, "", ""})
	}
	for _, text := range Texts() {
		all = append(
			all,
			Request{"search: " + text, "GET", "/Read.action?q=" + url.QueryEscape(text), "", ""},
			article(text, text),
		)
	}
	return all
}

// Articles are n articles out of the texts that lie on every computer that compiles this: prose and code of the Go
// distribution, in pieces of an ordinary article's length.
func Articles(n int) ([]Request, error) {
	const size = 600
	var all []Request
	err := filepath.WalkDir(
		filepath.Join(build.Default.GOROOT, "src"),
		func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil || !utf8.Valid(text) {
				return err
			}
			// One piece of a file is enough, of its middle: all begin alike.
			if middle := len(text) / 2; middle >= size {
				all = append(
					all,
					article(filepath.Base(path), strings.ToValidUTF8(string(text[middle:middle+size]), "")),
				)
			}
			if len(all) == n {
				return fs.SkipAll
			}
			return nil
		},
	)
	if err != nil {
		return nil, fmt.Errorf("articles: %w", err)
	}
	if len(all) < n {
		return nil, fmt.Errorf("articles: %d were asked for, the Go distribution has %d", n, len(all))
	}
	return all, nil
}

func article(title, body string) Request {
	return Request{
		"article: " + title,
		"POST",
		"/Post.action",
		Form,
		url.Values{"title": {title}, "body": {body}}.Encode(),
	}
}

func ordered(all []Request) []Request {
	slices.SortFunc(all, func(a, b Request) int { return strings.Compare(a.Name, b.Name) })
	return all
}
