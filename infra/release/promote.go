package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"twip/infra/images"
)

// Digests are those of a release's images by kind, and what they were built from by its name: the commit, and checksums
// of artifacts.
type Digests map[string]string

// Parse reads digests as a stack's configuration hands them over, in JSON; "" is none.
func Parse(text string) (Digests, error) {
	digests := Digests{}
	if text == "" {
		return digests, nil
	}
	if err := json.Unmarshal([]byte(text), &digests); err != nil {
		return nil, fmt.Errorf("%s is not {name: sha256:digest}: correct it in the stack's file", text)
	}
	return digests, nil
}

// Find answers the repository of a URL, with the right to use it.
type Find func(ctx context.Context, url string) (Repository, error)

// Stack is what a release is taken from, or brought to.
type Stack struct {
	Name         string
	Running      Digests           // what it runs, and of what it was built, as its latest good update left it
	Repositories map[string]string // URLs, by kind
	Find         Find
}

// StackOf reads a stack out of its outputs.
func StackOf(name string, outputs map[string]any, find Find) (Stack, error) {
	s := Stack{Name: name, Running: Digests{}, Repositories: map[string]string{}, Find: find}
	origin, _ := outputs["origin"].(map[string]any)
	for name, value := range origin {
		s.Running[name], _ = value.(string)
	}
	images, _ := outputs["images"].(map[string]any)
	for kind, image := range images {
		text, _ := image.(string)
		if _, digest, ok := strings.Cut(text, "@"); ok {
			s.Running[kind] = digest
		}
	}
	repositories, _ := outputs["repositories"].(map[string]any)
	for kind, url := range repositories {
		s.Repositories[kind], _ = url.(string)
	}
	if len(images) == 0 || len(s.Repositories) == 0 {
		return s, fmt.Errorf("stack %q: outputs \"images\" and \"repositories\" are missing: bring it up once, which makes "+
			"the places of its images: make up STACK=%[1]s", name)
	}
	return s, nil
}

// Runs says whether a stack that runs these images would run the same ones.
func (s Stack) Runs(release Digests) bool {
	for kind := range s.Repositories {
		if s.Running[kind] != release[kind] {
			return false
		}
	}
	return true
}

// Promote copies what from runs to where to looks for its images, and answers the release to name there. Nothing runs
// anything else because of it.
func Promote(ctx context.Context, from, to Stack, out io.Writer) (Digests, error) {
	release := Digests{}
	var problems []error
	for _, kind := range slices.Sorted(maps.Keys(to.Repositories)) {
		digest := from.Running[kind]
		if !images.IsDigest(digest) {
			problems = append(problems, fmt.Errorf("stack %q runs no image %q, which stack %q needs: promote from a stack "+
				"that runs all of its images", from.Name, kind, to.Name))
			continue
		}
		release[kind] = digest
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	for _, kind := range slices.Sorted(maps.Keys(release)) {
		source, err := from.Find(ctx, from.Repositories[kind])
		if err != nil {
			return nil, err
		}
		target, err := to.Find(ctx, to.Repositories[kind])
		if err != nil {
			return nil, err
		}
		copied, err := source.Copy(ctx, release[kind], target)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "%s: %s\n", kind, map[bool]string{
			true: "copied to " + target.String(), false: "is in " + target.String() + " already"}[copied])
	}
	for name, value := range from.Running {
		if _, isImage := from.Repositories[name]; !isImage {
			release[name] = value
		}
	}
	return release, nil
}

// Present refuses a release of which the stack's registry does not have every image.
func Present(ctx context.Context, s Stack, release Digests) error {
	var problems []error
	for _, kind := range slices.Sorted(maps.Keys(s.Repositories)) {
		repository, err := s.Find(ctx, s.Repositories[kind])
		if err != nil {
			return err
		}
		if release[kind] == "" {
			continue // the program refuses a release that names not all images
		}
		found, err := repository.Digest(ctx, release[kind])
		if err == nil && found == "" {
			err = fmt.Errorf("%s has no %s any more: promote a release that exists", repository, release[kind])
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// Difference writes what a stack would run instead of what it runs, a line for each image.
func Difference(running, release Digests) string {
	var lines strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(release)) {
		before, after := short(running[kind]), short(release[kind])
		if before == after {
			fmt.Fprintf(&lines, "  %s: %s, as it runs\n", kind, after)
			continue
		}
		fmt.Fprintf(&lines, "  %s: %s -> %s\n", kind, before, after)
	}
	return lines.String()
}

func short(digest string) string {
	if digest == "" {
		return "nothing"
	}
	return digest[:min(len("sha256:")+12, len(digest))]
}
