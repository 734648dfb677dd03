package computer

import (
	"context"
	"embed"
	"fmt"
	"net/netip"
	"strings"
)

var (
	//go:embed kernel
	kernelContext embed.FS
	//go:embed guest
	guestContext embed.FS
)

// kernelDisk is the size in GiB of the disk of a machine with a kernel of its own: what EC2 gives Debian's image. It
// takes room on this computer only as it is written.
const kernelDisk = 8

// guest is what runs as a kernel of its own: a machine, or the file system's server.
type guest struct {
	id, zone  string
	address   netip.Addr
	memoryMiB int
	labels    []string // key=value
	disk      string   // the volume that its disks are in
	root      string   // root disk, a file of the directory of rootDisk
	dataGiB   int      // size of a second disk; 0: it has none that anybody uses
	kernel    []string // more of the kernel's command line
}

// createKernelMachine makes the container in which a machine's kernel is going to run.
func (c *Computer) createKernelMachine(ctx context.Context, m Machine, config string) (string, error) {
	if m.FileSystem != "" {
		if err := c.ensureMountTarget(ctx, m.FileSystem, m.Zone); err != nil {
			return "", err
		}
	}
	root, err := c.machineDisk(ctx)
	if err != nil {
		return "", err
	}
	z, err := c.ensureZone(ctx, m.Zone)
	if err != nil {
		return "", err
	}
	if err := z.setHosts(ctx, m.Hosts); err != nil {
		return "", err
	}
	disk, err := c.createDisk(ctx, m.ID, "disk")
	if err != nil {
		return "", err
	}
	c.addresses.Lock()
	defer c.addresses.Unlock()
	address, err := c.freeAddress(ctx)
	if err != nil {
		return "", err
	}
	id, err := c.createGuest(ctx, guest{
		id: m.ID, zone: m.Zone, address: address, memoryMiB: m.MemoryMiB, root: root,
		labels: m.labels(config), disk: disk,
	})
	if err != nil {
		return "", err
	}
	return id, putFiles(ctx, id, file{"/seed/network-config", 0o600, z.networkConfig(address)})
}

func (c *Computer) createGuest(ctx context.Context, g guest) (string, error) {
	image, err := c.ensureImage(ctx, "kernel", kernelContext, nil)
	if err != nil {
		return "", err
	}
	a := g.address.As4()
	args := append([]string{
		"create", "--name", c.object(g.id), "--label", c.label(), "--label", c.stackLabel(),
		"--label", labelKernel + "=" + g.zone, "--label", labelPrivateIP + "=" + g.address.String(),
	}, labelArgs(g.labels)...)
	args = append(append(args, "--network", "container:"+c.zoneName(g.zone, image)), kernelRights(g.memoryMiB)...)
	args = append(args,
		"--env", "TWIP_ADDRESS="+g.address.String(), "--env", fmt.Sprintf("TWIP_NUMBER=%02x%02x", a[2], a[3]),
		"--env", fmt.Sprintf("TWIP_CONTROL=198.18.%d.%d", a[2], a[3]),
		"--env", fmt.Sprintf("TWIP_MAC=02:00:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3]),
		"--env", fmt.Sprintf("TWIP_MEMORY=%d", g.memoryMiB), "--env", "TWIP_ROOT="+g.root,
		"--env", fmt.Sprintf("TWIP_DATA_SIZE=%dG", g.dataGiB), "--env", "TWIP_KERNEL="+strings.Join(g.kernel, " "),
		"--volume", g.disk+":/disk", "--volume", c.path("kernel")+":/image:ro",
		"--log-opt", "max-size=20m", image, "/usr/local/lib/twip/machine")
	return docker(ctx, args...)
}

// kernelRights are what a container needs to run a kernel with so much memory.
func kernelRights(memoryMiB int) []string {
	return []string{
		// The kernel traces its processes, to carry out their system calls, and opens its network interfaces.
		"--cap-add", "SYS_PTRACE", "--cap-add", "NET_ADMIN", "--device", "/dev/net/tun",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
		"--security-opt", "label=disable",
		// The machine's memory is a file that is mapped and executed. No swap is configured: it has none on EC2 either.
		"--tmpfs", fmt.Sprintf("/mem:exec,size=%dm", memoryMiB+64), "--env", "TMPDIR=/mem",
	}
}

func labelArgs(labels []string) (args []string) {
	for _, label := range labels {
		args = append(args, "--label", label)
	}
	return args
}

// insideArgs is how a program is run on a machine, by what kind of body it has.
func (b *body) insideArgs(argv ...string) []string {
	args := []string{"docker", "exec", b.ID}
	if b.hasKernel() {
		args = append(args, "/usr/local/lib/twip/inside")
	}
	return append(args, argv...)
}

func (b *body) hasKernel() bool { return b.Config.Labels[labelKernel] != "" }

// zone is the availability zone of a guest.
func (b *body) zone() string { return b.Config.Labels[labelKernel] }

// machineDisk has the root disk of machines there: what the machine image contains, and what machines would install
// from Debian's archive when they boot, so that they find it installed.
func (c *Computer) machineDisk(ctx context.Context) (string, error) {
	machine, err := c.ensureImage(ctx, "machine", machineContext, nil)
	if err != nil {
		return "", err
	}
	return c.ensureDisk(ctx, "guest", guestContext, map[string]string{
		"MACHINE_IMAGE": machine, "PACKAGES": strings.Join(c.packages, " "),
	})
}
