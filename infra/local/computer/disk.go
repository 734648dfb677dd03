package computer

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ensureDisk has the root disk there that an embedded context describes, and returns its name in the directory that
// guests see as /image. Guests read it and write elsewhere (copy on write), so that one serves all of them.
func (c *Computer) ensureDisk(
	ctx context.Context, name string, source embed.FS, args map[string]string,
) (string, error) {
	defer c.objects.lock("disk:" + name)()
	kernel, err := c.ensureImage(ctx, "kernel", kernelContext, nil)
	if err != nil {
		return "", err
	}
	all := map[string]string{"KERNEL_IMAGE": kernel}
	maps.Copy(all, args)
	image, err := c.ensureImage(ctx, name, source, all)
	if err != nil {
		return "", err
	}
	_, tag, _ := strings.Cut(image, ":")
	disk := name + "-" + tag + ".img"
	if _, err := os.Stat(c.path("kernel", disk)); err == nil {
		return disk, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	defer c.step("making the %s disk", name)()
	if err := os.MkdirAll(c.path("kernel"), 0o700); err != nil {
		return "", err
	}
	if err := c.makeDisk(ctx, kernel, image, disk); err != nil {
		return "", fmt.Errorf("%s disk: %w", name, err)
	}
	return disk, nil
}

// makeDisk writes an image's files into an ext4 file system, without mounting anything and without being root.
func (c *Computer) makeDisk(ctx context.Context, kernel, image, disk string) error {
	source, err := docker(ctx, "create", "--label", c.label(), image, "none")
	if err != nil {
		return err
	}
	next := disk + ".next"
	defer func() {
		_, _ = docker(context.WithoutCancel(ctx), "rm", source) // local-clean finds it by its label
	}()
	if err := removeFile(c.path("kernel", next)); err != nil {
		return err
	}
	export := exec.CommandContext(ctx, "docker", "export", source)
	files, err := export.StdoutPipe()
	if err != nil {
		return err
	}
	if err := export.Start(); err != nil {
		return err
	}
	_, makeErr := run(ctx, files, "docker", "run", "--rm", "--interactive", "--label", c.label(), "--network", "none",
		// Names of files are not all ASCII.
		"--env", "LC_ALL=C.UTF-8", "--volume", c.path("kernel")+":/image", kernel,
		"mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=1", "-d", "-", "/image/"+next,
		fmt.Sprintf("%dG", kernelDisk))
	if err := errors.Join(makeErr, export.Wait()); err != nil {
		return err
	}
	return os.Rename(c.path("kernel", next), filepath.Join(c.path("kernel"), disk))
}
