package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/images"
)

// Release is the digest of each image that a stack runs without building it; empty: the stack builds.
type Release map[images.Kind]string

// releaseKeys are about images that exist already. Verbs write them; a person may as well.
var releaseKeys = []Key{
	{
		Name: "release", Default: map[string]any{}, Example: releaseExample,
		Description: "Digests of the images that this stack runs, none of which it builds; empty: it builds them. " +
			"make promote and make rollback write it.",
		read: release(func(c *Config) *Release { return &c.Release }),
	},
	{
		Name: "releaseBefore", Default: map[string]any{}, Example: releaseExample,
		Description: "The release that make rollback goes back to. make promote and make rollback write it.",
		read:        release(func(c *Config) *Release { return &c.ReleaseBefore }),
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
		said := Release{}
		if err := json.Unmarshal([]byte(raw), &said); err != nil {
			return errors.New("it is not {kind: sha256:digest}")
		}
		*field(c) = said
		return digests(said)
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
	r := Release{}
	for _, kind := range kindsOf(t) {
		r[kind] = digestExample
	}
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // it holds texts only
	}
	return string(text)
}

// whole refuses a release that leaves an image to be built: it would be half tested and half new.
func (r Release) whole(t Topology) error {
	if len(r) == 0 {
		return nil
	}
	var problems []error
	left := Release{}
	for kind, digest := range r {
		left[kind] = digest
	}
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
	values := pulumi.StringMap{}
	for kind, digest := range r {
		values[string(kind)] = pulumi.String(digest)
	}
	return values
}
