package computer

import (
	"context"
	"fmt"
	"os"
	"time"
)

// debianImage is what images are built from where a container registry can be reached.
const debianImage = "debian:trixie-slim"

// pullTimeout bounds the wait for a registry that neither answers nor refuses.
const pullTimeout = 3 * time.Minute

// BaseImage returns the name of the Debian image that everything here is built from; it is known after Ensure.
func (c *Computer) BaseImage() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base
}

// EnsureBase has Docker and the base image there, and nothing else, and returns the image's name.
func (c *Computer) EnsureBase(ctx context.Context) (string, error) {
	if err := c.openState(); err != nil {
		return "", err
	}
	if err := c.ensureDocker(ctx); err != nil {
		return "", err
	}
	return c.ensureBase(ctx)
}

// ensureBase pulls Debian's image, or makes an equal one from Debian's archive where no container registry can be
// reached.
func (c *Computer) ensureBase(ctx context.Context) (string, error) {
	own := "twip-local/debian:trixie"
	for _, image := range []string{debianImage, own} {
		if _, err := docker(ctx, "image", "inspect", image); err == nil {
			return image, nil
		}
	}
	done := c.step("pulling %s", debianImage)
	pullCtx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	_, refused := docker(pullCtx, "pull", "--quiet", debianImage)
	if refused == nil {
		done()
		return debianImage, nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	c.options.Progress(fmt.Sprintf("%s cannot be pulled (%s)", debianImage, LastLines(refused.Error(), 1)))
	if err := c.EnsureProgram(ctx, "mmdebstrap", "mmdebstrap"); err != nil {
		return "", err
	}
	defer c.step("making an equal base image from Debian's archive")()
	return own, c.importDebian(ctx, own)
}

// importDebian makes the image by way of a file, so that a bootstrap that fails halfway leaves no image.
func (c *Computer) importDebian(ctx context.Context, image string) error {
	archive := c.path("debian.tar")
	defer os.Remove(archive) //nolint:errcheck // what is left is overwritten next time
	// Without a mirror of our choice it takes Debian's own, with updates and security fixes.
	if _, err := run(ctx, nil, "mmdebstrap", "--variant=minbase", "trixie", archive); err != nil {
		return fmt.Errorf("base image: %w", err)
	}
	label := "LABEL " + labelCloud + "=" + sharedImages
	if _, err := docker(ctx, "import", "--change", label, "--change", `CMD ["bash"]`, archive, image); err != nil {
		return fmt.Errorf("base image: %w", err)
	}
	return nil
}
