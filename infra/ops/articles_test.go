package ops

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArticlesOf(t *testing.T) {
	page := `<article>
      <h2>C# &amp; &lt;Java&gt;</h2>
      <time datetime="2026-11-23T10:00:00Z">2026-11-23T10:00:00Z</time>
      <p>text</p></article><article><h2>two
lines</h2><time>yesterday</time></article>`
	require.Equal(t, []article{{"C# & <Java>", "2026-11-23T10:00:00Z"}, {"two\nlines", "yesterday"}}, articlesOf(page))
	require.Empty(t, articlesOf("<li>another application's article</li>"))
}

func TestTextOf(t *testing.T) {
	require.Equal(t, "News of today & tomorrow", textOf(
		"<style>p {color: red}</style><h1>News\n of</h1><!-- <b>not</b> -->"+
			"<script>x = '<p>'</script><p>today &amp; tomorrow</p>"))
}

func TestCompare(t *testing.T) {
	a, b, c := article{"a", "1"}, article{"b", "2"}, article{"c", "3"}
	const added, dated = "in the copy and not on the site: ", "another date in the copy: "
	for name, tc := range map[string]struct {
		before, inCopy, after []article
		since                 int
		problems              []string
	}{
		"the same":           {[]article{a, b}, []article{a, b}, []article{a, b}, 0, nil},
		"in another order":   {[]article{a, b}, []article{b, a}, []article{a, b}, 0, nil},
		"posted after":       {[]article{a}, []article{a}, []article{a, b}, 1, nil},
		"posted during":      {[]article{a}, []article{a, b}, []article{a, b, c}, 2, nil},
		"one title twice":    {[]article{a, {"a", "2"}}, []article{{"a", "2"}, a}, []article{a, {"a", "2"}}, 0, nil},
		"missing":            {[]article{a, b}, []article{a}, []article{a, b}, 0, []string{`missing in the copy: "b"`}},
		"missing twice":      {[]article{a, a}, nil, []article{a, a}, 0, []string{`missing in the copy: "a" (2 times)`}},
		"missing one of two": {[]article{a, a}, []article{a}, []article{a, a}, 0, []string{`missing in the copy: "a"`}},
		"not on the site":    {[]article{a}, []article{a, b}, []article{a}, 0, []string{added + `"b"`}},
		"another date":       {[]article{a}, []article{{"a", "9"}}, []article{a}, 0, []string{dated + `"a": 9, on the site 1`}},
		"one date used twice": {[]article{a, {"a", "2"}}, []article{a, a}, []article{a, {"a", "2"}}, 0,
			[]string{dated + `"a": 1, on the site 1, 2`}},
	} {
		t.Run(name, func(t *testing.T) {
			got := compare(tc.before, tc.inCopy, tc.after)
			require.Equal(t, tc.problems, got.problems)
			require.Equal(t, []int{len(tc.before), len(tc.inCopy), tc.since}, []int{got.onSite, got.inCopy, got.since})
		})
	}
}
