package account

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Create answers with what a created resource is known by: its identifier, and its outputs, which are the inputs and
// what the provider computes. Name is the logical name; a physical name that the inputs lack is made of it, as the real
// provider does (the name and seven digits). Inputs that Check refuses are an error.
func (c Model) Create(typ, name string, inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
	if err := c.refusal(typ, name, inputs); err != nil {
		return "", nil, err
	}
	s := subject{cloud: c, typ: typ, name: name, inputs: inputs}
	return s.create()
}

// Preview answers as Create does before the resource exists: what is not given is unknown.
func (c Model) Preview(typ, name string, inputs resource.PropertyMap) (resource.PropertyMap, error) {
	_, out, err := c.Create(typ, name, inputs)
	if err != nil {
		return nil, err
	}
	for k := range out {
		if _, given := inputs[k]; !given {
			out[k] = resource.MakeComputed(resource.NewStringProperty(""))
		}
	}
	for _, k := range known().Resources[typ].Outputs {
		out[resource.PropertyKey(k)] = resource.MakeComputed(resource.NewStringProperty(""))
	}
	return out, nil
}

// Update answers with the outputs of a resource whose inputs were changed in place: computed ones stay, except those
// that count or digest the changes. In a preview these are unknown.
func (c Model) Update(
	typ, name string, oldInputs, oldOutputs, inputs resource.PropertyMap, preview bool,
) (resource.PropertyMap, error) {
	if err := c.refusal(typ, name, inputs); err != nil {
		return nil, err
	}
	_, fresh, err := subject{cloud: c, typ: typ, name: name, inputs: inputs}.create()
	if err != nil {
		return nil, err
	}
	out := inputs.Copy()
	for k, v := range oldOutputs {
		if _, given := inputs[k]; given {
			continue
		}
		if _, removed := oldInputs[k]; !removed {
			out[k] = v
		}
	}
	changed := map[resource.PropertyKey]resource.PropertyValue{}
	for _, k := range kinds[typ].bumped {
		key := resource.PropertyKey(k)
		if n := plain(oldOutputs[key]); n.IsNumber() && len(c.Diff(typ, oldInputs, inputs).Changed) > 0 {
			changed[key] = resource.NewNumberProperty(n.NumberValue() + 1)
		}
	}
	if typ == imageType && len(c.Diff(typ, oldInputs, inputs).Changed) > 0 {
		changed["repoDigest"], changed["baseImageName"] = fresh["repoDigest"], fresh["baseImageName"]
	}
	for k, v := range changed {
		if preview {
			v = resource.MakeComputed(v)
		}
		out[k] = v
	}
	for k, v := range fresh {
		if _, has := out[k]; !has || k == "tagsAll" {
			out[k] = v
		}
	}
	return out, nil
}

const imageType = "docker:index/image:Image"

func (c Model) refusal(typ, name string, inputs resource.PropertyMap) error {
	var errs []error
	for _, f := range c.Check(typ, inputs) {
		errs = append(errs, f)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s %q: %w", typ, name, err)
	}
	return nil
}

// subject is one resource while its outputs are being made up.
type subject struct {
	cloud     Model
	typ, name string
	inputs    resource.PropertyMap
	physical  string
	id        string
}

func (s subject) create() (string, resource.PropertyMap, error) {
	k, ok := kinds[s.typ]
	if !ok {
		return "", nil, fmt.Errorf("%s %q: the type has no line in the table of infra/local/account/kinds.go: add one",
			s.typ, s.name)
	}
	schema := known().Resources[s.typ]
	out := s.inputs.Copy()
	s.nameIt(schema, out)
	s.id = s.expand(k.id)
	set := func(name string, v resource.PropertyValue) {
		key := resource.PropertyKey(name)
		if _, given := out[key]; !given && !v.IsNull() {
			out[key] = v
		}
	}
	if k.arn != "" {
		set("arn", resource.NewStringProperty(s.expand(k.arn)))
	}
	for _, name := range slices.Sorted(maps.Keys(k.outputs)) {
		set(name, s.output(k.outputs[name]))
	}
	for _, name := range schema.Outputs {
		switch name {
		case "ownerId", "registryId", "owner", "owningAccount":
			set(name, resource.NewStringProperty(s.cloud.account()))
		case "region":
			set(name, resource.NewStringProperty(s.cloud.region()))
		case "tagsAll":
			set(name, merge(s.cloud.DefaultTags, s.inputs["tags"]))
		}
	}
	return s.id, out, nil
}

// nameIt settles the physical name: given, made of a given prefix, or made of the logical name.
func (s *subject) nameIt(schema resourceSchema, out resource.PropertyMap) {
	property := nameProperty(s.typ)
	typ, has := schema.Inputs[property]
	key := resource.PropertyKey(property)
	given := plain(s.inputs[key])
	prefix := plain(s.inputs[key+"Prefix"])
	switch {
	case !has || strings.HasSuffix(typ, "!"):
		s.physical = s.name
	case given.IsString():
		s.physical = given.StringValue()
	case unknown(given):
		s.physical = s.name
	case prefix.IsString():
		s.physical = prefix.StringValue() + s.digits(1, 26)
	default:
		s.physical = s.name + "-" + s.digits(1, 7)
	}
	if has && given.IsNull() && !strings.HasSuffix(typ, "!") {
		out[key] = resource.NewStringProperty(s.physical)
	}
	s.physical = strings.TrimPrefix(s.physical, "alias/") // a KMS alias' own prefix
}

func (s subject) output(v any) resource.PropertyValue {
	switch v := v.(type) {
	case func(subject) resource.PropertyValue:
		return v(s)
	case string:
		if text := s.expand(v); text != "" {
			return resource.NewStringProperty(text)
		}
		return resource.NewNullProperty()
	case []string:
		list := make([]resource.PropertyValue, len(v))
		for i, e := range v {
			list[i] = resource.NewStringProperty(s.expand(e))
		}
		return resource.NewArrayProperty(list)
	default:
		return resource.NewPropertyValue(v)
	}
}

// nameProperty is the property that holds a type's physical name, if it has one.
func nameProperty(typ string) string {
	if n := kinds[typ].named; n != "" {
		return n
	}
	return "name"
}
