package account

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

//go:embed aws-properties.json
var factsJSON []byte

//go:embed sdk-schema.json
var schemaJSON []byte

// facts are what the real provider does with a type's properties. Paths are written a.b, and a[].b through lists.
type facts struct {
	Required        []string            `json:"required"`
	ReplaceOnChange []string            `json:"replaceOnChange"`
	OutputOnly      []string            `json:"outputOnly"`
	ConflictsWith   map[string][]string `json:"conflictsWith"`
}

// properties maps a name to a type as schemagen writes it: "string", "[]ec2.InstanceEbsBlockDevice", "number!" …
type properties map[string]string

// resourceSchema is what the SDK says of a resource type.
type resourceSchema struct {
	Inputs  properties `json:"inputs"`
	Outputs []string   `json:"outputs"` // those that are not inputs too
}

type description struct {
	Versions  map[string]string         `json:"versions"`
	Resources map[string]resourceSchema `json:"resources"`
	Objects   map[string]properties     `json:"objects"`
	facts     map[string]facts
}

// known parses the two embedded files, once. They are the repository's own and tested, so a defect in them is a
// programming error and panics.
var known = sync.OnceValue(func() description {
	var d description
	if err := json.Unmarshal(schemaJSON, &d); err != nil {
		panic(fmt.Sprintf("sdk-schema.json: %v", err))
	}
	if err := json.Unmarshal(factsJSON, &d.facts); err != nil {
		panic(fmt.Sprintf("aws-properties.json: %v", err))
	}
	return d
})

// Types lists every resource type that the model can answer for, sorted.
func Types() []string { return slices.Sorted(maps.Keys(known().Resources)) }

// Known says whether the model can answer for a resource type.
func Known(typ string) bool {
	_, ok := known().Resources[typ]
	return ok
}

// Version is the version of a provider ("aws", "docker") that the description was read off.
func Version(pkg string) string { return known().Versions[pkg] }

// requires lists the properties that an object must have. The SDK tells for plain values; for lists, maps and
// interfaces only the provider's facts do. What the provider requires and the SDK leaves optional is filled in by the
// provider (a name).
func (d description) requires(typ, path string, p properties) []string {
	var out []string
	for name, t := range p {
		factual := slices.Contains(d.facts[typ].Required, join(path, name))
		undecided := strings.HasPrefix(t, "[]") || strings.HasPrefix(t, "{}") || t == "any"
		if strings.HasSuffix(t, "!") || factual && undecided {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
