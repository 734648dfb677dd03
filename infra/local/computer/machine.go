package computer

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

//go:embed machine
var machineContext embed.FS

// stopPatience is how long a machine may take to stop in an orderly way before it is cut off, as EC2 does after some
// minutes.
const stopPatience = 5 * time.Minute

// startPatience is how long machine/init may take on a busy computer; it takes a fraction of a second.
const startPatience = time.Minute

// record is what must be known of a machine while its container does not run.
type record struct {
	Running bool // as whoever uses it left it; what a crash of the computer stopped is started again
}

// Launch boots a machine with its user data and returns once its PID 1 runs; what the user data asks for is still to
// come then. A machine that was launched already is left as it is.
func (c *Computer) Launch(ctx context.Context, m Machine) error {
	if err := c.launch(ctx, m); err != nil {
		return fmt.Errorf("machine %s: launch: %w", m.ID, err)
	}
	return nil
}

func (c *Computer) launch(ctx context.Context, m Machine) error {
	if m.MemoryMiB < 128 {
		return fmt.Errorf("memory %d MiB: an instance has at least 128 MiB", m.MemoryMiB)
	}
	defer c.objects.lock(m.ID)()
	existing, err := c.container(ctx, labelMachine, m.ID)
	if err == nil {
		// If a launch was interrupted before the machine started, nothing has happened on it.
		existing, err = c.whole(ctx, existing)
	}
	if err != nil {
		return err
	}
	parts := [][]byte{[]byte(m.Name), []byte(m.Type), []byte(m.Zone), fmt.Appendf(nil, "%d", m.MemoryMiB), m.UserData}
	if group := m.group(); group != nil {
		parts = append(parts, group)
	}
	config := hash(parts...)
	switch {
	case existing != nil && existing.Config.Labels[labelConfig] == config:
		return nil
	case existing != nil:
		return errors.New("it exists with other user data or of another size: terminate it first")
	}
	defer c.step("starting machine %s (%s, %s, %d MiB)", m.Name, m.ID, m.Type, m.MemoryMiB)()
	ca, err := openAuthority(c.path("tls"), c.name)
	if err != nil {
		return err
	}
	create, seed, authority := c.createMachine, "/var/lib/cloud/seed/nocloud",
		"/usr/local/share/ca-certificates/twip-local.crt"
	if c.kernels {
		create, seed, authority = c.createKernelMachine, "/seed", "/seed/authority.crt"
	}
	id, err := create(ctx, m, config)
	if err != nil {
		return err
	}
	if err := putFiles(ctx, id,
		file{seed + "/meta-data", 0o600, []byte("instance-id: " + m.ID + "\nlocal-hostname: " + m.Name + "\n")},
		file{seed + "/user-data", 0o600, m.UserData},
		file{authority, 0o644, ca.trust()},
	); err != nil {
		return err
	}
	b, err := c.need(ctx, m.ID)
	if err != nil {
		return err
	}
	return c.start(ctx, m.ID, b)
}

func (c *Computer) createMachine(ctx context.Context, m Machine, config string) (string, error) {
	image, err := c.ensureImage(ctx, "machine", machineContext, nil)
	if err != nil {
		return "", err
	}
	c.addresses.Lock()
	defer c.addresses.Unlock()
	address, err := c.freeAddress(ctx)
	if err != nil {
		return "", err
	}
	volume, err := c.createDisk(ctx, m.ID, "docker")
	if err != nil {
		return "", err
	}
	memory := fmt.Sprintf("%dm", m.MemoryMiB)
	group := labelArgs(m.labels(config))
	if m.FileSystem != "" {
		group = append(group, "--volume", c.shared(m.FileSystem)+":/var/lib/twip-local-files")
	}
	for _, host := range sortedKeys(m.Hosts) {
		group = append(group, "--add-host", host+":"+m.Hosts[host])
	}
	args := append([]string{"create", "--name", c.object(m.ID), "--hostname", m.Name,
		"--label", c.label(), "--label", c.stackLabel(),
		"--network", c.object(), "--ip", address.String(), "--env", "TWIP_METADATA=" + c.object("endpoints"),
		// The machine has a cgroup tree of its own below this limit, and no swap, as on EC2.
		"--memory", memory, "--memory-swap", memory, "--cgroupns", "private",
		// systemd and Docker mount, make device nodes and configure networks. --privileged would also give away every
		// device.
		"--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_PTRACE", "--cap-add", "MKNOD",
		"--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined",
		"--security-opt", "apparmor=unconfined", "--security-opt", "label=disable",
		"--device-cgroup-rule", fmt.Sprintf("b %d:* rwm", loopMajor),
		"--tmpfs", "/run", "--tmpfs", "/tmp", "--volume", volume + ":/var/lib/docker"}, group...)
	return docker(ctx, append(args, image)...)
}

// labels are on a machine's container, whatever kind of machine it is.
func (m Machine) labels(config string) []string {
	labels := []string{labelMachine + "=" + m.ID, labelConfig + "=" + config}
	if m.Group != "" {
		labels = append(labels, labelGroup+"="+m.Group)
	}
	return labels
}

// createDisk makes a machine's own disk, which goes with the machine, and returns its name.
func (c *Computer) createDisk(ctx context.Context, instance, what string) (string, error) {
	disk := c.object(instance, what)
	_, err := docker(ctx, "volume", "create", "--label", c.label(), "--label", c.stackLabel(),
		"--label", labelMachine+"="+instance, disk)
	return disk, err
}

// freeAddress chooses an address that no machine has, running or not.
func (c *Computer) freeAddress(ctx context.Context) (netip.Addr, error) {
	n, err := inspectNetwork(ctx, c.object())
	if err != nil {
		return netip.Addr{}, err
	}
	bodies, err := c.containers(ctx)
	if err != nil {
		return netip.Addr{}, err
	}
	taken := map[netip.Addr]bool{}
	for _, b := range bodies {
		if address, err := netip.ParseAddr(c.addressOf(&b)); err == nil {
			taken[address] = true
		}
	}
	return n.free(taken)
}

// addressOf returns the address that a container was created with, "" for one that was left to Docker.
func (c *Computer) addressOf(b *body) string {
	if b.hasKernel() {
		return b.Config.Labels[labelPrivateIP]
	}
	if n, ok := b.NetworkSettings.Networks[c.object()]; ok && n.IPAMConfig != nil {
		return n.IPAMConfig.IPv4Address
	}
	return ""
}

// start starts a machine's container with the nodes of its volumes in place, and waits until systemd is PID 1. The
// machine's lock is held.
func (c *Computer) start(ctx context.Context, instance string, machine *body) error {
	if err := writeJSON(c.recordPath(instance), record{Running: true}); err != nil {
		return err
	}
	if machine.hasKernel() {
		if _, err := c.ensureZone(ctx, machine.zone()); err != nil {
			return err
		}
	} else if err := c.prepareDevices(ctx, instance, machine.ID); err != nil {
		return err
	}
	if err := c.tellInstances(ctx); err != nil {
		return err
	}
	since := time.Now()
	if _, err := docker(ctx, "start", machine.ID); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		first, err := c.firstProcess(ctx, machine, since)
		if err == nil && first {
			return nil
		}
		b, inspectErr := c.container(ctx, labelMachine, instance)
		if inspectErr == nil && b != nil && b.State.Status == "exited" {
			said, logErr := run(ctx, nil, "docker", "logs", "--tail", "5", machine.ID)
			return fmt.Errorf("it ended before systemd ran: %s: %w", LastLines(said, 5),
				errors.Join(errors.New("see machine/init, or kernel/machine"), logErr))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("systemd does not run after %s: %w", startPatience, errors.Join(err, inspectErr))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *Computer) prepareDevices(ctx context.Context, instance, container string) error {
	c.volumes.Lock()
	defer c.volumes.Unlock()
	return c.writeDevices(ctx, instance, container)
}

// firstProcess says whether a machine that was started since then has its first process.
func (c *Computer) firstProcess(ctx context.Context, machine *body, since time.Time) (bool, error) {
	if machine.hasKernel() {
		console, err := run(ctx, nil, "docker", "logs", "--since", since.Format(time.RFC3339Nano), machine.ID)
		return strings.Contains(console, " as init process"), err
	}
	name, err := docker(ctx, "exec", machine.ID, "cat", "/proc/1/comm")
	return name == "systemd", err
}

func (c *Computer) recordPath(instance string) string { return c.path("machines", instance+".json") }

// need returns a machine's container, or the error that there is none.
func (c *Computer) need(ctx context.Context, instance string) (*body, error) {
	b, err := c.container(ctx, labelMachine, instance)
	if err == nil && b == nil {
		err = fmt.Errorf(
			"local cloud %q has no such machine: it was terminated, or local-clean removed it; refresh the stack",
			c.name)
	}
	return b, err
}

// Stop has a machine stop all its services in their order, and then itself. Its disks stay.
func (c *Computer) Stop(ctx context.Context, instance string) error {
	defer c.objects.lock(instance)()
	b, err := c.need(ctx, instance)
	if err == nil {
		err = c.stop(ctx, instance, b)
	}
	if err != nil {
		return fmt.Errorf("machine %s: stop: %w", instance, err)
	}
	return nil
}

// stop stops a machine's container. The machine's lock is held.
func (c *Computer) stop(ctx context.Context, instance string, b *body) error {
	if err := writeJSON(c.recordPath(instance), record{Running: false}); err != nil {
		return err
	}
	switch b.State.Status {
	case "running":
	case "paused": // it cannot stop in an orderly way before it goes on
		if _, err := docker(ctx, "unpause", b.ID); err != nil {
			return err
		}
	default:
		return nil
	}
	defer c.step("stopping machine %s", instance)()
	_, err := docker(ctx, "stop", "--time", fmt.Sprintf("%.0f", stopPatience.Seconds()), b.ID)
	return err
}

// Start boots a machine that was stopped; one that runs is left alone.
func (c *Computer) Start(ctx context.Context, instance string) error {
	defer c.objects.lock(instance)()
	b, err := c.need(ctx, instance)
	if err == nil && b.State.Status != "running" {
		err = c.start(ctx, instance, b)
	}
	if err != nil {
		return fmt.Errorf("machine %s: start: %w", instance, err)
	}
	return nil
}

// Reboot stops a machine in an orderly way and boots it again.
func (c *Computer) Reboot(ctx context.Context, instance string) error {
	if err := c.Stop(ctx, instance); err != nil {
		return err
	}
	return c.Start(ctx, instance)
}

// Terminate stops a machine in an orderly way and removes it with its own disks. Volumes are detached and stay.
// Terminating a machine that is gone is no error.
func (c *Computer) Terminate(ctx context.Context, instance string) error {
	defer c.objects.lock(instance)()
	if err := c.terminate(ctx, instance); err != nil {
		return fmt.Errorf("machine %s: terminate: %w", instance, err)
	}
	return nil
}

func (c *Computer) terminate(ctx context.Context, instance string) error {
	b, err := c.container(ctx, labelMachine, instance)
	if err != nil {
		return err
	}
	if b != nil {
		if err := c.stop(ctx, instance, b); err != nil {
			return err
		}
		if err := c.removeContainer(ctx, b); err != nil {
			return err
		}
	}
	volumes, err := c.find(ctx, "volume", labelMachine+"="+instance)
	if err != nil {
		return err
	}
	for _, volume := range volumes {
		if _, err := docker(ctx, "volume", "rm", volume); err != nil {
			return err
		}
	}
	c.volumes.Lock()
	defer c.volumes.Unlock()
	if err := c.detachAll(ctx, instance); err != nil {
		return err
	}
	return removeFile(c.recordPath(instance))
}

// State tells what a machine does.
func (c *Computer) State(ctx context.Context, instance string) (State, error) {
	b, err := c.container(ctx, labelMachine, instance)
	if err != nil {
		return State{}, fmt.Errorf("machine %s: %w", instance, err)
	}
	if b == nil {
		return State{Phase: Gone}, nil
	}
	return c.stateOf(b), nil
}

// States tells what every machine of the stack does, by instance id, at the price of one. What is not in it is gone.
func (c *Computer) States(ctx context.Context) (map[string]State, error) {
	bodies, err := c.containers(ctx, labelMachine, c.stackLabel())
	if err != nil {
		return nil, fmt.Errorf("machines of stack %s: %w", c.options.Stack, err)
	}
	states := map[string]State{}
	for _, b := range bodies {
		states[b.Config.Labels[labelMachine]] = c.stateOf(&b)
	}
	return states, nil
}

func (c *Computer) stateOf(b *body) State {
	state := State{Phase: Stopped, PrivateIP: c.addressOf(b)}
	if b.State.Status == "running" || b.State.Status == "paused" {
		state.Phase = Running
	}
	return state
}

// Exec runs a program on a machine and returns its standard output. It is for looking, not for provisioning: user data
// does that.
func (c *Computer) Exec(ctx context.Context, instance string, argv ...string) ([]byte, error) {
	b, err := c.need(ctx, instance)
	if err != nil {
		return nil, fmt.Errorf("machine %s: %w", instance, err)
	}
	out, err := run(ctx, nil, b.insideArgs(argv...)...)
	if err != nil {
		return []byte(out), fmt.Errorf("machine %s: %s: %w", instance, strings.Join(argv, " "), err)
	}
	return []byte(out), nil
}

// resume starts the machines that ran when the computer, or Docker, went down.
func (c *Computer) resume(ctx context.Context) error {
	bodies, err := c.containers(ctx, labelMachine)
	if err != nil {
		return err
	}
	for _, b := range bodies {
		instance := b.Config.Labels[labelMachine]
		var last record
		if _, err := readJSON(c.recordPath(instance), &last); err != nil {
			return fmt.Errorf("machine %s: %w", instance, err)
		}
		if !last.Running || b.State.Status != "exited" || b.Config.Labels[labelGroup] != "" {
			continue
		}
		c.options.Progress(
			fmt.Sprintf("machine %s ran when this computer or its Docker stopped: starting it", instance))
		if err := c.Start(ctx, instance); err != nil {
			return err
		}
	}
	return nil
}
