package account

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Failure is one reason why a resource's inputs are refused.
type Failure struct {
	Property string // path of the property, "" when the whole resource is refused
	Reason   string // what is wrong and what to do about it
}

func (f Failure) Error() string {
	if f.Property == "" {
		return f.Reason
	}
	return fmt.Sprintf("property %q: %s", f.Property, f.Reason)
}

// Check lists everything that the real provider would refuse in a resource's inputs, in the order of the properties'
// names. Unknown values count as given, and are of any type.
func (c Model) Check(typ string, inputs resource.PropertyMap) []Failure {
	d := known()
	r, ok := d.Resources[typ]
	if !ok {
		return []Failure{
			{Reason: fmt.Sprintf("resource type %q is not described in the account model: add an entry to "+
				"infra/local/account/aws-properties.json ({} if nothing is special), run go generate "+
				"./infra/local/account, "+
				"and give it a line in infra/local/account/kinds.go", typ)},
		}
	}
	k := checker{d: d, typ: typ}
	k.object("", r.Inputs, r.Outputs, inputs)
	k.conflicts(inputs)
	return k.failures
}

type checker struct {
	d        description
	typ      string
	failures []Failure
}

func (k *checker) fail(path, format string, args ...any) {
	k.failures = append(k.failures, Failure{path, fmt.Sprintf(format, args...)})
}

// object checks a resource's inputs, or an object nested in them. At is its path as a person writes it (a[0].b).
func (k *checker) object(at string, p properties, outputs []string, m resource.PropertyMap) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		path, typ := join(at, string(name)), p[string(name)]
		switch {
		case strings.HasPrefix(string(name), "__"):
			// The engine's own, such as __defaults.
		case slices.Contains(outputs, string(name)):
			k.fail(path, "%s sets it itself, it is an output only: remove it from the inputs", k.typ)
		case typ == "":
			k.fail(path, "%s has no such property; it has %s", k.typ, strings.Join(slices.Sorted(maps.Keys(p)), ", "))
		default:
			k.value(path, strings.TrimSuffix(typ, "!"), m[name])
		}
	}
	for _, name := range k.d.requires(k.typ, general(at), p) {
		if v, ok := m[resource.PropertyKey(name)]; !ok || plain(v).IsNull() {
			k.fail(join(at, name), "%s requires it: give it a value", k.typ)
		}
	}
}

func (k *checker) value(path, typ string, v resource.PropertyValue) {
	v = plain(v)
	if v.IsNull() || unknown(v) || typ == "any" {
		return
	}
	var ok bool
	switch {
	case typ == "string":
		ok = v.IsString() || v.IsAsset() || v.IsArchive()
	case typ == "number":
		ok = v.IsNumber()
	case typ == "bool":
		ok = v.IsBool()
	case strings.HasPrefix(typ, "[]"):
		if ok = v.IsArray(); ok {
			for i, e := range v.ArrayValue() {
				k.value(fmt.Sprintf("%s[%d]", path, i), typ[2:], e)
			}
		}
	case strings.HasPrefix(typ, "{}"):
		if ok = v.IsObject(); ok {
			m := v.ObjectValue()
			for _, key := range slices.Sorted(maps.Keys(m)) {
				k.value(join(path, string(key)), typ[2:], m[key])
			}
		}
	default:
		if ok = v.IsObject(); ok {
			k.object(path, k.d.Objects[typ], nil, v.ObjectValue())
		}
	}
	if !ok {
		k.fail(path, "%s wants a value of type %s here, got %s", k.typ, typ, v.TypeString())
	}
}

// conflicts refuses properties that exclude each other, naming each pair once.
func (k *checker) conflicts(inputs resource.PropertyMap) {
	rules := k.d.facts[k.typ].ConflictsWith
	reported := map[string]bool{}
	for _, a := range slices.Sorted(maps.Keys(rules)) {
		for _, b := range rules[a] {
			if reported[b+" "+a] || !given(inputs, a) || !given(inputs, b) {
				continue
			}
			reported[a+" "+b] = true
			k.fail(a, "%s takes either it or %q, not both: remove one", k.typ, b)
		}
	}
}

// given says whether a path such as "cpuOptions.0.coreCount" leads to a value. The index is there because the provider
// thinks of a nested object as a list of one.
func given(m resource.PropertyMap, path string) bool {
	v := resource.NewObjectProperty(m)
	for _, part := range strings.Split(path, ".") {
		v = plain(v)
		switch {
		case part == "0" && !v.IsArray():
		case part == "0" && len(v.ArrayValue()) > 0:
			v = v.ArrayValue()[0]
		case v.IsObject():
			v = v.ObjectValue()[resource.PropertyKey(part)]
		default:
			return false
		}
	}
	return !plain(v).IsNull()
}

// plain takes a value out of what marks it as a secret or as an output with dependencies.
func plain(v resource.PropertyValue) resource.PropertyValue {
	for {
		switch {
		case v.IsSecret():
			v = v.SecretValue().Element
		case v.IsOutput() && v.OutputValue().Known:
			v = v.OutputValue().Element
		default:
			return v
		}
	}
}

// unknown says whether a value is not known before the deployment.
func unknown(v resource.PropertyValue) bool { return v.IsComputed() || v.IsOutput() }
