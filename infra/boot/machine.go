package boot

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"twip/infra/images"
)

const (
	// StoreUID is the user and group that every container runs as, and the owner of the store's data directory.
	StoreUID = 10001

	// VolumeDir is where a machine mounts its store; StoreDir, below it, is what containers see. The directory
	// between them keeps what a file system puts at its root (lost+found) away from the data.
	VolumeDir = "/var/lib/twip/volume"
	StoreDir  = VolumeDir + "/store"

	// MaxBytes is the most user data EC2 accepts, before base64:
	// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html
	MaxBytes = 16 * 1024
)

// Machine is what one machine runs. All fields are plain values: what is only known while deploying (a digest, a
// volume's id) is filled in by the caller before it renders.
type Machine struct {
	Hostname   string      // empty: the name EC2 gives, which is what machines in a group want
	Region     string      // AWS region of the log groups
	Journal    string      // log group that gets the machine's journal, and its memory and disks as metrics
	Store      *Store      // nil: the machine keeps no data
	Containers []Container // started in this order, stopped in reverse
	Sessions   *Sessions   // nil: nobody can open a session on the machine
	GivesUp    bool        // in a group: power off when a container stays unhealthy, for another machine to come
	Launch     *Launch     // in a group: what it waits for before this machine serves; nil: nothing
}

// Launch is the lifecycle hook that holds a new machine back until it can serve.
type Launch struct {
	Hook string // name
	URL  string // on this machine; answers 200 when it can serve
}

// Sessions lets people whom IAM lets in open a shell on the machine, through AWS Systems Manager: no SSH, no open port.
type Sessions struct {
	Version string // of Amazon's agent, such as 3.3.987.0
	SHA256  string // of its Debian package for amd64, in hexadecimal
}

// Store is where the machine's data lives. Exactly one of the two is set.
type Store struct {
	Volume *Volume
	EFS    *EFS
}

// Volume is an attached EBS volume. It is formatted only when its first MiB is all zeros, and mounted only when
// it carries Label: a volume with foreign data is refused and left as it is.
type Volume struct {
	Device string // device name of the attachment, as Xen machines see it, e.g. /dev/xvdf
	ID     string // vol-…; Nitro machines find the disk by it (/dev/disk/by-id), since device names are lost there
	Label  string // label of the ext4 file system, at most 16 bytes
}

// EFS is an Elastic File System, mounted over TLS: Debian has no efs-utils, so stunnel carries NFS 4.1.
type EFS struct {
	DNSName string // fs-….efs.<region>.amazonaws.com
}

// Container is one container and the systemd unit around it.
type Container struct {
	Name        string            // unit twip-<name>.service; also the container's DNS name on the machine
	Image       string            // repository@sha256:…
	LogGroup    string            // CloudWatch log group; the stream is <hostname>/<name>
	MemoryMiB   int               // hard limit, swap included
	PIDs        int               // most processes and threads
	Ports       []Port            // published on the machine
	Env         map[string]string // environment of the container
	AddressEnv  string            // name of a variable that tells it the machine's own IPv4 address; empty: none does
	Tmpfs       []string          // writable directories, in Docker's form: /tmp:size=16m,mode=1777
	StoreMount  string            // where the store's data appears in the container; empty: it does not
	SocketMount string            // where a directory for sockets appears, by which PeersMount finds it; empty: none
	PeersMount  string            // where those of all containers of the machine appear, by their names; empty: none
	Health      []string          // command run inside the container; it is restarted when this keeps failing
	StopSeconds int               // grace between SIGTERM and SIGKILL

	// Before is the digest of the release before's image, in the repository of Image: FilesDir of it appears in the
	// container as BeforeDir; empty: nothing does.
	Before string
}

const (
	// FilesDir is what a static image has its files in, and BeforeDir is where its container looks for those that
	// only the release before has.
	FilesDir  = "/srv/site"
	BeforeDir = "/srv/before"

	// BeforeMount is how; what lies there is kept when the container or the machine starts again.
	BeforeMount     = "type=bind,source=" + beforeDirOnHost + ",target=" + BeforeDir + ",readonly"
	beforeDirOnHost = "/var/lib/twip/before"
)

// SocketsDir is where containers of a machine have their directories for sockets. It goes when the machine stops.
const SocketsDir = "/run/twip-sockets"

// Port publishes a container's port on the machine.
type Port struct{ Host, Container int }

var (
	nameRE    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)
	regionRE  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	deviceRE  = regexp.MustCompile(`^/dev/[a-z]+[0-9]*$`)
	volumeRE  = regexp.MustCompile(`^vol-[0-9a-f]{8,17}$`)
	labelRE   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,15}$`)
	dnsRE     = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
	imageRE   = regexp.MustCompile(`^[a-z0-9][a-z0-9./:_-]*@sha256:[0-9a-f]{64}$`)
	groupRE   = regexp.MustCompile(`^[A-Za-z0-9_./#-]{1,512}$`)
	envRE     = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	wordRE    = regexp.MustCompile(`^[A-Za-z0-9/_.:=-]+$`)
	tmpfsRE   = regexp.MustCompile(`^/[A-Za-z0-9/_.-]+(:[a-z0-9=,]+)?$`)
	versionRE = regexp.MustCompile(`^[0-9]+(\.[0-9]+){3}$`)
	sha256RE  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	launchRE  = regexp.MustCompile(`^http://127\.0\.0\.1:[0-9]{1,5}/[a-z0-9/._-]*$`)
	pathRE    = regexp.MustCompile(`^/[A-Za-z0-9/_.-]+$`)
)

// Validate reports every value that cannot be rendered, joined into one error.
func (m Machine) Validate() error {
	var p problems
	p.unless(m.Hostname == "" || nameRE.MatchString(m.Hostname), "hostname", m.Hostname,
		"use lower-case letters, digits and dashes")
	p.unless(regionRE.MatchString(m.Region), "region", m.Region, "use a region's name, such as eu-central-1")
	p.unless(groupRE.MatchString(m.Journal), "journal", m.Journal, "use a CloudWatch log group's name")
	p.unless(len(m.Containers) > 0, "containers", "", "give the machine at least one container")
	if m.Store != nil {
		p.addAll(m.Store.validate())
	}
	if m.Sessions != nil {
		p.unless(versionRE.MatchString(m.Sessions.Version), "sessions: version", m.Sessions.Version,
			"use the agent's version, such as 3.3.987.0")
		p.unless(sha256RE.MatchString(m.Sessions.SHA256), "sessions: sha256", m.Sessions.SHA256,
			"use 64 hexadecimal digits")
	}
	if m.Launch != nil {
		p.unless(nameRE.MatchString(m.Launch.Hook), "launch: hook", m.Launch.Hook,
			"use lower-case letters, digits and dashes")
		p.unless(launchRE.MatchString(m.Launch.URL), "launch: url", m.Launch.URL,
			"use an address of this machine, such as http://127.0.0.1:8080/healthz")
	}
	seen, published := map[string]bool{}, map[int]string{}
	for _, c := range m.Containers {
		p.addAll(c.validate())
		p.unless(!seen[c.Name], "container", c.Name, "give every container a name of its own")
		seen[c.Name] = true
		p.unless(c.StoreMount == "" || m.Store != nil, "container "+c.Name+": storeMount", c.StoreMount,
			"give the machine a store")
		for _, port := range c.Ports {
			other, taken := published[port.Host]
			p.unless(!taken, "container "+c.Name+": port", port.Host,
				"it is published by container "+other+" already; use another")
			published[port.Host] = c.Name
		}
	}
	return p.err()
}

func (s Store) validate() (p problems) {
	switch {
	case (s.Volume == nil) == (s.EFS == nil):
		p.unless(false, "store", "", "set exactly one of volume and EFS")
	case s.Volume != nil:
		p.unless(deviceRE.MatchString(s.Volume.Device), "store: device", s.Volume.Device,
			"use the attachment's device name, such as /dev/xvdf")
		p.unless(volumeRE.MatchString(s.Volume.ID), "store: volume id", s.Volume.ID,
			"use the EBS volume's id, such as vol-0123456789abcdef0")
		p.unless(labelRE.MatchString(s.Volume.Label), "store: label", s.Volume.Label,
			"use at most 16 lower-case letters, digits and dashes")
	default:
		p.unless(dnsRE.MatchString(s.EFS.DNSName), "store: EFS DNS name", s.EFS.DNSName,
			"use the file system's DNS name")
	}
	return p
}

func (c Container) validate() (p problems) {
	at := func(field string) string { return "container " + c.Name + ": " + field }
	p.unless(nameRE.MatchString(c.Name), at("name"), c.Name, "use lower-case letters, digits and dashes")
	p.unless(imageRE.MatchString(c.Image), at("image"), c.Image, "name it by digest, repository@sha256:<64 hex digits>")
	p.unless(groupRE.MatchString(c.LogGroup), at("logGroup"), c.LogGroup, "use a CloudWatch log group's name")
	p.unless(c.MemoryMiB >= 8, at("memoryMiB"), c.MemoryMiB, "use 8 MiB or more")
	p.unless(c.PIDs >= 1, at("pids"), c.PIDs, "use 1 or more")
	p.unless(c.StopSeconds >= 1, at("stopSeconds"), c.StopSeconds, "use 1 or more")
	p.unless(c.SocketMount == "" || pathRE.MatchString(c.SocketMount), at("socketMount"), c.SocketMount,
		"use a path, such as /sockets")
	p.unless(c.PeersMount == "" || pathRE.MatchString(c.PeersMount), at("peersMount"), c.PeersMount,
		"use a path, such as /sockets")
	p.unless(c.StoreMount == "" || pathRE.MatchString(c.StoreMount), at("storeMount"), c.StoreMount,
		"use an absolute path of plain characters")
	p.unless(len(c.Health) > 0, at("health"), "", "give a command that tells whether the container works")
	for _, port := range c.Ports {
		p.unless(isPort(port.Host) && isPort(port.Container), at("port"),
			fmt.Sprintf("%d:%d", port.Host, port.Container), "use 1 to 65535")
	}
	for _, word := range c.Health {
		p.unless(wordRE.MatchString(word), at("health"), word,
			"Docker hands the command to a shell: use plain words only")
	}
	for _, mount := range c.Tmpfs {
		p.unless(tmpfsRE.MatchString(mount), at("tmpfs"), mount, "use /path:option,option=value")
	}
	p.unless(c.AddressEnv == "" || envRE.MatchString(c.AddressEnv), at("addressEnv"), c.AddressEnv,
		"use upper-case letters, digits and underscores")
	p.unless(c.Before == "" || images.IsDigest(c.Before), at("before"), c.Before,
		"use sha256: and 64 hexadecimal digits")
	_, twice := c.Env[c.AddressEnv]
	p.unless(!twice, at("addressEnv"), c.AddressEnv, "env sets it already; use another name")
	for _, key := range sortedKeys(c.Env) {
		p.unless(envRE.MatchString(key), at("env"), key, "use upper-case letters, digits and underscores")
		p.unless(!strings.ContainsFunc(c.Env[key], isControl), at("env "+key), c.Env[key],
			"remove the control characters")
	}
	return p
}

func isPort(n int) bool     { return n >= 1 && n <= 65535 }
func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// problems collects what is wrong, so that a person sees all of it at once.
type problems []error

func (p *problems) unless(ok bool, field string, value any, wayOut string) {
	if !ok {
		*p = append(*p, fmt.Errorf("machine: %s: %#v cannot be used: %s", field, value, wayOut))
	}
}

func (p *problems) addAll(more problems) { *p = append(*p, more...) }

func (p problems) err() error { return errors.Join(p...) }
