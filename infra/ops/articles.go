package ops

import (
	"fmt"
	"slices"
	"strings"

	"twip/infra/site"
)

// comparison is what a copy of the data, taken between two looks at the site, has of the site's articles.
type comparison struct {
	onSite, inCopy, since int      // articles: on the site before the copy, in the copy, posted after the first look
	problems              []string // what the copy lacks, has too much, or dates in another way
}

// compare holds a copy against the site as it was before the copy was taken and after: whatever was there before must
// be in the copy, and whatever is in the copy must be on the site, with the same date. Titles may repeat.
func compare(before, inCopy, after []site.Article) comparison {
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

func dates(all []site.Article) map[string][]string {
	by := map[string][]string{}
	for _, a := range all {
		by[a.Title] = append(by[a.Title], a.Date)
	}
	return by
}

func titles(lists ...[]site.Article) []string {
	var all []string
	for _, a := range slices.Concat(lists...) {
		all = append(all, a.Title)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
