package local

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"twip/infra/local/computer"
	"twip/infra/ops"
)

const (
	// siteTimeout is how long a machine may take from its start to the first answer: it installs Docker from Debian's
	// archive, whose speed is not ours.
	siteTimeout = 10 * time.Minute
	siteSteps   = 15 * time.Second
)

// awaitSite waits for the first 200, telling what the machine is doing.
func (c *Cloud) awaitSite(ctx context.Context, url, instance string) error {
	ctx, cancel := context.WithTimeout(ctx, siteTimeout)
	defer cancel()
	client := &http.Client{Timeout: 5 * time.Second}
	c.say("waiting for " + url)
	told := time.Now()
	for {
		if req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil); err != nil {
			return err
		} else if res, err := client.Do(req); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		if time.Since(told) > siteSteps {
			told = time.Now()
			c.say("waiting for " + url + ": " + c.doing(ctx, instance))
		}
		select {
		case <-ctx.Done():
			log, _ := c.Computer.Exec(context.WithoutCancel(ctx), instance, "journalctl", "--no-pager", "--lines", "40",
				"--unit", "twip-*", "--unit", "cloud-final")
			return fmt.Errorf(
				"%s did not answer 200 (%w); the machine's log ends with:\n%s\nlook further with: docker exec %s "+
					"journalctl; a release that does not do has not touched the data: take the artifacts or the commit "+
					"of before, and run this again",
				url, context.Cause(ctx), log, instance)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// doing is the last line that the machine wrote about its own coming up.
func (c *Cloud) doing(ctx context.Context, instance string) string {
	text, err := c.Computer.Exec(ctx, instance, "journalctl", "--no-pager", "--output", "cat", "--lines", "1", "--unit",
		"twip-*", "--unit", "cloud-*")
	if err != nil {
		return "the machine is starting"
	}
	line := strings.TrimSpace(string(text))
	return line[:min(len(line), 100)]
}

// machines look into the machines through Docker.
type machines struct{ *Cloud }

// Machines looks at the environment's machines.
func (c *Cloud) Machines() ops.Machines { return machines{c} }

func (c machines) Status(ctx context.Context) ([]ops.Machine, error) {
	if groups, err := c.hasGroups(); err != nil || groups {
		if err != nil {
			return nil, err
		}
		return c.regionStatus(ctx)
	}
	instance, err := c.instance(ctx)
	if err != nil {
		return nil, err
	}
	state, err := c.Computer.State(ctx, instance)
	if err != nil {
		return nil, err
	}
	machine := ops.Machine{ID: instance, State: string(state.Phase), Journal: "docker exec " + instance + " journalctl"}
	if state.Phase != computer.Running {
		return []ops.Machine{machine}, nil
	}
	memory, err := c.Computer.Memory(ctx, instance)
	if err != nil {
		return nil, err
	}
	machine.Memory = fmt.Sprintf("%d of %d MiB", memory.Used>>20, memory.Limit>>20)
	text, err := c.Computer.Exec(ctx, instance, "docker", "ps", "--all", "--no-trunc", "--format", "json")
	if err != nil {
		return nil, fmt.Errorf("containers on %s: %w", instance, err)
	}
	for decoder := json.NewDecoder(strings.NewReader(string(text))); decoder.More(); {
		var c ops.Container
		if err := decoder.Decode(&c); err != nil {
			return nil, fmt.Errorf("containers on %s: %w", instance, err)
		}
		machine.Containers = append(machine.Containers, c)
	}
	return []ops.Machine{machine}, nil
}

func (c *Cloud) instance(ctx context.Context) (string, error) {
	outputs, err := c.Outputs(ctx)
	if err != nil {
		return "", err
	}
	instance, _ := outputs["instanceId"].(string)
	if instance == "" {
		return "", fmt.Errorf("stack %q: output \"instanceId\" is missing: bring it up with make local",
			c.options.Stack)
	}
	return instance, nil
}

// ensureBench has ApacheBench there.
func (c *Cloud) ensureBench(ctx context.Context) error {
	return c.Computer.EnsureProgram(ctx, "ab", "apache2-utils")
}

// Routes are the edge and, for comparison, the keeper and Jetty behind it: Jetty listens only inside the leading app
// container, whose network root may enter.
func (c *Cloud) Routes(ctx context.Context, env ops.Environment) ([]ops.Route, error) {
	if err := c.ensureBench(ctx); err != nil {
		return nil, err
	}
	routes := []ops.Route{{Name: "edge", URL: env.URL + "/"}}
	if os.Geteuid() != 0 {
		fmt.Fprintln(c.options.Out,
			"straight at the keeper and at Jetty is left out: only root may enter a container's network")
		return routes, nil
	}
	instance, err := c.instance(ctx)
	if err != nil {
		return nil, err
	}
	namespace, err := c.Computer.NetworkOf(ctx, instance, "java")
	if err != nil {
		return nil, fmt.Errorf("network of the container that runs Jetty: %w", err)
	}
	inside := []string{"nsenter", "--net=" + namespace}
	return append(routes,
		ops.Route{Name: "keeper", URL: "http://127.0.0.1:8080/", Via: inside},
		ops.Route{Name: "Jetty", URL: "http://127.0.0.1:8081/", Via: inside}), nil
}

// host is the machine that has the data; programs on it run through Docker.
type host struct {
	computer *computer.Computer
	instance string
}

func (h host) Exec(ctx context.Context, argv ...string) ([]byte, error) {
	return h.computer.Exec(ctx, h.instance, argv...)
}

// Store is the machine that has the data.
func (c *Cloud) Store(ctx context.Context) (ops.Host, error) {
	instance, err := c.instance(ctx)
	if err != nil {
		return nil, err
	}
	return host{c.Computer, instance}, nil
}
