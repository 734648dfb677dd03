package fake

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// policyDocument renders statements as the real data source does: one value is a string, several are a list.
func policyDocument(_ Cloud, args resource.PropertyMap) (map[string]any, error) {
	statements := []any{}
	if v := at(args, "statements"); v.IsArray() {
		for i, s := range v.ArrayValue() {
			if s = plain(s); !s.IsObject() {
				return nil, fmt.Errorf("statements[%d]: wants an object, got %s", i, s.TypeString())
			}
			statements = append(statements, statement(s.ObjectValue()))
		}
	}
	version := text(at(args, "version"))
	if version == "" {
		version = "2012-10-17"
	}
	b, err := json.MarshalIndent(struct {
		Version   string
		Id        string `json:",omitempty"`
		Statement []any
	}{version, text(at(args, "policyId")), statements}, "", "  ")
	if err != nil {
		return nil, err
	}
	compact, err := json.Marshal(json.RawMessage(b))
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": fmt.Sprint(len(b)), "json": string(b), "minifiedJson": string(compact)}, nil
}

func statement(s resource.PropertyMap) map[string]any {
	out := map[string]any{"Effect": "Allow"}
	if e := text(at(s, "effect")); e != "" {
		out["Effect"] = e
	}
	if sid := text(at(s, "sid")); sid != "" {
		out["Sid"] = sid
	}
	for from, to := range map[string]string{"actions": "Action", "notActions": "NotAction", "resources": "Resource", "notResources": "NotResource"} {
		if v := oneOrMany(texts(at(s, from))); v != nil {
			out[to] = v
		}
	}
	for from, to := range map[string]string{"principals": "Principal", "notPrincipals": "NotPrincipal"} {
		if p := principals(at(s, from)); p != nil {
			out[to] = p
		}
	}
	if v := at(s, "conditions"); v.IsArray() {
		tests := map[string]map[string]any{}
		for _, c := range v.ArrayValue() {
			if c = plain(c); !c.IsObject() {
				continue
			}
			m := c.ObjectValue()
			test := text(at(m, "test"))
			if tests[test] == nil {
				tests[test] = map[string]any{}
			}
			tests[test][text(at(m, "variable"))] = oneOrMany(texts(at(m, "values")))
		}
		out["Condition"] = tests
	}
	return out
}

func principals(v resource.PropertyValue) any {
	if !v.IsArray() || len(v.ArrayValue()) == 0 {
		return nil
	}
	byType := map[string][]string{}
	for _, p := range v.ArrayValue() {
		if p = plain(p); p.IsObject() {
			t := text(at(p.ObjectValue(), "type"))
			byType[t] = append(byType[t], texts(at(p.ObjectValue(), "identifiers"))...)
		}
	}
	if len(byType) == 1 && slices.Equal(byType["*"], []string{"*"}) {
		return "*"
	}
	out := map[string]any{}
	for _, t := range slices.Sorted(maps.Keys(byType)) {
		out[t] = oneOrMany(byType[t])
	}
	return out
}

func texts(v resource.PropertyValue) []string {
	var out []string
	if v.IsArray() {
		for _, e := range v.ArrayValue() {
			out = append(out, text(plain(e)))
		}
	}
	return out
}

func oneOrMany(values []string) any {
	switch len(values) {
	case 0:
		return nil
	case 1:
		return values[0]
	}
	sorted := slices.Sorted(slices.Values(values))
	slices.Reverse(sorted) // the provider's own order
	return sorted
}
