package ops

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Environment is a stack that has been brought up, as its outputs describe it.
type Environment struct {
	Stack    string
	URL      string            // the site, e.g. http://127.0.0.1:8080
	StatsURL string            // HAProxy's statistics; empty when they are closed to this computer
	Images   map[string]string // tier → repository@digest
	Store    string            // id of the volume or file system that has the data
	Machines Machines
}

// Machines answers what only the cloud knows about an environment's machines.
type Machines interface {
	// Status lists every machine with what runs on it.
	Status(ctx context.Context) ([]Machine, error)
}

// Machine is one machine as an operator sees it.
type Machine struct {
	ID, State  string
	Memory     string      // used / limit, where the cloud can tell
	Containers []Container // where the cloud can look inside
	Journal    string      // the command that prints what the machine logged; empty where the cloud cannot tell
	Credits    *float64    // CPU credits that a burstable type has left; nil: it has none, or they are not measured yet

	// Of machines in a group.
	Zone, Tier, Lifecycle string
	Version               int    // of the launch template
	Health                string // as the load balancer sees it
	Role                  string // of servers that have one: who writes, and since which epoch
}

// Container is one container on a machine.
type Container struct {
	Name   string `json:"Names"`
	Status string `json:"Status"` // as Docker words it, e.g. "Up 2 minutes (healthy)"
	Image  string `json:"Image"`
}

// FromOutputs reads an environment out of a stack's outputs.
func FromOutputs(stack string, outputs map[string]any, machines Machines) (Environment, error) {
	env := Environment{Stack: stack, Images: map[string]string{}, Machines: machines}
	env.URL, _ = outputs["url"].(string)
	env.StatsURL, _ = outputs["statsUrl"].(string)
	if env.URL == "" {
		return env, fmt.Errorf("stack %q: output \"url\" is missing (there are %v): bring the stack up first: "+
			"make up STACK=%[1]s", stack, slices.Sorted(maps.Keys(outputs)))
	}
	for _, output := range []string{"dataVolumeId", "fileSystemId"} {
		if id, ok := outputs[output].(string); ok {
			env.Store = id
		}
	}
	images, _ := outputs["images"].(map[string]any)
	for tier, image := range images {
		env.Images[tier], _ = image.(string)
	}
	return env, nil
}
