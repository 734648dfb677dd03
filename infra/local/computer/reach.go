package computer

import (
	"context"
	"fmt"
	"maps"
	"strings"
)

// Reachable returns where each published port answers, of all addresses of the stack, as Published does for one.
func (c *Computer) Reachable(ctx context.Context) (map[int]string, error) {
	forwarders, err := c.containers(ctx, labelAddress)
	if err != nil {
		return nil, err
	}
	all := map[int]string{}
	for _, f := range forwarders {
		// An address from before stacks were labelled is taken for ours.
		if stack := f.Config.Labels[labelStack]; stack != "" && stack != c.options.Stack {
			continue
		}
		ports, err := c.Published(ctx, f.Config.Labels[labelAddress])
		if err != nil {
			return nil, err
		}
		maps.Copy(all, ports)
	}
	return all, nil
}

// NetworkOf names the network namespace of the newest process called program on a machine, containers included, as a
// path of this computer that root can enter with nsenter.
func (c *Computer) NetworkOf(ctx context.Context, instance, program string) (string, error) {
	b, err := c.need(ctx, instance)
	if err != nil {
		return "", err
	}
	pid, err := c.Exec(ctx, instance, "pgrep", "--newest", "--exact", program)
	if err != nil {
		return "", fmt.Errorf("machine %s: no process %q runs: %w", instance, program, err)
	}
	// The machine counts processes from its own PID 1, and its own /proc knows them by those numbers.
	return fmt.Sprintf("/proc/%d/root/proc/%s/ns/net", b.State.Pid, strings.TrimSpace(string(pid))), nil
}

// Console is what a machine's kernel and services have said on its console since it was launched; of a container, what
// came of its first process.
func (c *Computer) Console(ctx context.Context, instance string) (string, error) {
	b, err := c.need(ctx, instance)
	if err != nil {
		return "", err
	}
	return run(ctx, nil, "docker", "logs", b.ID)
}
