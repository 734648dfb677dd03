package guardrails

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// is asks for one value, wherever the path leads.
func is(path, want string) check {
	return text(path, func(got string) bool { return got == want }, "set it to "+want)
}

// oneOf asks for one of several values.
func oneOf(path string, wants ...string) check {
	return text(path, func(got string) bool { return slices.Contains(wants, got) },
		"use one of "+strings.Join(wants, ", "))
}

// isNot asks for any other value; not to set it is fine.
func isNot(path, bad, wayOut string) check {
	return every(path, func(v value) bool { return v.state != known || v.text() != bad }, wayOut)
}

// none asks for a property not to be set.
func none(path, wayOut string) check {
	return every(path, func(v value) bool { return v.state != known || v.size() == 0 }, wayOut)
}

// some asks for a property to be set, to something.
func some(path, wayOut string) check {
	return every(path, func(v value) bool { return v.state == unknown || v.size() > 0 }, wayOut)
}

// items asks for a list of at least so many.
func items(path string, least int, wayOut string) check {
	return every(path, func(v value) bool {
		return v.state == unknown || v.state == known && v.v.IsArray() && v.size() >= least
	}, wayOut)
}

// number asks for a number from least to most.
func number(path string, least, most float64) check {
	return text(path, func(got string) bool {
		n, err := strconv.ParseFloat(got, 64)
		return err == nil && n >= least && n <= most
	}, fmt.Sprintf("use %g to %g", least, most))
}

// text asks for a value whose text is good.
func text(path string, good func(string) bool, wayOut string) check {
	return every(path, func(v value) bool { return v.state == unknown || v.state == known && good(v.text()) }, wayOut)
}

// every asks for all values at a path to be good.
func every(path string, good func(value) bool, wayOut string) check {
	return func(r *Resource, _ *Graph) (found []finding) {
		for _, v := range r.each(path) {
			if !good(v) {
				found = append(found, finding{v, wayOut})
			}
		}
		return found
	}
}

// all asks for several things.
func all(checks ...check) check {
	return func(r *Resource, g *Graph) (found []finding) {
		for _, c := range checks {
			found = append(found, c(r, g)...)
		}
		return found
	}
}

// where asks only for resources that have one of these values at a path.
func where(path string, then check, wants ...string) check {
	return func(r *Resource, g *Graph) []finding {
		if v := r.at(path); v.state == known && slices.Contains(wants, v.text()) {
			return then(r, g)
		}
		return nil
	}
}

// of asks each type of a rule for what concerns it.
func of(byType map[string]check) check {
	return func(r *Resource, g *Graph) []finding {
		if c := byType[r.Type]; c != nil {
			return c(r, g)
		}
		return nil
	}
}

// companion asks for another resource of a type that refers to this one and has nothing set to something else than it
// should be. property is where a person looks for what is missing.
func companion(typ, property, wayOut string, good ...check) check {
	return func(r *Resource, g *Graph) []finding {
		for _, other := range g.users(r, typ) {
			if len(all(good...)(other, g)) == 0 {
				return nil
			}
		}
		return []finding{{value{path: property}, wayOut}}
	}
}

// never refuses the resource as such.
func never(property, wayOut string) check {
	return func(r *Resource, _ *Graph) []finding { return []finding{{r.at(property), wayOut}} }
}
