package local

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"twip/infra/local/region"
)

// MachinesVariable of the environment chooses what machines of groups are: containers or kernels.
const MachinesVariable = "TWIP_MACHINES"

// kernelProcessors is how many processors production's five kernels want. With two, a page takes 40 to 90 ms and a post
// 0.6 s; a takeover takes half a minute, and ten requests a second are too many.
const kernelProcessors = 4

// kindOfMachines is what machines of groups are. An environment keeps the kind that it was brought up with, because
// kernels do not see the data of containers, nor the other way round. A new one gets what MachinesVariable says, and
// kernels when it says nothing and this computer can run them well.
func (c *Cloud) kindOfMachines(ctx context.Context) (string, error) {
	asked := os.Getenv(MachinesVariable)
	if asked != "" {
		if err := region.CheckKind(asked); err != nil {
			return "", fmt.Errorf("%s: %w", MachinesVariable, err)
		}
	}
	is, err := region.KindOf(c.regionDir())
	switch {
	case err != nil:
		return "", err
	case is != "" && asked != "" && asked != is:
		return "", fmt.Errorf("%s=%s: the machines of stack %q are %s, which keep their data elsewhere: unset it, or run "+
			"make local-destroy STACK=%[3]s first, which deletes the data", MachinesVariable, asked, c.options.Stack, is)
	case is != "":
		return is, nil
	case asked == region.Containers:
		return asked, nil
	}
	if asked == "" && runtime.NumCPU() < kernelProcessors {
		c.say(fmt.Sprintf("machines are containers: kernels of their own want %d processors, and here are %d; %s=%s takes "+
			"them all the same", kernelProcessors, runtime.NumCPU(), MachinesVariable, region.Kernels))
		return region.Containers, nil
	}
	err = c.Computer.TryKernel(ctx)
	switch {
	case err == nil:
		return region.Kernels, nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case asked == region.Kernels:
		return "", fmt.Errorf("%s=%s: %w; %s=%s needs none", MachinesVariable, asked, err, MachinesVariable,
			region.Containers)
	}
	c.say(fmt.Sprintf("machines are containers, which have no NFS and no network of their own: %v", err))
	return region.Containers, nil
}
