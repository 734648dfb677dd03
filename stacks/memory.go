package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"twip/infra/boot"
	"twip/infra/images"
)

// Memory is the hard memory limit, in MiB, of one container of each kind.
type Memory map[images.Kind]int

// containerMemory is what a container of each kind gets by default, and what it does not start with less than, in MiB.
var containerMemory = []struct {
	kind           images.Kind
	initial, least int
}{
	{images.Static, 32, 16},
	{images.App, 512, 256},
	{images.Proxy, 64, 32},
}

// initialMemory is the default of the key.
func initialMemory() map[string]any {
	limits := map[string]any{}
	for _, m := range containerMemory {
		limits[string(m.kind)] = m.initial
	}
	return limits
}

// memory fills in the kinds that are named and leaves the others as they are.
func memory(raw string, c *Config) error {
	limits := Memory{}
	if err := json.Unmarshal([]byte(raw), &limits); err != nil {
		return errors.New("it is not a map from kinds of containers to whole numbers")
	}
	merged := Memory{}
	var problems []error
	var kinds []string
	for _, m := range containerMemory {
		kinds = append(kinds, string(m.kind))
		merged[m.kind] = c.MemoryMiB[m.kind]
		limit, named := limits[m.kind]
		if !named {
			continue
		}
		if limit < m.least {
			problems = append(problems, fmt.Errorf("%s does not start with less than %d MiB", m.kind, m.least))
		}
		merged[m.kind] = limit
		delete(limits, m.kind)
	}
	for _, kind := range sortedKeys(limits) {
		problems = append(problems, fmt.Errorf("there is no kind %q, only %s", kind, strings.Join(kinds, ", ")))
	}
	c.MemoryMiB = merged
	return errors.Join(problems...)
}

// String is written as a stack's file would have it.
func (m Memory) String() string {
	var limits []string
	for _, known := range containerMemory {
		limits = append(limits, fmt.Sprintf("%s: %d", known.kind, m[known.kind]))
	}
	return "{" + strings.Join(limits, ", ") + "}"
}

const (
	// machineMiB is what Debian, Docker and systemd need beside the containers.
	machineMiB = 320
	// standbyMiB is what an app container needs that stands by: its keeper runs, its JVM does not.
	standbyMiB = 32
)

// fits refuses containers that do not all fit on the one machine.
func (m Memory) fits(instanceType string, appContainers int) error {
	need := machineMiB + (appContainers-1)*standbyMiB
	for _, limit := range m {
		need += limit
	}
	if have := boot.InstanceTypes[instanceType]; need > have {
		return fmt.Errorf("twip:memoryMiB = %v with twip:appContainers = %d: that and the system's %d MiB make %d MiB, "+
			"but twip:instanceType = %q has %d; lower a limit or take a larger type, for example "+
			"twip:instanceType: t3.small", m, appContainers, machineMiB, need, instanceType, have)
	}
	return nil
}
