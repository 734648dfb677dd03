package account

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// WithDefaultTags adds a provider's default tags to a resource's own, which win. Types whose tags the provider does not
// manage (an autoscaling group's) stay as they are.
func WithDefaultTags(typ string, inputs resource.PropertyMap, tags map[string]string) resource.PropertyMap {
	r := known().Resources[typ]
	if len(tags) == 0 || r.Inputs["tags"] != "{}string" || !slices.Contains(r.Outputs, "tagsAll") {
		return inputs
	}
	out := inputs.Copy()
	out["tags"] = merge(tags, inputs["tags"])
	return out
}

// merge puts a resource's own tags over others.
func merge(tags map[string]string, own resource.PropertyValue) resource.PropertyValue {
	if unknown(plain(own)) {
		return own
	}
	all := resource.PropertyMap{}
	for k, v := range tags {
		all[resource.PropertyKey(k)] = resource.NewStringProperty(v)
	}
	if o := plain(own); o.IsObject() {
		for k, v := range o.ObjectValue() {
			all[k] = v
		}
	}
	if own.IsSecret() {
		return resource.MakeSecret(resource.NewObjectProperty(all))
	}
	return resource.NewObjectProperty(all)
}
