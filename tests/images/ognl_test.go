package images_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/images"
)

// attackNames are names of parameters that Struts 2.1 evaluates, or takes as a command. Most are published exploits.
var attackNames = []string{
	`('\u0023context[\'xwork.MethodAccessor.denyMethodExecution\']\u003dfalse')(bla)(bla)`,
	`('\43_memberAccess.allowStaticMethodAccess')(a)`,
	`(b)(('\43context[\'xwork.MethodAccessor.denyMethodExecution\']\75false')(b))`,
	`redirect:${#a=(new java.lang.ProcessBuilder(new java.lang.String[]{'id'})).start()}`,
	"redirect:http://example.org/", "redirect:%{3*4}", "redirectAction:%{1+1}", "REDIRECT:x", "action:%{(#a)}", "action:Delete", "method:execute",
	"method:#_memberAccess=@ognl.OgnlContext@DEFAULT_MEMBER_ACCESS",
	"#context", "%23context", "%2523context", "%u0023context", `\u0023context`, "a\x00b",
	"class.classLoader.jarPath", "class['classLoader'].x", "Class.ClassLoader.x", "top.class.name",
	"x[@java.lang.Runtime@getRuntime()]", "top['foo'](0)", "_memberAccess['allowStaticMethodAccess']",
	"session.user", "request['x']", "${1+1}", "%{1+1}", "a,b", "a=b:c#d(e)",
}

// attackValues are values that Struts 2.1 can be made to evaluate.
var attackValues = []string{
	`%{#context['xwork.MethodAccessor.denyMethodExecution']=false}`, "${@java.lang.Runtime@getRuntime().exec('id')}",
	"%{(new java.lang.ProcessBuilder('id')).start()}", "%{getClass().forName('java.lang.Runtime')}", "%{#a=1,#b=2}", "${ #session }",
	`' + (#_memberAccess["allowStaticMethodAccess"]=true,@java.lang.Runtime@getRuntime().exec('id')) + '`,
	"(#rt=@java.lang.Runtime@getRuntime())", "%{1+1}", "${7*7}", "%{'a'+'b'}", "#{#x}", "%25%7B1%2B1%7D", `\u0025{\u0023a}`, `%\u007b#a}`,
	"%{ {1,2}[0] + #x }", "%{a${1+1}", "${harmless} and ${#not}", "%{#{'a':1}}", "%{new int[9]}",
}

// ordinaryTexts are what people write, as titles or articles.
var ordinaryTexts = []string{
	"C# costs 5% more; redirect: see #3", "${title}", "100% {sure} # $5", "action: go! method: none", "${user.name} and %{n} items",
	"a@b.example, @java user, see @alice@mastodon.social #context is a hashtag", "#{order} price {#1}", "class.classLoader is a word",
	"if (a) { $b = %c; } #define X {1}", "function f() { return `${a}, ${b.length}, ${new Date()}`; }", "https://example.org/a?b=c&d=%20e#frag",
	`\o/ C:\temp\new "quoted" 'single'`, "Größe: 5 € – “quoted” 日本語", "<script>alert(1)</script>", "x'; DROP TABLE news; --", "%", "%zz 100%25", "C++ + Java = 2",
	"line\r\nContent-Type: text/plain\r\nline",
}

// ordinaryQueries are names, and whole queries, of ordinary forms and links.
var ordinaryQueries = []string{
	"title=x", "utf8=%E2%9C%93", "order.items%5B0%5D.price=1", "map%5B%27key%27%5D=1", "__checkbox_agree=true", "_=1700000000", "a%5B%5D=1&a%5B%5D=2",
	"12345", "class=b", "klass.name=x", "struts.token.name=t", "utm_source=a", "q=a=b", "&&", "nam%C3%A9=1", "redirect=1", "action=list", "method=get", "submit.x=3",
}

func multipart(name, value string) (http.Header, string) {
	return http.Header{"Content-Type": {"multipart/form-data; boundary=frontier"}},
		fmt.Sprintf("--frontier\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n--frontier--\r\n", name, value)
}

// encodings are how the same text can arrive. Percent signs that an attack brings are its own encoding and stay.
var encodings = map[string]func(string) string{
	"once":     url.QueryEscape,
	"twice":    func(s string) string { return url.QueryEscape(strings.ReplaceAll(url.QueryEscape(s), "+", "%20")) },
	"all":      percentAll,
	"all, all": func(s string) string { return percentAll(percentAll(s)) },
}

func percentAll(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02x", s[i])
	}
	return b.String()
}

func TestTheProxyTellsAttacksFromOrdinaryRequests(t *testing.T) {
	s := newSite(t, built[images.App])

	t.Run("attacks in names are denied", func(t *testing.T) {
		for _, name := range attackNames {
			for encoding, encode := range encodings {
				require.Equal(t, 403, s.status("GET", "/Read.action?"+encode(name)+"=1", nil, ""), "query, %s: %s", encoding, name)
				require.Equal(t, 403, s.status("GET", "/Read.action?a=1&"+encode(name), nil, ""), "query without value, %s: %s", encoding, name)
				require.Equal(t, 403, s.status("POST", "/Post.action", form, "title=x&"+encode(name)+"=1"), "form, %s: %s", encoding, name)
			}
			header, body := multipart(strings.ReplaceAll(name, `"`, "%22"), "1")
			require.Equal(t, 403, s.status("POST", "/Post.action", header, body), "multipart: %s", name)
		}
	})
	t.Run("attacks in values are denied", func(t *testing.T) {
		for _, value := range attackValues {
			for encoding, encode := range encodings {
				require.Equal(t, 403, s.status("GET", "/Read.action?title="+encode(value), nil, ""), "query, %s: %s", encoding, value)
				require.Equal(t, 403, s.status("POST", "/Post.action", form, "title=x&body="+encode(value)), "form, %s: %s", encoding, value)
			}
			header, body := multipart("title", value)
			require.Equal(t, 403, s.status("POST", "/Post.action", header, body), "multipart: %s", value)
			require.Equal(t, 403, s.status("GET", "/"+percentAll(value)+"/Read.action", nil, ""), "path: %s", value)
			require.Equal(t, 403, s.status("GET", "/Read.action", http.Header{"Content-Type": {value}}, ""), "content type: %s", value)
		}
	})
	t.Run("attacks elsewhere are denied", func(t *testing.T) {
		mixed := http.Header{"Content-Type": {"multipart/form-data; boundary=other"}}
		for name, test := range map[string]struct {
			path   string
			header http.Header
			body   string
		}{
			"name of a cookie":               {"/Read.action", http.Header{"Cookie": {"a=b; #context=1"}}, ""},
			"any other header":               {"/Read.action", http.Header{"Referer": {"%{#context}"}}, ""},
			"method call in the path":        {"/Post!%7Bx%7D.action", nil, ""},
			"name of a file":                 {"/Post.action", mixed, "--other\r\nContent-Disposition: form-data; name=\"a\"; filename=\"%{#x}\"\r\n\r\n1\r\n--other--"},
			"folded header, no quotes":       {"/Post.action", mixed, "--other\nContent-Disposition: form-data;\n name=#a\n\n1\n--other--"},
			"boundary that is not declared":  {"/Post.action", mixed, "--another\r\ncontent-disposition: form-data; NAME=\"#a\"\r\n\r\n1\r\n--another--"},
			"extended name":                  {"/Post.action", mixed, "--other\r\nContent-Disposition: form-data; name*=UTF-8''%23a\r\n\r\n1\r\n--other--"},
			"unknown kind of body":           {"/Post.action", http.Header{"Content-Type": {"text/plain"}}, "%{#context}"},
			"no kind of body":                {"/Post.action", nil, "%{#context}"},
			"blind character set":            {"/Post.action", http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=UTF-16LE"}}, "r\x00e\x00"},
			"encoded without end":            {"/Read.action?a=%" + strings.Repeat("25", 20) + "23", nil, ""},
			"too many parameters to look at": {"/Post.action", form, strings.Repeat("a=1&", 1001)},
			"after a long ordinary text":     {"/Post.action", form, "body=" + strings.Repeat("word+", 20000) + "&%23a=1"},
		} {
			method := "POST"
			if test.body == "" {
				method = "GET"
			}
			require.Equal(t, 403, s.status(method, test.path, test.header, test.body), name)
		}
	})
	t.Run("ordinary texts pass and are stored as they are", func(t *testing.T) {
		for _, text := range ordinaryTexts {
			fields := url.Values{"title": {text}, "body": {text}}.Encode()
			require.Equal(t, 302, s.status("POST", "/Post.action", form, fields), text)
			require.Equal(t, 200, s.status("GET", "/Read.action?q="+url.QueryEscape(text), nil, ""), text)
		}
		require.Len(t, s.dates(t), len(ordinaryTexts))
		_, page := s.get(t, "/Read.action")
		require.Contains(t, page, "<h2>C# costs 5% more; redirect: see #3</h2>")
		require.Contains(t, page, "<h2>${title}</h2>")
	})
	t.Run("ordinary names and paths pass", func(t *testing.T) {
		for _, query := range ordinaryQueries {
			require.Equal(t, 200, s.status("GET", "/Read.action?"+query, nil, ""), query)
		}
		for path, want := range map[string]int{
			"/Read.action;jsessionid=node0abc.node0": 200, "/Post!input.action": 404, "/pictures/logo@2x.png": 404, "/a%20(1).jsp": 404,
		} {
			require.Equal(t, want, s.status("GET", path, http.Header{"Cookie": {"JSESSIONID=node01.node0; _ga=GA1.2.3"}}, ""), path)
		}
	})
	t.Run("no request takes the proxy long", func(t *testing.T) {
		for _, piece := range []string{"${", "%{{", "#{", "@a.", "@java.", "class ", "${new a ", "%25", `\u005cu0023`, "'${'"} {
			begin := time.Now()
			status := s.status("POST", "/Post.action", form, "body="+strings.Repeat(piece, 130000/len(piece)))
			require.Contains(t, []int{400, 403}, status, piece)
			require.Less(t, time.Since(begin), 5*time.Second, piece)
		}
	})
}
