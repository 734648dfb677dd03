package computer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// loopMajor is the device number of the kernel's loop devices, see Documentation/admin-guide/devices.txt of Linux.
const loopMajor = 7

// loopPrefix is what the names of this cloud's volume files begin with. It is to loop devices what the label is to
// Docker objects.
func (c *Computer) loopPrefix() string { return "twip." + c.name + "." }

// loops returns the loop devices whose backing file is one of this cloud's, by device name. They are known by the
// file's name alone: a loop device that was made in a container has forgotten the directory.
func (c *Computer) loops() (map[string]string, error) {
	files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			continue // it was detached meanwhile
		}
		backing := filepath.Base(strings.TrimSuffix(strings.TrimSpace(string(content)), " (deleted)"))
		if strings.HasPrefix(backing, c.loopPrefix()) {
			found[strings.Split(f, "/")[3]] = c.path("volumes", backing)
		}
	}
	return found, nil
}

// losetup runs losetup as root. Who may use Docker but is not root gets there through a container: Docker's group has
// that power anyway.
func (c *Computer) losetup(ctx context.Context, args ...string) (string, error) {
	if os.Geteuid() == 0 {
		return run(ctx, nil, append([]string{"losetup"}, args...)...)
	}
	image, err := c.ensureImage(ctx, "machine", machineContext, nil)
	if err != nil {
		return "", err
	}
	volumes := c.path("volumes")
	return run(ctx, nil, append([]string{
		"docker", "run", "--rm", "--label", c.label(), "--network", "none", "--cap-add", "SYS_ADMIN",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--security-opt", "label=disable",
		"--device-cgroup-rule", fmt.Sprintf("b %d:* rwm", loopMajor),
		"--device-cgroup-rule", "c 10:237 rwm", // /dev/loop-control
		"--volume", "/dev:/dev", "--volume", volumes + ":" + volumes, "--entrypoint", "losetup", image,
	}, args...)...)
}

// openLoop returns the number of the loop device of a file, and makes one where there is none, as after a restart of
// the computer.
func (c *Computer) openLoop(ctx context.Context, backing string) (int, error) {
	device, err := c.loopOf(backing)
	if err != nil {
		return 0, err
	}
	if device == "" {
		out, err := c.losetup(ctx, "--find", "--show", backing)
		if err != nil {
			return 0, fmt.Errorf("loop device: %w", err)
		}
		device = filepath.Base(strings.TrimSpace(out))
	}
	number, err := strconv.Atoi(strings.TrimPrefix(device, "loop"))
	if err != nil {
		return 0, fmt.Errorf("loop device %q: losetup gave no number: %w", device, err)
	}
	return number, nil
}

// closeLoop frees a file's loop device. The kernel keeps one that is still in use, which is an error here.
func (c *Computer) closeLoop(ctx context.Context, backing string) error {
	device, err := c.loopOf(backing)
	if err != nil || device == "" {
		return err
	}
	if _, err := c.losetup(ctx, "--detach", "/dev/"+device); err != nil {
		return fmt.Errorf("loop device: %w", err)
	}
	device, err = c.loopOf(backing)
	if err == nil && device != "" {
		err = fmt.Errorf("loop device /dev/%s is still in use: stop what has it mounted, then try again", device)
	}
	return err
}

// refreshLoop lets a file's loop device, if it has one, know that the file grew.
func (c *Computer) refreshLoop(ctx context.Context, backing string) error {
	device, err := c.loopOf(backing)
	if err != nil || device == "" {
		return err
	}
	_, err = c.losetup(ctx, "--set-capacity", "/dev/"+device)
	return err
}

func (c *Computer) loopOf(backing string) (string, error) {
	all, err := c.loops()
	if err != nil {
		return "", err
	}
	for _, device := range sortedKeys(all) {
		if all[device] == backing {
			return device, nil
		}
	}
	return "", nil
}
