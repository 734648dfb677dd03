package site

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArticles(t *testing.T) {
	page := `<article>
      <h2>C# &amp; &lt;Java&gt;</h2>
      <time datetime="2026-11-23T10:00:00Z">2026-11-23T10:00:00Z</time>
      <p>text</p></article><article><h2>two
lines</h2><time>yesterday</time></article>`
	require.Equal(t, []Article{{"C# & <Java>", "2026-11-23T10:00:00Z"}, {"two\nlines", "yesterday"}}, Articles(page))
	require.Empty(t, Articles("<li>another application's article</li>"))
}

func TestText(t *testing.T) {
	require.Equal(t, "News of today & tomorrow", Text(
		"<style>p {color: red}</style><h1>News\n of</h1><!-- <b>not</b> -->"+
			"<script>x = '<p>'</script><p>today &amp; tomorrow</p>"))
}

func TestStaticFile(t *testing.T) {
	require.Equal(t, "/styles/a.css", StaticFile(`<link rel="stylesheet" href="/styles/a.css">`, "http://x/"))
	require.Equal(t, "/images/a.svg", StaticFile(`<img src='http://x/images/a.svg'>`, "http://x"))
	require.Empty(t, StaticFile(`<a href="/Read.action">`, "http://x"))
}
