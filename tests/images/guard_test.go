package images_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/images"
	"twip/tests/corpus"
)

// What Struts would evaluate of a request's names is refused, whoever notices it first, the proxy or the guard in Jetty. What
// people write is nobody's business: expressions in values meet the guard in OGNL, which the image's build tries on the real
// thing (infra/images/app/guard). Straight at an app server, as production's load balancer sends it, the verdict is the same.
func TestNamesAreHeldToWhatFormsHave(t *testing.T) {
	s := newSite(t, built[images.App])
	straight := *s
	straight.url = "http://" + s.app.address(t) + ":8080"
	refused := []int{400, 403, 415}
	honest := corpus.Honest()
	articles, err := corpus.Articles(5000)
	require.NoError(t, err)

	for way, s := range map[string]*site{"through the edge of train": s, "straight at the app server": &straight} {
		send := func(r corpus.Request) int {
			header := http.Header{}
			if r.Type != "" {
				header.Set("Content-Type", r.Type)
			}
			return s.status(r.Method, r.Target, header, r.Body)
		}
		t.Run("attacks are refused "+way, func(t *testing.T) {
			for _, r := range slices.Concat(corpus.Attacks(), corpus.Uploads()) {
				require.Contains(t, refused, send(r), r.Name)
			}
		})
		t.Run("what people send passes "+way, func(t *testing.T) {
			for _, r := range honest {
				require.Equal(t, map[string]int{"GET": 200, "POST": 302}[r.Method], send(r), r.Name)
			}
			for _, r := range articles {
				require.Equal(t, 302, send(r), r.Name)
			}
		})
	}
	t.Run("texts are stored as they are", func(t *testing.T) {
		dates := s.dates(t)
		for _, title := range []string{"C# costs 5% more; redirect: see #3", "${title}"} {
			require.Contains(t, dates, title)
		}
		require.GreaterOrEqual(t, len(dates), len(corpus.Texts()))
	})
	t.Run("ordinary paths pass", func(t *testing.T) {
		for path, want := range map[string]int{
			"/Read.action;jsessionid=node0abc.node0": 200, "/Post!input.action": 404, "/pictures/logo@2x.png": 404,
			"/a%20(1).jsp": 404,
		} {
			cookie := http.Header{"Cookie": {"JSESSIONID=node01.node0; _ga=GA1.2.3"}}
			require.Equal(t, want, s.status("GET", path, cookie, ""), path)
		}
	})
}
