package release

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// BuiltKey names, in a stack's configuration, the images that need not be built again.
const BuiltKey = "twip:built"

// Reuse answers what BuiltKey is to say, so that going back to older content does not push a tag that exists: what it
// says in values, and what Built finds, of which found is told. nil: nothing is to be changed. export answers what
// `pulumi stack export` prints.
func Reuse(
	ctx context.Context, values map[string]string, tags []string, export func(context.Context) ([]byte, error), find Find,
	found func(tag string),
) (Digests, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	state, err := export(ctx)
	if err != nil {
		return nil, err
	}
	existing, err := Built(ctx, state, tags, find)
	if err != nil || len(existing) == 0 {
		return nil, err
	}
	for tag := range existing {
		found(tag)
	}
	built, err := Parse(values[BuiltKey])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", BuiltKey, err)
	}
	maps.Copy(built, existing)
	return built, nil
}

// Built finds the images among tags, hashes of content, that a stack's registry holds and its state does not: the stack
// built them, and went on to others since. A build would push a tag that exists, which the registry refuses. state is
// what `pulumi stack export` prints.
func Built(ctx context.Context, state []byte, tags []string, find Find) (Digests, error) {
	var exported struct {
		Deployment struct {
			Resources []struct {
				Type            string
				Inputs, Outputs map[string]any
			}
		}
	}
	if err := json.Unmarshal(state, &exported); err != nil {
		return nil, fmt.Errorf("the stack's state cannot be read: %w: compare the version of pulumi with go.mod", err)
	}
	var repositories []string
	recorded := map[string]bool{}
	for _, r := range exported.Deployment.Resources {
		switch r.Type {
		case "aws:ecr/repository:Repository":
			if url, ok := r.Outputs["repositoryUrl"].(string); ok {
				repositories = append(repositories, url)
			}
		case "docker:index/image:Image":
			image, _ := r.Inputs["imageName"].(string)
			recorded[image[strings.LastIndex(image, ":")+1:]] = true
		}
	}
	found := Digests{}
	for _, url := range repositories {
		repository, err := find(ctx, url)
		if err != nil {
			return nil, err
		}
		for _, tag := range tags {
			if recorded[tag] {
				continue
			}
			digest, err := repository.Digest(ctx, tag)
			if err != nil {
				return nil, err
			}
			if digest != "" {
				found[tag] = digest
			}
		}
	}
	return found, nil
}
