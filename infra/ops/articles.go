package ops

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
)

// readPath is the page that lists all articles.
const readPath = "/Read.action"

// article is what a reader sees of an article, and what a restored copy must have too.
type article struct{ title, date string }

// listing is how the sample shows an article: its title, then its date.
var listing = regexp.MustCompile(`(?s)<h2>(.*?)</h2>\s*<time[^>]*>(.*?)</time>`)

// articlesOf reads the articles out of a page; none out of a page that shows them in another way than the sample.
func articlesOf(page string) []article {
	var all []article
	for _, m := range listing.FindAllStringSubmatch(page, -1) {
		all = append(all, article{html.UnescapeString(m[1]), m[2]})
	}
	return all
}

var tag = regexp.MustCompile(`(?s)<!--.*?-->|<(?:script|style).*?</(?:script|style)>|<[^>]*>`)

// textOf is what a person reads on a page.
func textOf(page string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(page, " "))), " ")
}

// comparison is what a copy of the data, taken between two looks at the site, has of the site's articles.
type comparison struct {
	onSite, inCopy, since int      // articles: on the site before the copy, in the copy, posted after the first look
	problems              []string // what the copy lacks, has too much, or dates in another way
}

// compare holds a copy against the site as it was before the copy was taken and after: whatever was there before must
// be in the copy, and whatever is in the copy must be on the site, with the same date. Titles may repeat.
func compare(before, inCopy, after []article) comparison {
	c := comparison{onSite: len(before), inCopy: len(inCopy), since: max(0, len(after)-len(before))}
	was, has, is := dates(before), dates(inCopy), dates(after)
	for _, title := range titles(before, inCopy) {
		if missing := len(was[title]) - len(has[title]); missing > 0 {
			c.note("missing in the copy", title, missing)
		}
		if added := len(has[title]) - len(is[title]); added > 0 {
			c.note("in the copy and not on the site", title, added)
			continue
		}
		onSite := slices.Clone(is[title])
		for _, date := range has[title] {
			i := slices.Index(onSite, date)
			if i < 0 {
				c.problems = append(c.problems, fmt.Sprintf("another date in the copy: %q: %s, on the site %s",
					title, date, strings.Join(is[title], ", ")))
				continue
			}
			onSite = slices.Delete(onSite, i, i+1)
		}
	}
	return c
}

func (c *comparison) note(what, title string, times int) {
	line := fmt.Sprintf("%s: %q", what, title)
	if times > 1 {
		line += fmt.Sprintf(" (%d times)", times)
	}
	c.problems = append(c.problems, line)
}

func dates(all []article) map[string][]string {
	by := map[string][]string{}
	for _, a := range all {
		by[a.title] = append(by[a.title], a.date)
	}
	return by
}

func titles(lists ...[]article) []string {
	var all []string
	for _, a := range slices.Concat(lists...) {
		all = append(all, a.title)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
