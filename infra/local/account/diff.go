package account

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Difference is what separates two sets of inputs of one resource. Paths are written a.b and a[0].b.
type Difference struct {
	Changed []string // every property that differs, sorted
	Replace []string // those of them that the resource cannot change in place, sorted

	// DeleteFirst says that a replacement must wait until the old resource is gone: both would have the same physical
	// name.
	DeleteFirst bool
}

// furtherReplacements are what aws-properties.json does not have: it was read off types of the provider's older
// framework only.
var furtherReplacements = map[string][]string{
	// "security_group_id" has the RequiresReplace plan modifier in the provider's source.
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {"securityGroupId"},
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   {"securityGroupId"},
}

// freelyChanged are the inputs whose change changes nothing: the Docker provider does not build again for a new
// password (documented on docker.Registry), and ECR issues another one every time.
var freelyChanged = map[string][]string{
	"docker:index/image:Image": {"registry.password", "registry.username"},
}

// Diff compares two sets of inputs. A value that is not yet known differs from every value.
func (c Model) Diff(typ string, old, new resource.PropertyMap) Difference {
	f := known().facts[typ]
	d := differ{
		replace: slices.Concat(f.ReplaceOnChange, furtherReplacements[typ], replacedByRequest(new)),
		ignore:  freelyChanged[typ],
	}
	d.objects("", old, new)
	slices.Sort(d.out.Changed)
	slices.Sort(d.out.Replace)
	key := resource.PropertyKey(nameProperty(typ))
	name := plain(new[key])
	d.out.DeleteFirst = len(d.out.Replace) > 0 && name.IsString() && name.DeepEquals(plain(old[key]))
	return d.out
}

// replacedByRequest is what an instance's own property makes replace it: a changed user data otherwise stops and starts
// it.
func replacedByRequest(inputs resource.PropertyMap) []string {
	if v := plain(inputs["userDataReplaceOnChange"]); v.IsBool() && v.BoolValue() {
		return []string{"userData", "userDataBase64"}
	}
	return nil
}

type differ struct {
	replace, ignore []string
	out             Difference
}

// objects compares two objects, or two maps, property by property.
func (d *differ) objects(at string, old, new resource.PropertyMap) {
	keys := map[resource.PropertyKey]bool{}
	for k := range old {
		keys[k] = true
	}
	for k := range new {
		keys[k] = true
	}
	for k := range keys {
		if !strings.HasPrefix(string(k), "__") {
			d.values(join(at, string(k)), old[k], new[k])
		}
	}
}

func (d *differ) values(path string, old, new resource.PropertyValue) {
	if slices.Contains(d.ignore, path) {
		return
	}
	old, new = plain(old), plain(new)
	switch {
	case unknown(new):
		d.changed(path, old)
	case old.IsObject() && new.IsObject():
		d.objects(path, old.ObjectValue(), new.ObjectValue())
	case old.IsArray() && new.IsArray():
		d.arrays(path, old.ArrayValue(), new.ArrayValue())
	case !old.DeepEquals(new):
		d.changed(path, old, new)
	}
}

func (d *differ) arrays(path string, old, new []resource.PropertyValue) {
	for i := range max(len(old), len(new)) {
		var a, b resource.PropertyValue
		if i < len(old) {
			a = old[i]
		}
		if i < len(new) {
			b = new[i]
		}
		d.values(fmt.Sprintf("%s[%d]", path, i), a, b)
	}
}

// changed records a path. Values are what was or will be there: when an object comes or goes, what is inside it does
// too.
func (d *differ) changed(path string, values ...resource.PropertyValue) {
	d.out.Changed = append(d.out.Changed, path)
	if d.forces(general(path), values) {
		d.out.Replace = append(d.out.Replace, path)
	}
}

func (d *differ) forces(path string, values []resource.PropertyValue) bool {
	if slices.Contains(d.replace, path) || slices.Contains(d.replace, strings.TrimSuffix(path, "[]")) {
		return true
	}
	for _, v := range values {
		if d.contains(path, plain(v)) {
			return true
		}
	}
	return false
}

// contains says whether something below path, in v, cannot be changed in place.
func (d *differ) contains(path string, v resource.PropertyValue) bool {
	switch {
	case v.IsArray():
		for _, e := range v.ArrayValue() {
			if d.contains(path+"[]", plain(e)) {
				return true
			}
		}
	case v.IsObject():
		for k, e := range v.ObjectValue() {
			if d.contains(join(path, string(k)), plain(e)) {
				return true
			}
		}
	}
	return !v.IsNull() && slices.Contains(d.replace, path)
}

var index = regexp.MustCompile(`\[\d+\]`)

// general is a path with its indices taken out, as the facts write it.
func general(path string) string { return index.ReplaceAllString(path, "[]") }
