package guardrails

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Resource is one resource as the program declares it, the same in the engine and in tests.
type Resource struct {
	URN, Type, Name string
	Custom          bool                 // it belongs to a provider; components do not
	Protect         bool                 // Pulumi refuses to delete it
	Provider        string               // URN of its provider; empty: it would get a default one
	Dependencies    []string             // URNs of all that it waits for or uses
	Properties      resource.PropertyMap // its inputs

	userData *document // what was read last; several rules look at it
}

// Graph is all resources of a program, in the order of their URNs.
type Graph struct{ Resources []*Resource }

func (g *Graph) sort() {
	slices.SortFunc(g.Resources, func(a, b *Resource) int { return strings.Compare(a.URN, b.URN) })
}

// uses says whether one resource refers to another.
func (r *Resource) uses(other *Resource) bool { return slices.Contains(r.Dependencies, other.URN) }

// users returns the resources of a type that refer to r.
func (g *Graph) users(r *Resource, typ string) (found []*Resource) {
	for _, other := range g.Resources {
		if other.Type == typ && other.uses(r) {
			found = append(found, other)
		}
	}
	return found
}

// used returns the resources of a type that r refers to.
func (g *Graph) used(r *Resource, typ string) (found []*Resource) {
	for _, other := range g.Resources {
		if other.Type == typ && r.uses(other) {
			found = append(found, other)
		}
	}
	return found
}

// value is a property at a place, or the lack of one.
type value struct {
	path  string // "rules[0].lifecycle.deleteAfter"
	v     resource.PropertyValue
	state state
}

type state int

const (
	absent  state = iota // not set, or set to nothing
	unknown              // only a deployment knows it
	known
)

// each returns the values at a path such as "rules[].lifecycle.deleteAfter": one for every element of a list. What is
// behind something that is unknown is unknown too; what is behind something absent, an empty list included, is absent.
func (r *Resource) each(path string) []value {
	found := []value{{"", resource.NewObjectProperty(r.Properties), known}}
	for _, step := range strings.Split(path, ".") {
		key, list := strings.CutSuffix(step, "[]")
		var next []value
		for _, at := range found {
			at = at.child(key)
			if list {
				next = append(next, at.elements()...)
			} else {
				next = append(next, at)
			}
		}
		found = next
	}
	return found
}

// at returns the one value at a path without lists.
func (r *Resource) at(path string) value { return r.each(path)[0] }

func (v value) child(key string) value {
	path := strings.TrimPrefix(v.path+"."+key, ".")
	if v.state != known {
		return value{path, v.v, v.state}
	}
	if !v.v.IsObject() {
		return value{path, resource.PropertyValue{}, absent}
	}
	return seen(path, v.v.ObjectValue()[resource.PropertyKey(key)])
}

func (v value) elements() []value {
	if v.state != known {
		return []value{{v.path + "[]", v.v, v.state}}
	}
	if !v.v.IsArray() || len(v.v.ArrayValue()) == 0 {
		return []value{{v.path + "[]", resource.PropertyValue{}, absent}}
	}
	var all []value
	for i, item := range v.v.ArrayValue() {
		all = append(all, seen(fmt.Sprintf("%s[%d]", v.path, i), item))
	}
	return all
}

// seen takes away the marks of secrets and outputs.
func seen(path string, v resource.PropertyValue) value {
	for {
		switch {
		case v.IsSecret():
			v = v.SecretValue().Element
		case v.IsOutput() && v.OutputValue().Known:
			v = v.OutputValue().Element
		case v.IsComputed() || v.IsOutput():
			return value{path, v, unknown}
		case v.IsNull():
			return value{path, v, absent}
		default:
			return value{path, v, known}
		}
	}
}

// text is the value as a person writes it: true, 30, required. Providers take some of them in either spelling.
func (v value) text() string {
	switch {
	case v.state != known:
		return ""
	case v.v.IsString():
		return v.v.StringValue()
	case v.v.IsBool(), v.v.IsNumber():
		return fmt.Sprint(v.v.V)
	default:
		return fmt.Sprint(v.v.Mappable())
	}
}

// shown is the value in a message; long texts are cut.
func (v value) shown() string {
	const most = 120
	switch {
	case v.state == absent:
		return "not set"
	case v.state == unknown:
		return "not known yet"
	case v.v.ContainsSecrets():
		return "a secret"
	}
	text := v.text()
	if v.v.IsString() {
		text = fmt.Sprintf("%q", text)
	}
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}

// size is how many elements a list or a map has, or how long a text is.
func (v value) size() int {
	switch {
	case v.state != known:
		return 0
	case v.v.IsArray():
		return len(v.v.ArrayValue())
	case v.v.IsObject():
		return len(v.v.ObjectValue())
	default:
		return len(v.text())
	}
}
