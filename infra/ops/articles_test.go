package ops

import (
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/site"
)

func TestCompare(t *testing.T) {
	a, b, c := article("a", "1"), article("b", "2"), article("c", "3")
	const added, dated = "in the copy and not on the site: ", "another date in the copy: "
	for name, tc := range map[string]struct {
		before, inCopy, after []site.Article
		since                 int
		problems              []string
	}{
		"the same":           {[]site.Article{a, b}, []site.Article{a, b}, []site.Article{a, b}, 0, nil},
		"in another order":   {[]site.Article{a, b}, []site.Article{b, a}, []site.Article{a, b}, 0, nil},
		"posted after":       {[]site.Article{a}, []site.Article{a}, []site.Article{a, b}, 1, nil},
		"posted during":      {[]site.Article{a}, []site.Article{a, b}, []site.Article{a, b, c}, 2, nil},
		"one title twice":    {[]site.Article{a, article("a", "2")}, []site.Article{article("a", "2"), a}, []site.Article{a, article("a", "2")}, 0, nil},
		"missing":            {[]site.Article{a, b}, []site.Article{a}, []site.Article{a, b}, 0, []string{`missing in the copy: "b"`}},
		"missing twice":      {[]site.Article{a, a}, nil, []site.Article{a, a}, 0, []string{`missing in the copy: "a" (2 times)`}},
		"missing one of two": {[]site.Article{a, a}, []site.Article{a}, []site.Article{a, a}, 0, []string{`missing in the copy: "a"`}},
		"not on the site":    {[]site.Article{a}, []site.Article{a, b}, []site.Article{a}, 0, []string{added + `"b"`}},
		"another date":       {[]site.Article{a}, []site.Article{article("a", "9")}, []site.Article{a}, 0, []string{dated + `"a": 9, on the site 1`}},
		"one date used twice": {[]site.Article{a, article("a", "2")}, []site.Article{a, a}, []site.Article{a, article("a", "2")}, 0,
			[]string{dated + `"a": 1, on the site 1, 2`}},
	} {
		t.Run(name, func(t *testing.T) {
			got := compare(tc.before, tc.inCopy, tc.after)
			require.Equal(t, tc.problems, got.problems)
			require.Equal(t, []int{len(tc.before), len(tc.inCopy), tc.since}, []int{got.onSite, got.inCopy, got.since})
		})
	}
}

func article(title, date string) site.Article { return site.Article{Title: title, Date: date} }
