package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/images"
)

// Release is what a stack runs without building it; no images: the stack builds.
type Release struct {
	Images map[images.Kind]string // digests
	Origin Origin
}

// releaseKeys are about images that exist already. Verbs write them; a person may as well.
var releaseKeys = []Key{
	{
		Name: "release", Default: map[string]any{}, Example: releaseExample,
		Description: "Digests of the images that this stack runs, none of which it builds; empty: it builds them. " +
			"commit and the artifacts' checksums may be beside them, for people. make promote and make rollback write it.",
		read: release(func(c *Config) *Release { return &c.Release }),
	},
	{
		Name: "releaseBefore", Default: map[string]any{}, Example: releaseExample,
		Description: "The release that make rollback goes back to, and whose images and stylesheets are served as well " +
			"where this one has none of that name. make promote and make rollback write it.",
		read: release(func(c *Config) *Release { return &c.ReleaseBefore }),
	},
	{
		Name: "built", Default: map[string]any{}, Example: "{0123456789abcdef: " + digestExample + "}",
		Description: "Digests of images that the registry holds already, by the hash of their content; they are used " +
			"instead of being built again. make up writes it.",
		read: built,
	},
}

const (
	digestExample  = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	releaseExample = "{app: " + digestExample + ", static: " + digestExample + "}"
)

var contentTagRE = regexp.MustCompile(`^[0-9a-f]{16}$`)

func release(field func(*Config) *Release) func(string, *Config) error {
	return func(raw string, c *Config) error {
		said := map[string]string{}
		if err := json.Unmarshal([]byte(raw), &said); err != nil {
			return errors.New("it is not {kind: sha256:digest}")
		}
		into := Release{Images: map[images.Kind]string{}, Origin: Origin{}}
		for name, value := range said {
			if isOrigin(name) {
				into.Origin[name] = value
			} else {
				into.Images[images.Kind(name)] = value
			}
		}
		*field(c) = into
		return errors.Join(digests(into.Images), into.Origin.check())
	}
}

func built(raw string, c *Config) error {
	c.Built = map[string]string{}
	if err := json.Unmarshal([]byte(raw), &c.Built); err != nil {
		return errors.New("it is not {hash of content: sha256:digest}")
	}
	problems := []error{digests(c.Built)}
	for _, tag := range sortedKeys(c.Built) {
		problems = append(problems, matches(contentTagRE,
			fmt.Sprintf("%q is not the hash of an image's content: 16 hexadecimal digits", tag))(tag))
	}
	return errors.Join(problems...)
}

// digests refuses a tag, which says nothing about what is in an image, in the place of a digest.
func digests[K ~string](byName map[K]string) error {
	var problems []error
	for _, name := range sortedKeys(byName) {
		if digest := byName[name]; !images.IsDigest(digest) {
			problems = append(problems, fmt.Errorf("%s is %q, not a digest: only sha256: and 64 hexadecimal digits say "+
				"what is in an image", name, digest))
		}
	}
	return errors.Join(problems...)
}

// kindsOf are the images that a topology runs.
func kindsOf(t Topology) []images.Kind {
	if t == MultiZone {
		return []images.Kind{images.Static, images.App} // the load balancer takes the proxy's place
	}
	return images.Kinds
}

// AnyRelease is a release of a topology that exists nowhere, in JSON: for whoever wants nothing to be built.
func AnyRelease(t Topology) string {
	digests := map[images.Kind]string{}
	for _, kind := range kindsOf(t) {
		digests[kind] = digestExample
	}
	text, err := json.Marshal(digests)
	if err != nil {
		panic(err) // it holds texts only
	}
	return string(text)
}

// whole refuses a release that leaves an image to be built: it would be half tested and half new.
func (r Release) whole(t Topology) error {
	if len(r.Images) == 0 {
		if len(r.Origin) > 0 {
			return errors.New("twip:release says what images were built from and names none: name them, or remove it to " +
				"build them")
		}
		return nil
	}
	var problems []error
	left := maps.Clone(r.Images)
	for _, kind := range kindsOf(t) {
		if left[kind] == "" {
			problems = append(problems, fmt.Errorf("twip:release names no %s: name every image of %s, or remove it "+
				"to build all of them", kind, t))
		}
		delete(left, kind)
	}
	for _, kind := range sortedKeys(left) {
		problems = append(problems, fmt.Errorf("twip:release names %s: %s runs no such image; remove it", kind, t))
	}
	return errors.Join(problems...)
}

func (r Release) output() pulumi.StringMap {
	values := r.Origin.output()
	for kind, digest := range r.Images {
		values[string(kind)] = pulumi.String(digest)
	}
	return values
}
