package graph

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"twip/tests/corpus"

	"github.com/stretchr/testify/require"
)

// request is what the web ACL sees of a request.
type request struct{ path, query, body, contentType, origin string }

// The web ACL's patterns, as the graph has them, on requests as the web ACL sees them.
func TestProdRefusesOGNL(t *testing.T) {
	acl := prod(t).Of(t, "aws:wafv2/webAcl:WebAcl")[0]
	require.Equal(t, "ognl", Plain(acl.Inputs["rules"]).([]any)[1].(map[string]any)["name"])
	refused := func(r request) bool {
		return holds(t, Plain(acl.Inputs["rules"]).([]any)[1].(map[string]any)["statement"].(map[string]any), r)
	}
	form := func(body string) request {
		return request{path: "/Post.action", body: body, contentType: "application/x-www-form-urlencoded"}
	}
	for name, attack := range map[string]request{
		"CVE-2010-1870":               {path: "/Read.action", query: `('\u0023_memberAccess[\'allowStaticMethodAccess\']')(a)=true`},
		"CVE-2010-1870, encoded":      {path: "/Read.action", query: `%28%27%5Cu0023context%27%29%28a%29=1`},
		"CVE-2011-3923":               {path: "/Read.action", query: `title=(%23x=1)&z[(title)('x')]=true`},
		"CVE-2013-2251":               {path: "/Read.action", query: `redirect:%25%7B3*4%7D`},
		"a variable in a form's name": form(`title=x&%23context=y`),
		"a way to a class":            {path: "/Read.action", query: `class.classLoader.jarPath=x`},
		"CVE-2017-5638":               {path: "/Post.action", contentType: `%{(#nike='multipart/form-data')}`},
		"CVE-2018-11776":              {path: "/%24%7B%28111%2B111%29%7D/Read.action"},
		"a static member":             form(`title=x&a[@java.lang.Runtime@getRuntime()]=y`),
	} {
		t.Run(name, func(t *testing.T) { require.True(t, refused(attack)) })
	}
	for name, ordinary := range map[string]request{
		"the list":     {path: "/Read.action"},
		"a session":    {path: "/Read.action;jsessionid=node01abc.node0"},
		"a page":       {path: "/Read.action", query: "page=2&sort=date"},
		"a post":       form(url.Values{"title": {"C# costs 5% more"}, "body": {"Mail me @home or info@example.com & see ${title} (#3), a=b.\nYours, O'Neil"}}.Encode()),
		"a long post":  form(url.Values{"body": {strings.Repeat("Grüße an alle (und #alle). ", 1000)}}.Encode()),
		"code":         form(url.Values{"body": {"#define F(x) ${x#y} @Override @java.lang.Runtime@getRuntime() %{a}"}}.Encode()),
		"a time":       {path: "/Read.action", query: "12:30"},
		"an address":   {path: "/Read.action", query: "me@example.com"},
		"a word":       {path: "/Read.action", query: "classification.name=x&subclass=y&class=z"},
		"an index":     {path: "/Read.action", query: "items%5B0%5D.name=x"},
		"a long title": form(url.Values{"title": {strings.Repeat("Grüße ", 100)}, "body": {"{curly} [square] <angle> \\ / 100 %"}}.Encode()),
	} {
		t.Run(name, func(t *testing.T) { require.False(t, refused(ordinary)) })
	}
}

// Nobody is refused in production who is not on train: the web ACL lets pass what the app servers do.
func TestProdRefusesNobodyWhomTrainDoesNot(t *testing.T) {
	articles, err := corpus.Articles(5000)
	require.NoError(t, err)
	rule := func(steps ...map[string]string) map[string]any {
		return Plain(prod(t, steps...).Of(t, aclType)[0].Inputs["rules"]).([]any)[1].(map[string]any)["statement"].(map[string]any)
	}
	balancers := rule()
	require.Equal(t, balancers, rule(prodShapes["CDN"]...), "before a CDN it is the same")
	refused := func(r corpus.Request) bool {
		path, query, _ := strings.Cut(r.Target, "?")
		shown := r.Body[:min(len(r.Body), 8<<10)]
		return holds(t, balancers, request{path: path, query: query, contentType: r.Type, body: shown})
	}
	for _, r := range slices.Concat(corpus.Honest(), articles) {
		require.False(t, refused(r), r.Name)
	}
	attacks := corpus.Attacks()
	stopped := len(slices.DeleteFunc(slices.Clone(attacks), func(r corpus.Request) bool { return !refused(r) }))
	t.Logf("the web ACL refuses %d of %d attacks before an app server has to", stopped, len(attacks))
	require.NotZero(t, stopped)
}

// holds says whether a statement, as the graph has it, is true of a request.
func holds(t *testing.T, statement map[string]any, r request) bool {
	t.Helper()
	require.Len(t, statement, 1)
	inner := func(s any) bool { return holds(t, s.(map[string]any), r) }
	for kind, s := range statement {
		s := s.(map[string]any)
		switch kind {
		case "orStatement":
			return slices.ContainsFunc(s["statements"].([]any), inner)
		case "notStatement":
			require.Len(t, s["statements"], 1)
			return !inner(s["statements"].([]any)[0])
		case "regexMatchStatement":
			return compiled(s["regexString"].(string)).MatchString(seen(t, r, s))
		case "byteMatchStatement":
			if s["positionalConstraint"] == "STARTS_WITH" {
				return strings.HasPrefix(seen(t, r, s), s["searchString"].(string))
			}
			require.Equal(t, "EXACTLY", s["positionalConstraint"])
			return seen(t, r, s) == s["searchString"]
		}
		t.Fatalf("statement %s is not known here", kind)
	}
	return false
}

var patterns sync.Map // by their text: a corpus is long

func compiled(pattern string) *regexp.Regexp {
	if known, ok := patterns.Load(pattern); ok {
		return known.(*regexp.Regexp)
	}
	made := regexp.MustCompile(pattern)
	patterns.Store(pattern, made)
	return made
}

// seen is a part of the request after the transformations that the statement asks for.
func seen(t *testing.T, r request, match map[string]any) string {
	t.Helper()
	var text string
	for field, which := range match["fieldToMatch"].(map[string]any) {
		if field == "singleHeader" {
			field = which.(map[string]any)["name"].(string)
		}
		text = map[string]string{"queryString": r.query, "uriPath": r.path, "body": r.body, "content-type": r.contentType,
			"x-twip-origin": r.origin}[field]
	}
	for _, step := range match["textTransformations"].([]any) {
		switch kind := step.(map[string]any)["type"]; kind {
		case "NONE":
		case "LOWERCASE":
			text = strings.ToLower(text)
		case "URL_DECODE_UNI":
			if decoded, err := url.QueryUnescape(text); err == nil {
				text = decoded
			}
		default:
			t.Fatalf("transformation %v is not known here", kind)
		}
	}
	return text
}
