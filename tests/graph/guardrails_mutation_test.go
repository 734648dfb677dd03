package graph

import (
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"twip/infra/guardrails"
)

// leastMutations is how many kinds of changes there are at least, for the test to say something about the rules.
const leastMutations = 150

// Whatever single thing is changed for the worse, a rule notices it, and says where it is.
func TestGuardrailsNoticeEveryMutation(t *testing.T) {
	table := slices.Concat(mutations, inDocuments(documentMutations, instanceType, templateType), inDocuments(storeMutations, templateType),
		inDocuments(hostMutations, instanceType))
	tried := make([]int, len(table))
	for name, env := range environments(t) {
		for i, f := range table {
			for _, r := range env.graph.Resources {
				if f.typ != r.Type && f.typ != anyTagged || env.excepts(f.rule, r) {
					continue
				}
				for _, path := range places(r, f) {
					worse, changed := env.mutated(r, path, f.bad)
					if !changed {
						continue
					}
					tried[i]++
					found, _ := guardrails.Check(worse, env.exceptions)
					require.True(t, slices.ContainsFunc(found, func(v guardrails.Violation) bool {
						return slices.Contains(strings.Fields(f.rule), v.Rule.ID) && v.Resource.URN == r.URN && related(v.Property, path)
					}), "%s: %s %q: mutation %d, %s for %s, is not noticed; what is:\n%v", name, r.Type, r.Name, i, path, f.rule, found)
				}
			}
		}
	}
	all := 0
	for i, f := range table {
		require.Positive(t, tried[i], "%s: no environment has %s of a %s to change", f.rule, f.path, f.typ)
		all += tried[i]
	}
	t.Logf("%d kinds of changes, %d single changes noticed", len(table), all)
	require.GreaterOrEqual(t, len(table), leastMutations)
}

// What is missing is noticed where it is missed.
func TestGuardrailsNoticeEveryRemoval(t *testing.T) {
	lost := map[string]bool{}
	for _, env := range environments(t) {
		for _, removal := range removals {
			for _, gone := range env.graph.Resources {
				typ, metric, _ := strings.Cut(removal.typ, " ") // of alarms: the one on this metric
				if gone.Type != typ || metric != "" && !strings.Contains(fmt.Sprint(gone.Properties), metric) {
					continue
				}
				lost[removal.rule+removal.typ] = true
				rest := &guardrails.Graph{Resources: slices.DeleteFunc(slices.Clone(env.graph.Resources), func(r *guardrails.Resource) bool { return r == gone })}
				if removal.rule == "CloudWatch.15" { // an alarm's actions go with the topic that they name
					rest = withoutActions(rest)
				}
				found, _ := guardrails.Check(rest, env.exceptions)
				require.True(t, slices.ContainsFunc(found, func(v guardrails.Violation) bool { return v.Rule.ID == removal.rule }),
					"the removal of %s %q is not noticed by %s", gone.Type, gone.Name, removal.rule)
			}
		}
	}
	for _, removal := range removals {
		require.True(t, lost[removal.rule+removal.typ], "no environment has a %s to lose", removal.typ)
	}
}

// A listener that does not wait for the web ACL lets visitors in before it.
func TestGuardrailsNoticeAListenerBeforeTheWebACL(t *testing.T) {
	tried := 0
	for name, env := range environments(t) {
		for _, link := range env.graph.Resources {
			if link.Type != "aws:wafv2/webAclAssociation:WebAclAssociation" {
				continue
			}
			rest := &guardrails.Graph{}
			for _, r := range env.graph.Resources {
				early := *r
				if r.Type == listenerType && !strings.Contains(fmt.Sprint(r.Properties["defaultActions"]), "redirect") {
					early.Dependencies = slices.DeleteFunc(slices.Clone(r.Dependencies), func(urn string) bool { return urn == link.URN })
					require.Less(t, len(early.Dependencies), len(r.Dependencies), "%s: %s", name, r.Name)
					tried++
				}
				rest.Resources = append(rest.Resources, &early)
			}
			found, _ := guardrails.Check(rest, env.exceptions)
			require.True(t, slices.ContainsFunc(found, func(v guardrails.Violation) bool { return v.Rule.ID == "TWIP-WAF-2" }), name)
		}
	}
	require.Positive(t, tried)
}

// What nobody has declared yet is refused when somebody does.
func TestGuardrailsNoticeEveryAddition(t *testing.T) {
	for _, addition := range additions {
		t.Run(addition.rule+" "+addition.typ, func(t *testing.T) {
			subnet := &guardrails.Resource{URN: "urn:subnet", Type: subnetType, Name: "subnet", Custom: true, Provider: "aws",
				Properties: resource.PropertyMap{"mapPublicIpOnLaunch": resource.NewBoolProperty(true)}}
			added := &guardrails.Resource{URN: "urn:new", Type: addition.typ, Name: "new", Custom: true, Dependencies: []string{subnet.URN},
				Properties: resource.NewPropertyMapFromMap(addition.inputs)}
			found, _ := guardrails.Check(&guardrails.Graph{Resources: []*guardrails.Resource{subnet, added}}, nil)
			require.True(t, slices.ContainsFunc(found, func(v guardrails.Violation) bool {
				return v.Rule.ID == addition.rule && v.Resource == added
			}), "it is not noticed; what is:\n%v", found)
		})
	}
}

// A rule that no change for the worse breaks may as well not be there.
func TestEveryGuardrailIsTried(t *testing.T) {
	tried := map[string]bool{"TWIP-WAF-2": true} // TestGuardrailsNoticeAListenerBeforeTheWebACL
	for _, f := range slices.Concat(mutations, documentMutations, storeMutations) {
		for _, rule := range strings.Fields(f.rule) {
			tried[rule] = true
		}
	}
	for _, removal := range removals {
		tried[removal.rule] = true
	}
	for _, addition := range additions {
		tried[addition.rule] = true
	}
	for _, rule := range guardrails.Rules() {
		require.True(t, tried[rule.ID], "%s has no mutation, removal or addition: add one to guardrails_mutations_test.go", rule.ID)
	}
}

// environment is one that keeps the rules.
type environment struct {
	graph      *guardrails.Graph
	exceptions []guardrails.Exception
}

func environments(t *testing.T) map[string]environment {
	t.Helper()
	if made != nil {
		return made
	}
	all := map[string]environment{}
	for name, run := range map[string]struct {
		stack  string
		config map[string]string
	}{
		"train":          {"train", Fixture(t, "train", open)},
		"prod":           {"prod", prodConfig(t, named)},
		"prod, limited":  {"prod", prodConfig(t)},
		"prod, promoted": {"prod", prodConfig(t, released)},
		"prod, public":   {"prod", prodConfig(t, prodShapes["public"]...)},
	} {
		guard, _ := guarded(t, run.stack, run.config)
		all[name] = environment{guard.Graph(), guard.Exceptions()}
	}
	made = all
	return all
}

// made keeps the environments for all tests; none of them changes what is in it.
var made map[string]environment

func (e environment) excepts(rule string, r *guardrails.Resource) bool {
	return slices.ContainsFunc(e.exceptions, func(x guardrails.Exception) bool { return x.Rule == rule && x.Type == r.Type && x.Name == r.Name })
}

// mutated is the part of the environment's graph around a resource of which one property is changed.
func (e environment) mutated(r *guardrails.Resource, path string, bad any) (*guardrails.Graph, bool) {
	at, err := resource.ParsePropertyPath(path)
	if err != nil {
		return nil, false
	}
	inputs := deep(resource.NewObjectProperty(r.Properties))
	before, there := at.Get(inputs)
	switch bad := bad.(type) {
	case taken:
		if path != providerOption && (!there || !at.Delete(inputs)) {
			return nil, false
		}
	case edit:
		if !there || !before.IsString() {
			return nil, false
		}
		after := bad.apply(before.StringValue())
		if after == before.StringValue() || !at.Set(inputs, resource.NewStringProperty(after)) {
			return nil, false
		}
	default:
		if after := resource.NewPropertyValue(bad); path != protectOption && (there && before.DeepEquals(after) || !at.Set(inputs, after)) {
			return nil, false
		}
	}
	worse := &guardrails.Resource{URN: r.URN, Type: r.Type, Name: r.Name, Custom: r.Custom, Provider: r.Provider, Protect: r.Protect,
		Dependencies: r.Dependencies, Properties: inputs.ObjectValue()}
	switch path {
	case protectOption:
		worse.Protect = false
	case providerOption:
		worse.Provider = ""
	}
	// The rules look at a resource and at what it is connected with; leaving out the rest keeps hundreds of mutations quick.
	part := &guardrails.Graph{Resources: []*guardrails.Resource{worse}}
	for _, other := range e.graph.Resources {
		if other != r && (slices.Contains(other.Dependencies, r.URN) || slices.Contains(r.Dependencies, other.URN)) {
			part.Resources = append(part.Resources, other)
		}
	}
	return part, true
}

// apply edits a text, or the text that is in it by base64, as in a launch template, or the one that is packed in that.
func (e edit) apply(text string) string {
	if decoded, err := base64.StdEncoding.DecodeString(text); err == nil {
		plain := unpacked(string(decoded))
		after := e(plain)
		if after == plain {
			return text
		}
		return base64.StdEncoding.EncodeToString([]byte(after))
	}
	return e(text)
}

// unpacked is user data with the contents of its files in plain text: cloud-init takes both.
func unpacked(text string) string {
	if !strings.Contains(text, "encoding: gz+b64") {
		return text
	}
	var config map[string]any
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		panic(err)
	}
	for _, f := range config["write_files"].([]any) {
		file := f.(map[string]any)
		if file["encoding"] == nil {
			continue
		}
		r, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(file["content"].(string))))
		if err != nil {
			panic(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			panic(err)
		}
		delete(file, "encoding")
		file["content"] = string(content)
	}
	var out strings.Builder
	out.WriteString("#cloud-config\n")
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(config); err != nil {
		panic(err)
	}
	return out.String()
}

// inDocuments makes mutations of user data for each type that has some.
func inDocuments(texts []mutation, types ...string) (all []mutation) {
	for _, typ := range types {
		for _, f := range texts {
			f.typ = typ
			all = append(all, f)
		}
	}
	return all
}

// places are the paths of a resource that a mutation's path leads to; a list stands for each of its elements.
func places(r *guardrails.Resource, f mutation) []string {
	before, after, list := strings.Cut(f.path, "[]")
	if f.typ == anyTagged {
		if tags, ok := r.Properties["tags"]; !ok || !tags.IsObject() {
			return nil
		}
	}
	if !list {
		return []string{f.path}
	}
	items, ok := r.Properties[resource.PropertyKey(before)]
	if !ok {
		return nil
	}
	for items.IsSecret() {
		items = items.SecretValue().Element
	}
	var all []string
	for i := range items.ArrayValue() {
		path := fmt.Sprintf("%s[%d]%s", before, i, after)
		if parsed, err := resource.ParsePropertyPath(path); err == nil {
			if _, there := parsed.Get(resource.NewObjectProperty(r.Properties)); there {
				all = append(all, path)
			}
		}
	}
	return all
}

// related says whether a violation points at the property that was changed, or at something in it.
func related(property, path string) bool {
	top := func(s string) string { return s[:strings.IndexAny(s+".", ".[")] }
	return slices.ContainsFunc(strings.Split(property, ", "), func(named string) bool { return top(named) == top(path) })
}

// deep copies a value with all that is in it.
func deep(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsSecret():
		return resource.MakeSecret(deep(v.SecretValue().Element))
	case v.IsArray():
		items := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, item := range v.ArrayValue() {
			items[i] = deep(item)
		}
		return resource.NewArrayProperty(items)
	case v.IsObject():
		object := resource.PropertyMap{}
		for key, item := range v.ObjectValue() {
			object[key] = deep(item)
		}
		return resource.NewObjectProperty(object)
	default:
		return v
	}
}

func withoutActions(g *guardrails.Graph) *guardrails.Graph {
	silent := &guardrails.Graph{}
	for _, r := range g.Resources {
		quiet := *r
		quiet.Properties = r.Properties.Copy()
		delete(quiet.Properties, "alarmActions")
		silent.Resources = append(silent.Resources, &quiet)
	}
	return silent
}
