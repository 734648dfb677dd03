package computer

import (
	"context"
	"fmt"
	"strings"
)

const (
	// trialMemory is the memory of a trial's kernel in MiB; with 32 it hangs.
	trialMemory = 128
	// trialSeconds is how long it may take; it needs one.
	trialSeconds = "30"
)

// TryKernel returns nil where machines can have kernels of their own, and else what stands in the way. It starts one
// that has no disk: it looks whether it may trace processes and map its memory, and gives up when it looks for init.
func (c *Computer) TryKernel(ctx context.Context) error {
	image, err := c.ensureImage(ctx, "kernel", kernelContext, nil)
	if err != nil {
		return fmt.Errorf("kernels need Debian's package user-mode-linux (for amd64 only) and /dev/net/tun: %w", err)
	}
	args := append([]string{"docker", "run", "--rm", "--init", "--label", c.label(), "--network", "none"},
		kernelRights(trialMemory)...)
	// It ends with a signal, so what it said tells more than how it ended.
	said, err := run(ctx, nil, append(args, image, "timeout", trialSeconds, "linux.uml",
		fmt.Sprintf("mem=%dM", trialMemory), "panic=1", "con=null", "con0=null,fd:1")...)
	if !strings.Contains(said+fmt.Sprint(err), "Unable to mount root") {
		return fmt.Errorf("a kernel did not start (it needs ptrace, /dev/net/tun and memory that may be executed): %v: %s",
			err, LastLines(said, 3))
	}
	return nil
}
