package images_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/images"
)

// attackNames are names of parameters that Struts 2.1 evaluates, or takes as a command. Most are published exploits.
var attackNames = []string{
	`('\u0023context[\'xwork.MethodAccessor.denyMethodExecution\']\u003dfalse')(bla)(bla)`,
	`('\43_memberAccess.allowStaticMethodAccess')(a)`,
	`(b)(('\43context[\'xwork.MethodAccessor.denyMethodExecution\']\75false')(b))`,
	`redirect:${#a=(new java.lang.ProcessBuilder(new java.lang.String[]{'id'})).start()}`,
	"redirect:http://example.org/", "redirect:%{3*4}", "redirectAction:%{1+1}", "REDIRECT:x", "action:%{(#a)}",
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

// What Struts would evaluate of a request's names is refused, whoever notices it first, the proxy or the guard in Jetty. What
// people write is nobody's business: expressions in values meet the guard in OGNL, which the image's build tries on the real
// thing (infra/images/app/guard).
func TestNamesAreHeldToWhatFormsHave(t *testing.T) {
	s := newSite(t, built[images.App])
	refused := []int{400, 403}

	t.Run("attacks in names are refused", func(t *testing.T) {
		for _, name := range attackNames {
			for encoding, encode := range encodings {
				for what, status := range map[string]int{
					"query":               s.status("GET", "/Read.action?"+encode(name)+"=1", nil, ""),
					"query without value": s.status("GET", "/Read.action?a=1&"+encode(name), nil, ""),
					"form":                s.status("POST", "/Post.action", form, "title=x&"+encode(name)+"=1"),
					"after a long text": s.status("POST", "/Post.action", form,
						"body="+strings.Repeat("word+", 10000)+"&"+encode(name)+"=1"),
				} {
					require.Contains(t, refused, status, "%s, %s: %s", what, encoding, name)
				}
			}
		}
	})
	t.Run("uploads are refused, and bodies of other kinds", func(t *testing.T) {
		for _, kind := range []string{
			"multipart/form-data; boundary=frontier", "Multipart/Form-Data;boundary=x", "multipart/mixed; boundary=x",
			"text/plain", "application/json", "application/x-www-form-urlencoded; charset=UTF-16LE",
		} {
			status := s.status("POST", "/Post.action", http.Header{"Content-Type": {kind}}, "--frontier\r\n%{#context}")
			require.Contains(t, []int{400, 403, 415}, status, kind)
		}
	})
	t.Run("ordinary texts pass and are stored as they are", func(t *testing.T) {
		for _, text := range slices.Concat(ordinaryTexts, attackValues) {
			fields := url.Values{"title": {text}, "body": {text}}.Encode()
			require.Equal(t, 302, s.status("POST", "/Post.action", form, fields), text)
			require.Equal(t, 200, s.status("GET", "/Read.action?q="+url.QueryEscape(text), nil, ""), text)
		}
		require.Len(t, s.dates(t), len(ordinaryTexts)+len(attackValues))
		_, page := s.get(t, "/Read.action")
		require.Contains(t, page, "<h2>C# costs 5% more; redirect: see #3</h2>")
		require.Contains(t, page, "<h2>${title}</h2>")
	})
	t.Run("ordinary names and paths pass", func(t *testing.T) {
		for _, query := range ordinaryQueries {
			require.Equal(t, 200, s.status("GET", "/Read.action?"+query, nil, ""), query)
		}
		for path, want := range map[string]int{
			"/Read.action;jsessionid=node0abc.node0": 200, "/Post!input.action": 404, "/pictures/logo@2x.png": 404,
			"/a%20(1).jsp": 404,
		} {
			cookie := http.Header{"Cookie": {"JSESSIONID=node01.node0; _ga=GA1.2.3"}}
			require.Equal(t, want, s.status("GET", path, cookie, ""), path)
		}
	})
}
