package region

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"

	"twip/infra/boot"
	"twip/infra/local/computer"
)

// Machines are the bodies of instances. Every method may be called again after a failure.
type Machines interface {
	Launch(ctx context.Context, m computer.Machine) error
	Terminate(ctx context.Context, id string) error                // in an orderly way
	States(ctx context.Context) (map[string]computer.State, error) // by id; one that is not in it is gone
	Exec(ctx context.Context, id string, argv ...string) ([]byte, error)

	Kill(ctx context.Context, id string) error
	Pause(ctx context.Context, id string) error
	Resume(ctx context.Context, id string) error
	// Separate cuts a machine off from addresses; Reconnect ends that.
	Separate(ctx context.Context, id string, from []netip.Addr) error
	Reconnect(ctx context.Context, id string, from []netip.Addr) error
}

// StoreFaults are machines whose file system can be made to fail.
type StoreFaults interface {
	HangStore(ctx context.Context) error    // it answers nothing
	RefuseStore(ctx context.Context) error  // it refuses connections
	RestoreStore(ctx context.Context) error // it answers again
	RestartStore(ctx context.Context) error // it is switched off and on again
	// RefuseTarget has the mount target of one zone refuse connections; RestoreTarget ends that.
	RefuseTarget(ctx context.Context, zone string) error
	RestoreTarget(ctx context.Context, zone string) error
}

// Firewalled are machines that open no connection but those that security groups let through.
type Firewalled interface {
	SetFirewall(ctx context.Context, f computer.Firewall) error
}

// Kinds of machines, as TWIP_MACHINES names them.
const (
	Containers = "containers"
	Kernels    = "kernels"
)

// CheckKind returns an error for what is no kind of machines.
func CheckKind(kind string) error {
	if kind != Containers && kind != Kernels {
		return fmt.Errorf("%q cannot be used: use %s or %s", kind, Containers, Kernels)
	}
	return nil
}

// KindOf is the kind of machines of the environment whose controller was started in a directory, empty if there is
// none.
func KindOf(dir string) (string, error) {
	config, err := Config{Dir: dir}.read()
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return cmp.Or(config.Machines, Containers), err // the first that were started had no other
}

// openMachines returns the machines of a kind.
func openMachines(kind string, c *computer.Computer) (Machines, error) {
	if err := CheckKind(kind); err != nil {
		return nil, fmt.Errorf("machines of the groups: %w", err)
	}
	if kind == Containers {
		return c, nil
	}
	c.UseKernels(boot.Packages())
	return kernels{c}, nil
}

// kernels are machines with kernels of their own: their file system is another one, and can be made to fail.
type kernels struct{ *computer.Computer }

func (k kernels) HangStore(ctx context.Context) error   { return k.HangStores(ctx) }
func (k kernels) RefuseStore(ctx context.Context) error { return k.RefuseStores(ctx) }
func (k kernels) SetFirewall(ctx context.Context, f computer.Firewall) error {
	return k.SetZoneFirewalls(ctx, f)
}
func (k kernels) RestartStore(ctx context.Context) error { return k.RestartStores(ctx) }
func (k kernels) RestoreStore(ctx context.Context) error { return k.RestoreStores(ctx) }
