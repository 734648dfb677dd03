// Package site reads the pages of companyNews as a visitor does: which articles they list, and what they refer to. The
// smoke test, the restore drill, the drills and the tests share it.
package site

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// The paths of companyNews.
const (
	FrontPath = "/"
	ReadPath  = "/Read.action" // lists all articles
	PostPath  = "/Post.action" // takes the fields title and body, and answers with a redirection
)

// Article is what a reader sees of an article.
type Article struct{ Title, Date string }

// listing is how the sample shows an article: its title, then its date.
var listing = regexp.MustCompile(`(?s)<h2>(.*?)</h2>\s*<time[^>]*>(.*?)</time>`)

// Articles reads the articles out of a page; none out of a page that shows them in another way than the sample.
func Articles(page string) []Article {
	var all []Article
	for _, m := range listing.FindAllStringSubmatch(page, -1) {
		all = append(all, Article{html.UnescapeString(m[1]), m[2]})
	}
	return all
}

var tag = regexp.MustCompile(`(?s)<!--.*?-->|<(?:script|style).*?</(?:script|style)>|<[^>]*>`)

// Text is what a person reads on a page.
func Text(page string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(page, " "))), " ")
}

// staticLink finds the static files that a page refers to.
var staticLink = regexp.MustCompile(`(?:href|src)=["']([^"']*/(?:styles|images)/[^"']+)["']`)

// StaticFile is the first static file that a page of the site at base refers to, as a path; "" if there is none.
func StaticFile(page, base string) string {
	found := staticLink.FindStringSubmatch(page)
	if found == nil {
		return ""
	}
	return strings.TrimPrefix(found[1], strings.TrimSuffix(base, "/"))
}

// MaxPage bounds what is read of one answer, in bytes; the list of all articles grows with use.
const MaxPage = 64 << 20

// Get reads a page. An answer other than 200 is an error, as is none within 30 s.
func Get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", url, res.Status)
	}
	page, err := io.ReadAll(io.LimitReader(res.Body, MaxPage))
	return string(page), err
}
