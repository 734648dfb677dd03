package images_test

import (
	"encoding/csv"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/images"
	"twip/infra/keeper"
)

// site is the three containers of the training environment, reached as a visitor reaches them.
type site struct {
	static, app, proxy container
	url, stats         string
	network, store     string
	sockets            func(name string) string
	client             *http.Client
}

// newSite starts a site on a store and returns once it answers.
func newSite(t *testing.T, appImage string) *site {
	t.Helper()
	s := &site{network: newNetwork(t), store: newStore(t), sockets: newSockets(t)}
	s.static = run(t, images.Static, built[images.Static], s.network, "--network-alias", "static")
	s.app = startApp(t, appImage, s)
	s.proxy = run(t, images.Proxy, built[images.Proxy], s.network,
		"-v", s.sockets("")+":/sockets:ro", "-e", "STATIC_SERVERS=static:8080", "-e", "APP_SERVERS=/sockets/app-1")
	address := s.proxy.address(t)
	s.url, s.stats = "http://"+address+":8080", "http://"+address+":1936"
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	s.client = &http.Client{Jar: jar, Timeout: 60 * time.Second}
	await(t, 60*time.Second, "the site's first 200", func() bool { return s.status("GET", "/", nil, "") == http.StatusOK })
	return s
}

func startApp(t *testing.T, image string, s *site) container {
	t.Helper()
	return run(t, images.App, image, s.network, "--network-alias", "app-1", "-v", s.store+":/store",
		"-v", s.sockets("app-1")+":/sockets", "-e", keeper.SocketsEnv+"=/sockets", "--stop-timeout", "75")
}

// status sends a request and returns the answer's status, 0 when there was no answer. Redirects are not followed.
func (s *site) status(method, path string, header http.Header, body string) int {
	response, err := s.do(method, path, header, body)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func (s *site) do(method, path string, header http.Header, body string) (*http.Response, error) {
	// The path is sent as it is given: attacks are not always well-formed URLs.
	request, err := http.NewRequest(method, s.url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.URL.Opaque = path
	for name, values := range header {
		request.Header[name] = values
	}
	once := *s.client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return once.Do(request)
}

// get returns a page that must be there.
func (s *site) get(t *testing.T, path string) (http.Header, string) {
	t.Helper()
	response, err := s.client.Get(s.url + path)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s: %s", path, body)
	return response.Header, string(body)
}

var form = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}

func (s *site) post(t *testing.T, title, body string) {
	t.Helper()
	fields := url.Values{"title": {title}, "body": {body}}
	require.Equal(t, http.StatusFound, s.status("POST", "/Post.action", form, fields.Encode()))
}

var articlePattern = regexp.MustCompile(`(?s)<article>\s*<h2>(.*?)</h2>\s*<time datetime="(.*?)">`)

// dates returns the date of every article by its title.
func (s *site) dates(t *testing.T) map[string]string {
	t.Helper()
	_, page := s.get(t, "/Read.action")
	found := map[string]string{}
	for _, match := range articlePattern.FindAllStringSubmatch(page, -1) {
		found[match[1]] = match[2]
	}
	return found
}

// statistic returns a column of the proxy's statistics for one server of the app, or for all of them ("BACKEND").
// https://docs.haproxy.org/3.0/management.html#9.1 lists the columns.
func (s *site) statistic(t *testing.T, server, column string) string {
	t.Helper()
	response, err := http.Get(s.stats + "/;csv")
	require.NoError(t, err)
	defer response.Body.Close()
	rows, err := csv.NewReader(response.Body).ReadAll()
	require.NoError(t, err)
	at := slices.Index(rows[0], column)
	for _, row := range rows[1:] {
		if row[0] == "app" && row[1] == server {
			return row[at]
		}
	}
	require.Fail(t, "no such statistic", "%s of %s", column, server)
	return ""
}
