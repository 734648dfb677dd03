package computer

import (
	"context"
	"fmt"
	"strings"
)

// NetworkOf names the network namespace of the newest process called program on a machine, containers included, as a path of
// this computer that root can enter with nsenter.
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
