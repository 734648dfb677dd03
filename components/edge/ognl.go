package edge

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// The web ACL refuses OGNL, the expression language that Struts 2.1 evaluates where it should not: whoever gets an
// expression in runs programs on the server (CVE-2010-1870, CVE-2013-2251, CVE-2017-5638, CVE-2018-11776 and others).
// It asks less closely than the proxy of the single host does (infra/images/proxy/ognl.lua), since a pattern has at
// most 200 characters and takes encodings off in one fixed order; so it allows less:
//
//   - names of parameters are letters, digits and _.-[] as forms have them, which leaves no expression to be one;
//   - a body is a plain form that the web ACL can see whole, at most 8 KiB before a load balancer.
const (
	// parameterName finds a pair whose name has another character. Names are looked at as they are sent: a browser does
	// not encode any of those that are allowed.
	parameterName = `(^|&)[a-z0-9_.\[\]-]*[^a-z0-9_.\[\]=&-]`
	// expression finds, in people's text, an opened expression that does something: names a variable, a class or a way
	// to one. "C# costs 5% more" and "${title}" are none.
	expression = `[%$#]\{[^}]*(#[a-z_]|@[a-z_]|\bnew\s+[a-z]|\bclass\b|\bjava\.)`
	// context finds what is evaluated without being opened: the switch that turns protection off, and static members.
	context = `#_memberaccess|@(ognl|java|javax|com\.opensymphony|org\.apache)\.[\w.$]*@`
	// opening finds any opened expression, where none belongs at all.
	opening = `[%$#]\{`
)

// raw leaves the text as it is sent but for its case; decoded takes off what Jetty and OGNL take off.
var (
	raw     = []string{"LOWERCASE"}
	decoded = []string{"URL_DECODE_UNI", "JS_DECODE", "LOWERCASE"}
)

// ognlRule is the statement of the web ACL's rule.
func ognlRule() pulumi.Map {
	query, path := pulumi.Map{"queryString": pulumi.Map{}}, pulumi.Map{"uriPath": pulumi.Map{}}
	// What does not fit into the web ACL's view counts as an attack: it could hide there.
	body := pulumi.Map{"body": pulumi.Map{"oversizeHandling": pulumi.String("MATCH")}}
	contentType := pulumi.Map{"singleHeader": pulumi.Map{"name": pulumi.String("content-type")}}
	return pulumi.Map{"orStatement": pulumi.Map{"statements": pulumi.Array{
		pattern(parameterName, query, raw), pattern(parameterName, body, raw),
		pattern(expression, query, decoded), pattern(expression, body, decoded),
		pattern(context, query, decoded), pattern(context, body, decoded),
		pattern(opening, path, decoded), pattern(opening, contentType, decoded),
	}}}
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
