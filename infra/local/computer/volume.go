package computer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// attachment is the instance that has a volume, and the name of the volume's device there; empty for a volume that is
// not attached.
type attachment struct{ Instance, Device string }

func (c *Computer) volumeFile(id string) string {
	return c.path("volumes", c.loopPrefix()+id+".img")
}

func (c *Computer) attachmentFile(id string) string { return c.path("volumes", id+".json") }

// volumeStackFile is to a volume what labelStack is to a container.
func (c *Computer) volumeStackFile(id string) string { return c.path("volumes", id+".stack") }

// removeVolumeFiles removes what tells of the volume's stack last, so that an interrupted removal is found again.
func (c *Computer) removeVolumeFiles(id string) error {
	for _, name := range []string{c.volumeFile(id), c.attachmentFile(id), c.volumeStackFile(id)} {
		if err := removeFile(name); err != nil {
			return err
		}
	}
	return nil
}

// CreateVolume makes a blank volume of so many GiB; it takes room on this computer only as it is written. A volume that
// exists keeps its data.
func (c *Computer) CreateVolume(ctx context.Context, id string, gib int) error {
	c.volumes.Lock()
	defer c.volumes.Unlock()
	if gib < 1 {
		return fmt.Errorf("volume %s: size %d GiB: a volume has at least 1 GiB", id, gib)
	}
	if err := os.MkdirAll(c.path("volumes"), 0o700); err != nil {
		return fmt.Errorf("volume %s: %w", id, err)
	}
	// Before the volume, so that one that a killed run left is found.
	if err := writeFile(c.volumeStackFile(id), []byte(c.options.Stack)); err != nil {
		return fmt.Errorf("volume %s: %w", id, err)
	}
	f, err := os.OpenFile(c.volumeFile(id), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("volume %s: %w", id, err)
	}
	defer f.Close() //nolint:errcheck // nothing was written through it
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("volume %s: %w", id, err)
	}
	if size := int64(gib) << 30; info.Size() < size {
		if err := f.Truncate(size); err != nil {
			return fmt.Errorf("volume %s: %w", id, err)
		}
		return c.refreshLoop(ctx, c.volumeFile(id))
	}
	return nil
}

// HasVolume reports whether there is such a volume.
func (c *Computer) HasVolume(_ context.Context, id string) (bool, error) {
	_, err := os.Stat(c.volumeFile(id))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// DeleteVolume removes a volume and its data. One that is attached is refused; one that is gone is no error.
func (c *Computer) DeleteVolume(ctx context.Context, id string) error {
	c.volumes.Lock()
	defer c.volumes.Unlock()
	a, err := c.attached(id)
	if err != nil {
		return fmt.Errorf("volume %s: delete: %w", id, err)
	}
	if a.Instance != "" {
		return fmt.Errorf("volume %s: delete: it is attached to %s: detach it first", id, a.Instance)
	}
	if err := c.closeLoop(ctx, c.volumeFile(id)); err != nil {
		return fmt.Errorf("volume %s: delete: %w", id, err)
	}
	return c.removeVolumeFiles(id)
}

// AttachVolume makes a volume appear on a machine under the device name, now and whenever the machine boots.
func (c *Computer) AttachVolume(ctx context.Context, id, instance, device string) error {
	defer c.objects.lock(instance)()
	c.volumes.Lock()
	defer c.volumes.Unlock()
	if err := c.attach(ctx, id, attachment{instance, device}); err != nil {
		return fmt.Errorf("volume %s: attach to %s as %s: %w", id, instance, device, err)
	}
	return nil
}

func (c *Computer) attach(ctx context.Context, id string, want attachment) error {
	if path.Dir(want.Device) != "/dev" {
		return errors.New("a device's name is like /dev/xvdf")
	}
	has, err := c.attached(id)
	if err != nil {
		return err
	}
	if has.Instance != "" && has != want {
		return fmt.Errorf("it is attached to %s as %s: detach it there first", has.Instance, has.Device)
	}
	if exists, err := c.HasVolume(ctx, id); err != nil || !exists {
		return errors.Join(err, errors.New("there is no such volume: create it first"))
	}
	b, err := c.need(ctx, want.Instance)
	if err != nil {
		return err
	}
	if b.hasKernel() {
		return errors.New("machines with kernels of their own take no volumes yet: have containers as machines")
	}
	if err := writeJSON(c.attachmentFile(id), want); err != nil {
		return err
	}
	if err := c.writeDevices(ctx, want.Instance, b.ID); err != nil || b.State.Status != "running" {
		return err
	}
	number, err := c.openLoop(ctx, c.volumeFile(id))
	if err != nil {
		return err
	}
	node := fmt.Sprintf("[ -b %[1]s ] || mknod -m 0660 %[1]s b %d %d", shellQuote(want.Device), loopMajor, number)
	_, err = docker(ctx, "exec", b.ID, "sh", "-c", node)
	return err
}

// DetachVolume takes a volume from the machine that has it. While the machine has it mounted that is refused: stop the
// machine first. A volume that is not attached is no error.
func (c *Computer) DetachVolume(ctx context.Context, id string) error {
	a, err := c.attached(id)
	if err == nil && a.Instance != "" {
		err = c.detachFrom(ctx, id, a)
	}
	if err != nil {
		return fmt.Errorf("volume %s: detach: %w", id, err)
	}
	return nil
}

func (c *Computer) detachFrom(ctx context.Context, id string, a attachment) error {
	defer c.objects.lock(a.Instance)()
	c.volumes.Lock()
	defer c.volumes.Unlock()
	now, err := c.attached(id)
	if err != nil || now != a {
		return err // what was to be undone is undone already
	}
	return c.detach(ctx, id, a)
}

func (c *Computer) detach(ctx context.Context, id string, a attachment) error {
	b, err := c.container(ctx, labelMachine, a.Instance)
	if err != nil {
		return err
	}
	if b != nil && b.State.Status == "running" {
		out, err := docker(ctx, "exec", b.ID, "cat", "/proc/1/mountinfo")
		if err != nil {
			return err
		}
		number, err := c.openLoop(ctx, c.volumeFile(id))
		if err != nil {
			return err
		}
		if strings.Contains(out, fmt.Sprintf(" %d:%d ", loopMajor, number)) {
			return fmt.Errorf("machine %s has it mounted: stop the machine, or unmount it there", a.Instance)
		}
		if _, err := docker(ctx, "exec", b.ID, "rm", "--force", a.Device); err != nil {
			return err
		}
	}
	if err := c.closeLoop(ctx, c.volumeFile(id)); err != nil {
		return err
	}
	if err := removeFile(c.attachmentFile(id)); err != nil || b == nil {
		return err
	}
	return c.writeDevices(ctx, a.Instance, b.ID)
}

// attached reads which machine has a volume.
func (c *Computer) attached(id string) (attachment, error) {
	var a attachment
	_, err := readJSON(c.attachmentFile(id), &a)
	return a, err
}

// attachments returns the device names of an instance's volumes, by volume id.
func (c *Computer) attachments(instance string) (map[string]string, error) {
	files, err := filepath.Glob(c.attachmentFile("*"))
	if err != nil {
		return nil, err
	}
	devices := map[string]string{}
	for _, f := range files {
		id := strings.TrimSuffix(filepath.Base(f), ".json")
		a, err := c.attached(id)
		if err != nil {
			return nil, err
		}
		if a.Instance == instance {
			devices[id] = a.Device
		}
	}
	return devices, nil
}

func (c *Computer) detachAll(ctx context.Context, instance string) error {
	devices, err := c.attachments(instance)
	if err != nil {
		return err
	}
	for _, id := range sortedKeys(devices) {
		if err := c.detach(ctx, id, attachment{instance, devices[id]}); err != nil {
			return err
		}
	}
	return nil
}

// writeDevices tells machine/init which device nodes to make at the next boot.
func (c *Computer) writeDevices(ctx context.Context, instance, container string) error {
	devices, err := c.attachments(instance)
	if err != nil {
		return err
	}
	var table strings.Builder
	for _, id := range sortedKeys(devices) {
		number, err := c.openLoop(ctx, c.volumeFile(id))
		if err != nil {
			return err
		}
		fmt.Fprintf(&table, "%s %d %d\n", path.Base(devices[id]), loopMajor, number)
	}
	return putFiles(ctx, container, file{"/etc/twip-local-devices", 0o644, []byte(table.String())})
}

func removeFile(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
