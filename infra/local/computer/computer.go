package computer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
)

// Options say where a local cloud keeps its files, which names of AWS it answers to, and how it is seen from outside.
type Options struct {
	// State is the directory of this cloud's files: data volumes, the certificate authority, moto's process id.
	// The default is twip/computer/<name> in the user's cache directory.
	State string

	// Stack is the stack that machines, volumes and addresses are made for. RemoveStack finds them by it. The default
	// is the cloud's name.
	Stack string

	// Region and Account are part of the host names that the endpoints answer to. The defaults are DefaultRegion and
	// DefaultAccount.
	Region, Account string

	// Ports maps an instance's port to the port of 127.0.0.1 that leads to it once it is published; 0 leaves the choice
	// to the system, see Published. The default is DefaultPorts. Publishing a port that is not in the map is an error.
	Ports map[int]int

	// Progress receives one line for each thing that a person waits for. The default drops them.
	Progress func(line string)
}

const (
	// DefaultRegion is the region that the endpoints answer for unless Options name another.
	DefaultRegion = "us-east-1"
	// DefaultAccount is an account number that AWS gives to nobody.
	DefaultAccount = "000000000000"
)

// DefaultPorts returns the host port of each instance port that the training environment publishes: the site and the
// proxy's statistics.
func DefaultPorts() map[int]int { return map[int]int{80: 8080, 1936: 1936} }

// Machine is what an EC2 instance needs to have a body.
type Machine struct {
	ID        string // the instance id; letters, digits and dashes
	Name      string // host name, for people
	Type      string // EC2's instance type, for people
	Zone      string // availability zone, answered to whoever asks for it
	MemoryMiB int    // all that runs on the machine shares this much memory
	UserData  []byte // given to cloud-init byte for byte

	// Of machines in a group.
	Group      string            // replaces the machine when it is gone; empty: it is started again instead
	FileSystem string            // what mount.nfs4 mounts; empty: there is none
	Hosts      map[string]string // addresses by name, beside those that the network knows
}

// group are the fields that only machines in a group have, in words.
func (m Machine) group() []byte {
	if m.Group == "" && m.FileSystem == "" && len(m.Hosts) == 0 {
		return nil
	}
	return fmt.Appendf(nil, "%s %s %v", m.Group, m.FileSystem, m.Hosts) // maps are printed in the order of their keys
}

// Phase is an instance's state as far as a body has one.
type Phase string

// The phases of an instance.
const (
	Running Phase = "running"
	Stopped Phase = "stopped"
	Gone    Phase = "terminated" // it was terminated, or never launched
)

// State is what there is to know about an instance from outside.
type State struct {
	Phase     Phase
	PrivateIP string // fixed from launch to termination; "" when gone
}

// Build is an image to make and to put into the registry.
type Build struct {
	Repository string            // the ECR repository's name, or its URL
	Tag        string            // the tag in the registry
	Context    string            // directory that the build reads
	Dockerfile string            // path of the Dockerfile; "" means Context/Dockerfile
	Args       map[string]string // build arguments
}

// Computer is one local cloud: everything that it makes carries the label twip.local=<name>.
// Its methods may be called from several goroutines, and every one of them may be called again after a failure.
type Computer struct {
	name    string
	options Options

	ensure    sync.Mutex // held by Ensure and Remove
	objects   locks      // by instance or address
	addresses sync.Mutex // held from choosing a machine's address until the machine exists
	volumes   sync.Mutex // held while the attachments of volumes change
	logGroups sync.Mutex // guards the file of their names
	mu        sync.Mutex // guards base
	base      string
	kernels   bool     // machines get kernels of their own
	packages  []string // which those find installed

	firewall sync.Mutex // guards rules, and is held while they are given to zones
	rules    Firewall
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,30}$`)

// New describes the local cloud called name; it does nothing on the computer until Ensure is called.
func New(name string, o Options) *Computer {
	if o.Region == "" {
		o.Region = DefaultRegion
	}
	if o.Account == "" {
		o.Account = DefaultAccount
	}
	if o.Stack == "" {
		o.Stack = name
	}
	if o.Ports == nil {
		o.Ports = DefaultPorts()
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.State == "" {
		if cache, err := os.UserCacheDir(); err == nil {
			o.State = filepath.Join(cache, "twip", "computer", name)
		}
	}
	return &Computer{name: name, options: o}
}

// UseKernels gives machines that are launched from now on Linux kernels of their own (User Mode Linux), where they
// would be containers; they find these of Debian's packages installed. It is called before any other method.
func (c *Computer) UseKernels(packages []string) { c.kernels, c.packages = true, packages }

// Ensure has everything there that the other methods need: Docker, the base image, the machine image, the network, the
// endpoints. It repairs what a crash or a restart of the computer left: log groups are made again and machines that ran
// are started.
func (c *Computer) Ensure(ctx context.Context) error {
	c.ensure.Lock()
	defer c.ensure.Unlock()
	if err := c.ensureAll(ctx); err != nil {
		return fmt.Errorf("local cloud %q: %w", c.name, err)
	}
	return nil
}

func (c *Computer) ensureAll(ctx context.Context) error {
	base, err := c.EnsureBase(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.base = base
	c.mu.Unlock()
	authority, err := openAuthority(c.path("tls"), c.name)
	if err != nil {
		return err
	}
	if err := c.ensureNetwork(ctx); err != nil {
		return err
	}
	if err := c.ensureEndpoints(ctx, authority); err != nil {
		return err
	}
	if err := c.restoreLogGroups(ctx); err != nil {
		return err
	}
	if err := c.tellInstances(ctx); err != nil {
		return err
	}
	if _, err := c.ensureImage(ctx, "machine", machineContext, nil); err != nil {
		return err
	}
	return c.resume(ctx)
}

func (c *Computer) openState() error {
	if !validName.MatchString(c.name) || c.name == sharedImages {
		return fmt.Errorf("name: use up to 31 small letters, digits and dashes, and not %q", sharedImages)
	}
	if c.options.State == "" {
		return errors.New("no state directory: set HOME or XDG_CACHE_HOME")
	}
	if err := os.MkdirAll(c.options.State, 0o700); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	return nil
}

// path names a file of the state directory, by the path that loop devices know it by.
func (c *Computer) path(parts ...string) string {
	state := c.options.State
	if real, err := filepath.EvalSymlinks(state); err == nil {
		state = real
	}
	if absolute, err := filepath.Abs(state); err == nil {
		state = absolute
	}
	return filepath.Join(append([]string{state}, parts...)...)
}
