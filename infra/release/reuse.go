package release

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

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
