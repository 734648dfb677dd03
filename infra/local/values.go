package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"twip/infra/local/computer"
	"twip/infra/release"
	"twip/stacks"
)

const baseImage = "twip:baseImage"

// config is what differs from the stack's file here, each for a reason: the endpoints answer for one region, this
// computer may see the statistics, and what is only on this computer may be destroyed.
func (c *Cloud) config() (map[string]any, error) {
	config := map[string]any{
		"aws:region":       computer.DefaultRegion,
		"twip:statsCidrs":  []string{"127.0.0.1/32"},
		"twip:protectData": false,
	}
	groups, err := c.hasGroups()
	if err != nil {
		return nil, err
	}
	if groups {
		config["twip:protectEdge"] = false
	}
	remembered, err := c.remembered()
	maps.Copy(config, remembered)
	return config, err
}

func (c *Cloud) memory() string { return filepath.Join(c.state, "local.json") }

// remembered are the values that earlier commands chose for this stack on this computer.
func (c *Cloud) remembered() (map[string]any, error) {
	values := map[string]any{}
	text, err := os.ReadFile(c.memory())
	if errors.Is(err, fs.ErrNotExist) {
		return values, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &values)
	}
	if err != nil {
		return nil, fmt.Errorf("local values of stack %q: %w: remove %s", c.options.Stack, err, c.memory())
	}
	return values, nil
}

// Set chooses a configuration value for this stack on this computer. It is remembered beside the stack's state, not
// written into the checkout.
func (c *Cloud) Set(key string, value any) error {
	values, err := c.remembered()
	if err != nil {
		return err
	}
	values[key] = value
	return c.remember(values)
}

func (c *Cloud) remember(values map[string]any) error {
	text, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.state, 0o700); err != nil {
		return err
	}
	return os.WriteFile(c.memory(), append(text, '\n'), 0o600)
}

// sayChosen tells of chosen values, since they win over the stack's file.
func (c *Cloud) sayChosen() error {
	chosen, err := c.remembered()
	if err != nil {
		return err
	}
	for _, found := range []string{baseImage, release.BuiltKey} { // not chosen
		delete(chosen, found)
	}
	for _, key := range slices.Sorted(maps.Keys(chosen)) {
		c.say(fmt.Sprintf(
			"%s is %v here, as an earlier command chose; to let Pulumi.%s.yaml decide again, remove it from %s", key,
			chosen[key], c.options.Stack, c.memory()))
	}
	return nil
}

// hasGroups says whether the stack's machines are in groups behind a load balancer.
func (c *Cloud) hasGroups() (bool, error) {
	file, err := c.stackFile()
	return file["twip:topology"] == string(stacks.MultiZone), err
}

// groupPorts are where a load balancer answers: beside the ports of a single host, so that both can be up.
func groupPorts() map[int]int { return map[int]int{80: 8090, 443: 8453} }

// ports are those of the options, or the topology's own.
func (c *Cloud) ports() map[int]int {
	if c.options.Ports != nil {
		return c.options.Ports
	}
	if groups, err := c.hasGroups(); err == nil && groups {
		return groupPorts()
	}
	return computer.DefaultPorts() // a stack file that cannot be read is told of by whoever needs it
}
