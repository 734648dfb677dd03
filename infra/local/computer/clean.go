package computer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Clean removes everything of this cloud from the computer, data volumes included, whatever state a crash left it in.
// Machines are not asked to stop. What does not carry this cloud's label, or does not lie in its state directory, is
// not touched.
func (c *Computer) Clean(ctx context.Context) error {
	if err := c.Remove(ctx); err != nil {
		return err
	}
	problems := []error{removeImages(ctx, c.name)}
	for _, owned := range []string{"tls", "debian.tar", "kernel"} {
		problems = append(problems, os.RemoveAll(c.path(owned)))
	}
	return c.cleaned(problems)
}

// Remove is Clean, but for what makes the next Ensure and Build fast: images, and the certificate authority.
func (c *Computer) Remove(ctx context.Context) error {
	c.ensure.Lock()
	defer c.ensure.Unlock()
	var problems []error
	if _, err := exec.LookPath("docker"); err == nil {
		problems = append(problems,
			c.cleanDocker(ctx, "container", nil, "container", "rm", "--force", "--volumes"),
			c.cleanLoops(ctx),
			c.cleanDocker(ctx, "volume", nil, "volume", "rm"),
			c.cleanDocker(ctx, "network", nil, "network", "rm"))
	}
	if errors.Join(problems...) == nil {
		// Last, so that what an interrupted Remove left is found again.
		for _, owned := range []string{"volumes", "machines", "log-groups.json"} {
			problems = append(problems, os.RemoveAll(c.path(owned)))
		}
	}
	return c.cleaned(problems)
}

// RemoveStack removes the machines, volumes and addresses of the stack, data included, whether or not anybody remembers
// them: a run that was killed may have made what no record tells of. Machines are not asked to stop.
func (c *Computer) RemoveStack(ctx context.Context) error {
	problems := []error{
		c.cleanDocker(ctx, "container", []string{c.stackLabel()}, "container", "rm", "--force", "--volumes"),
		c.cleanDocker(ctx, "volume", []string{c.stackLabel()}, "volume", "rm"),
		c.removeStackVolumes(ctx),
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("local cloud %q: remove what stack %q has left: %w", c.name, c.options.Stack, err)
	}
	return nil
}

func (c *Computer) removeStackVolumes(ctx context.Context) error {
	c.volumes.Lock()
	defer c.volumes.Unlock()
	files, err := filepath.Glob(c.volumeStackFile("*"))
	if err != nil {
		return err
	}
	var problems []error
	for _, name := range files {
		stack, err := os.ReadFile(name)
		if err == nil && string(stack) == c.options.Stack {
			id := strings.TrimSuffix(filepath.Base(name), ".stack")
			if err = c.closeLoop(ctx, c.volumeFile(id)); err == nil {
				err = c.removeVolumeFiles(id)
			}
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// InUse says whether there is still a machine, a published address or a data volume.
func (c *Computer) InUse(ctx context.Context) (bool, error) {
	for _, label := range []string{labelMachine, labelAddress} {
		if found, err := c.find(ctx, "container", label); err != nil || len(found) > 0 {
			return true, err
		}
	}
	volumes, err := filepath.Glob(c.volumeFile("*"))
	return len(volumes) > 0, err
}

func (c *Computer) cleaned(problems []error) error {
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("local cloud %q: clean: %w", c.name, err)
	}
	return nil
}

// cleanDocker removes the objects of one kind that carry this cloud's label and all the others given.
func (c *Computer) cleanDocker(ctx context.Context, kind string, labels []string, remove ...string) error {
	ids, err := c.find(ctx, kind, labels...)
	// One at a time: asked for several, Docker removes them at once, and has been seen to wait for itself for ever when
	// that many leave a network (20.10.24, goroutines in libnetwork's sbLeave and processEndpointDelete).
	for _, id := range ids {
		_, removeErr := docker(ctx, append(slices.Clone(remove), id)...)
		err = errors.Join(err, removeErr)
	}
	return err
}

func (c *Computer) cleanLoops(ctx context.Context) error {
	loops, err := c.loops()
	if err != nil {
		return err
	}
	var problems []error
	for _, device := range sortedKeys(loops) {
		problems = append(problems, c.closeLoop(ctx, loops[device]))
	}
	return errors.Join(problems...)
}

// removeImages removes an owner's images until none is left, because one that another was built from can only go after
// it.
func removeImages(ctx context.Context, owner string) error {
	var last error
	for before := -1; ; {
		ids, err := find(ctx, "image", labelCloud+"="+owner)
		if err != nil || len(ids) == 0 {
			return err
		}
		if len(ids) == before {
			return last
		}
		before = len(ids)
		for _, id := range ids {
			if _, err := docker(ctx, "image", "rm", "--force", id); err != nil {
				last = err
			}
		}
	}
}
