package corpus

import (
	"fmt"
	"net/url"
	"strings"
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
	"%{(new java.lang.ProcessBuilder('id')).start()}", "%{getClass().forName('java.lang.Runtime')}",
	"%{#a=1,#b=2}", "${ #session }",
	`' + (#_memberAccess["allowStaticMethodAccess"]=true,@java.lang.Runtime@getRuntime().exec('id')) + '`,
	"(#rt=@java.lang.Runtime@getRuntime())", "%{1+1}", "${7*7}", "%{'a'+'b'}", "#{#x}", "%25%7B1%2B1%7D",
	`\u0025{\u0023a}`, `%\u007b#a}`,
	"%{ {1,2}[0] + #x }", "%{a${1+1}", "${harmless} and ${#not}", "%{#{'a':1}}", "%{new int[9]}",
}

// texts are what people write, as titles or articles.
var texts = []string{
	"C# costs 5% more; redirect: see #3", "${title}", "100% {sure} # $5", "action: go! method: none",
	"${user.name} and %{n} items",
	"a@b.example, @java user, see @alice@mastodon.social #context is a hashtag", "#{order} price {#1}",
	"class.classLoader is a word",
	"if (a) { $b = %c; } #define X {1}", "function f() { return `${a}, ${b.length}, ${new Date()}`; }",
	"https://example.org/a?b=c&d=%20e#frag",
	`\o/ C:\temp\new "quoted" 'single'`, "Größe: 5 € – “quoted” 日本語", "<script>alert(1)</script>",
	"x'; DROP TABLE news; --", "%", "%zz 100%25", "C++ + Java = 2",
	"line\r\nContent-Type: text/plain\r\nline",
}

// queries are names, and whole queries, of ordinary forms and links.
var queries = []string{
	"title=x", "utf8=%E2%9C%93", "order.items%5B0%5D.price=1", "map%5B%27key%27%5D=1", "__checkbox_agree=true",
	"_=1700000000", "a%5B%5D=1&a%5B%5D=2",
	"12345", "class=b", "klass.name=x", "struts.token.name=t", "utm_source=a", "q=a=b", "&&", "nam%C3%A9=1",
	"redirect=1", "action=list", "method=get", "submit.x=3",
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
