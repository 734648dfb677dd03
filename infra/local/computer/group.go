package computer

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// Kill ends a machine at once, as the loss of its host would. What it had on its own disks stays until Terminate.
func (c *Computer) Kill(ctx context.Context, instance string) error {
	return c.signal(ctx, instance, "kill")
}

// Pause stops a machine's processors; Resume lets them go on.
func (c *Computer) Pause(ctx context.Context, instance string) error {
	return c.signal(ctx, instance, "pause")
}

// Resume ends what Pause began.
func (c *Computer) Resume(ctx context.Context, instance string) error {
	return c.signal(ctx, instance, "unpause")
}

func (c *Computer) signal(ctx context.Context, instance, verb string) error {
	b, err := c.need(ctx, instance)
	if err == nil {
		_, err = docker(ctx, verb, b.ID)
	}
	if err != nil {
		return fmt.Errorf("machine %s: %s: %w", instance, verb, err)
	}
	return nil
}

// Separate cuts a machine off from addresses, in both directions, until Reconnect; it needs root.
func (c *Computer) Separate(ctx context.Context, instance string, from []netip.Addr) error {
	return c.routes(ctx, instance, from, "replace", "blackhole")
}

// Reconnect ends what Separate began.
func (c *Computer) Reconnect(ctx context.Context, instance string, from []netip.Addr) error {
	return c.routes(ctx, instance, from, "delete", "blackhole")
}

func (c *Computer) routes(ctx context.Context, instance string, to []netip.Addr, verb, kind string) error {
	b, err := c.need(ctx, instance)
	if err != nil {
		return fmt.Errorf("machine %s: %w", instance, err)
	}
	enter := []string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", b.State.Pid)}
	if b.hasKernel() {
		enter = b.insideArgs()
	}
	for _, address := range to {
		_, err := run(ctx, nil, append(enter, "ip", "route", verb, kind, address.String()+"/32")...)
		if err != nil && !(verb == "delete" && strings.Contains(err.Error(), "No such process")) {
			return fmt.Errorf("machine %s: route to %s: %w", instance, address, err)
		}
	}
	return nil
}

// shared is the volume behind a file system: a directory that machines of one stack share.
func (c *Computer) shared(id string) string { return c.object(id, "shared") }

// CreateFileSystem makes the directory that stands for a network file system.
func (c *Computer) CreateFileSystem(ctx context.Context, id string) error {
	_, err := docker(ctx, "volume", "create", "--label", c.label(), "--label", c.stackLabel(),
		"--label", labelFiles+"="+id, c.shared(id))
	return err
}

// HasFileSystem says whether there is one.
func (c *Computer) HasFileSystem(ctx context.Context, id string) (bool, error) {
	found, err := c.find(ctx, "volume", labelFiles+"="+id)
	return len(found) > 0, err
}

// DeleteFileSystem deletes one with all that is in it. That there is none is no error.
func (c *Computer) DeleteFileSystem(ctx context.Context, id string) error {
	if err := c.removeStore(ctx, id); err != nil {
		return err
	}
	return c.cleanDocker(ctx, "volume", []string{labelFiles + "=" + id}, "volume", "rm")
}
