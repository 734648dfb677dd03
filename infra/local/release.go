package local

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"twip/infra/local/engine"
	"twip/infra/release"
	"twip/stacks"
)

// Find answers a repository of this cloud's registry, which asks nobody on this computer for a password.
func (c *Cloud) Find(ctx context.Context, url string) (release.Repository, error) {
	here, err := c.Computer.RegistryAddress(ctx)
	if err != nil {
		return release.Repository{}, err
	}
	return release.NewRepository(here+"/"+strings.TrimPrefix(url, c.Computer.RegistryHost()+"/"), release.Login{})
}

// Configure chooses digests for this stack on this computer; see Set.
func (c *Cloud) Configure(_ context.Context, values map[string]release.Digests) error {
	for key, digests := range values {
		if err := c.Set(key, digests); err != nil {
			return err
		}
	}
	return nil
}

// Config is the stack's configuration on this computer by full key, as the engine would hand it over: texts as they
// are, all else as JSON. Encrypted values are left out.
func (c *Cloud) Config(context.Context) (map[string]string, error) {
	file, err := c.stackFile()
	if err != nil {
		return nil, err
	}
	chosen, err := c.config()
	if err != nil {
		return nil, err
	}
	maps.Copy(file, chosen)
	return texts(file)
}

// FileConfig is Config without what differs on this computer.
func (c *Cloud) FileConfig() (map[string]string, error) {
	file, err := c.stackFile()
	if err != nil {
		return nil, err
	}
	return texts(file)
}

func texts(config map[string]any) (map[string]string, error) {
	values := map[string]string{}
	for key, value := range config {
		if said, ok := value.(map[string]any); ok && said["secure"] != nil {
			continue
		}
		if text, ok := value.(string); ok {
			values[key] = text
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("configuration: %s: %w", key, err)
		}
		values[key] = string(text)
	}
	return values, nil
}

func (c *Cloud) stackFile() (map[string]any, error) {
	name := "Pulumi." + c.options.Stack + ".yaml"
	text, err := os.ReadFile(filepath.Join(c.options.StackFiles, name))
	if err != nil {
		return nil, fmt.Errorf("stack %q: %w: make the file, or choose another stack with STACK=", c.options.Stack, err)
	}
	file := struct{ Config map[string]any }{map[string]any{}}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return file.Config, nil
}

// reuse finds the images that the registry has, so that going back to older content does not push a tag that is there.
func (c *Cloud) reuse(ctx context.Context) error {
	values, err := c.Config(ctx)
	if err != nil {
		return err
	}
	tags, err := stacks.ContentTags(c.options.Checkout, c.options.Stack, values)
	if err != nil {
		return err
	}
	export := func(ctx context.Context) (state []byte, err error) {
		err = c.engine(nil, func(e *engine.Engine) (err error) {
			state, err = e.Export(ctx)
			return err
		})
		return state, err
	}
	built, err := release.Reuse(ctx, values, tags, export, c.Find, func(tag string) {
		c.say("the image of content " + tag + " is in the registry: it is used as it is")
	})
	if err != nil || built == nil {
		return err
	}
	return c.Set(release.BuiltKey, built)
}
