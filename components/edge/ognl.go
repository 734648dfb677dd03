package edge

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// The web ACL refuses what plainly is an attempt to have Struts 2.1 evaluate OGNL (CVE-2010-1870, CVE-2013-2251 and
// others). It is the coarse outer net: what decides is the guard in the app servers, where expressions are evaluated
// (infra/images/app/guard), the same in every environment. So it looks at names of parameters, which Struts evaluates,
// and at places where no expression belongs, and leaves alone what people write: texts, long or short, are let through.
const (
	// order finds a name that Struts takes as an order to redirect.
	order = `(^|&)redirect(action)?(:|%3a)`
	// call finds a name with a call, a variable, or an escape in it.
	call = `(^|&)[^=&]*(\(|%28|#|%23|\\|%5c)`
	// static finds a name with a static member in it.
	static = `(^|&)[^=&]*(@|%40)[^=&@]*(@|%40)[a-z_]`
	// class finds a name that leads through a class.
	class = `(^|&)([^=&]*(\.|\[|%2e|%5b))?class(\.|\[|%2e|%5b)`
	// opening finds an opened expression, where none belongs at all.
	opening = `[%$]\{`
)

// raw leaves the text as it is sent but for its case; decoded takes off what Jetty takes off.
var (
	raw     = []string{"LOWERCASE"}
	decoded = []string{"URL_DECODE_UNI", "LOWERCASE"}
)

// ognlRule is the statement of the web ACL's rule.
func ognlRule() pulumi.Map {
	path := pulumi.Map{"uriPath": pulumi.Map{}}
	contentType := header("content-type")
	statements := pulumi.Array{pattern(opening, path, decoded), pattern(opening, contentType, decoded)}
	for _, names := range []pulumi.Map{
		{"queryString": pulumi.Map{}},
		// A load balancer shows the web ACL the first 8 KiB; a longer article is no attack.
		{"body": pulumi.Map{"oversizeHandling": pulumi.String("CONTINUE")}},
	} {
		for _, expression := range []string{order, call, static, class} {
			statements = append(statements, pattern(expression, names, raw))
		}
	}
	return pulumi.Map{"orStatement": pulumi.Map{"statements": statements}}
}

func pattern(expression string, field pulumi.Map, transformations []string) pulumi.Map {
	steps := pulumi.Array{}
	for i, transformation := range transformations {
		steps = append(steps, pulumi.Map{"priority": pulumi.Int(i), "type": pulumi.String(transformation)})
	}
	return pulumi.Map{"regexMatchStatement": pulumi.Map{
		"regexString": pulumi.String(expression), "fieldToMatch": field, "textTransformations": steps,
	}}
}
