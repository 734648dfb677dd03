package stacks

import (
	"fmt"
	"slices"
	"strconv"

	"twip/components"
	"twip/components/tier"
	"twip/infra/boot"
)

// Key is one configuration key, all there is to say of it. `go test ./stacks -update` writes the config section of
// Pulumi.yaml and the table of README.md from it.
type Key struct {
	Name        string // without the project's namespace
	Description string
	Default     any    // its type is the key's: string, int, bool, []any of strings, or map[string]any
	Example     string // a right value, in YAML
	Secret      bool   // Pulumi keeps it encrypted, and no message of ours shows it

	read func(raw string, into *Config) error // parses and checks; its errors give the reason, and no secret
}

// Keys is the table, in the order in which Pulumi.yaml and README.md show it.
var Keys = slices.Concat(commonKeys, releaseKeys, operationKeys, multiZoneKeys)

// Values of trainingRun.
const (
	trainingRequired = "required"
	trainingOptional = "optional"
)

// commonKeys are those that every topology reads, and those of the single host.
var commonKeys = []Key{
	{
		Name: "topology", Default: string(SingleHost), Example: string(SingleHost),
		Description: "Shape of the environment: single-host runs everything on one machine, multi-zone every tier " +
			"in a group over several zones.",
		read: text(func(c *Config) *string { return (*string)(&c.Topology) }, oneOf(topologyNames()...)),
	},
	{
		Name: "artifacts", Default: defaultArtifacts, Example: defaultArtifacts,
		Description: "Directory of companyNews.war and static.zip, from the project's root; each that is absent is " +
			"replaced by the sample's.",
		read: text(func(c *Config) *string { return &c.Artifacts }, filled),
	},
	{
		Name: "baseImage", Default: "debian:trixie-slim", Example: "debian:trixie-slim",
		Description: "Debian image that the container images are built on.",
		read: text(func(c *Config) *string { return &c.BaseImage }, matches(imageRE, "it is not an image's "+
			"name")),
	},
	{
		Name: "rebuild", Default: "", Example: "r2",
		Description: "Any text, such as r2; another one builds all images anew, for Debian's security updates or " +
			"when the registry holds their tags already.",
		read: text(func(c *Config) *string { return &c.Rebuild },
			matches(rebuildRE, "it becomes a build argument: letters, digits and . _ : - only")),
	},
	{
		Name: "trainingRun", Default: trainingRequired, Example: trainingOptional,
		Description: "Whether an application that does not serve / while its image is built ends the build (required), " +
			"or goes out all the same (optional), since it needs what a build does not have.",
		read: text(func(c *Config) *string { return &c.TrainingRun }, oneOf(trainingRequired, trainingOptional)),
	},
	{
		Name: "machineImage", Default: "debian-13-amd64-20251117-2299", Example: "debian-13-amd64-20251117-2299",
		Description: "Exact name of Debian's machine image, so that a new one is a decision and not a surprise; or of " +
			"one's own, which make machine-image makes.",
		read: text(func(c *Config) *string { return &c.MachineImage },
			matches(machineImageRE, "machines need an image of Debian 13 for amd64, named exactly")),
	},
	{
		Name: "instanceType", Default: "t2.micro", Example: "t2.micro",
		Description: "EC2 instance type of the machines.",
		read:        text(func(c *Config) *string { return &c.InstanceType }, oneOf(boot.InstanceTypeNames()...)),
	},
	{
		Name: "appContainers", Default: 1, Example: "2",
		Description: "App containers on the one machine; one of them is the writer at a time, the others stand by.",
		read:        integer(func(c *Config) *int { return &c.AppContainers }, between(1, tier.MaxAppContainers)),
	},
	{
		Name: "memoryMiB", Example: "{static: 32, app: 512, proxy: 64}",
		Default:     initialMemory(),
		Description: "Memory limit in MiB of a container of each kind; a kind that is left out keeps its default.",
		read:        memory,
	},
	{
		Name: "dataVolumeGiB", Default: 8, Example: "8",
		Description: "Size in GiB of the volume that keeps the data; it can grow but not shrink.",
		read:        integer(func(c *Config) *int { return &c.DataVolumeGiB }, between(1, 16384)),
	},
	{
		Name: "nightlySnapshots", Default: 7, Example: "7",
		Description: "On one host: how many nightly snapshots of the data volume are kept; 0: none are taken.",
		read:        integer(func(c *Config) *int { return &c.NightlySnapshots }, between(0, 1000)),
	},
	{
		Name: "protectData", Default: true, Example: "true",
		Description: "Refuse to delete the data, also when the environment is destroyed.",
		read:        boolean(func(c *Config) *bool { return &c.ProtectData }),
	},
	{
		Name: "expectData", Default: false, Example: "true",
		Description: "Refuse an empty store, so that nobody begins anew where articles were expected: another volume or " +
			"file system was mounted by mistake, or a backup was not restored. Set it once there are articles.",
		read: boolean(func(c *Config) *bool { return &c.ExpectData }),
	},
	{
		Name: "uploads", Default: false, Example: "true",
		Description: "Let people send files (multipart/form-data) to the application; without it such a request is " +
			"answered 415.",
		read: boolean(func(c *Config) *bool { return &c.Uploads }),
	},
	{
		Name: "outbound", Default: false, Example: "true",
		Description: "Let the application open connections, to a mail server for example; without it the kernel refuses " +
			"them to whatever runs in its JVM.",
		read: boolean(func(c *Config) *bool { return &c.Outbound }),
	},
	{
		Name: "siteCidrs", Default: []any{"0.0.0.0/0"}, Example: "[203.0.113.0/24]",
		Description: "IPv4 ranges that may see the site.",
		read:        list(func(c *Config) *[]string { return &c.SiteCIDRs }, atLeast(1), each(ipv4Range)),
	},
	{
		Name: "statsCidrs", Default: []any{}, Example: "[203.0.113.7/32]",
		Description: "IPv4 ranges that may see the edge's statistics page; none by default.",
		read:        list(func(c *Config) *[]string { return &c.StatsCIDRs }, each(ipv4Range)),
	},
	{
		Name: "domain", Default: "", Example: "news.example.com",
		Description: "Name of the site in the hosted zone; empty: the site is known by its address.",
		read: text(func(c *Config) *string { return &c.Domain },
			optional(matches(domainRE, "it is not a host name in lower case"))),
	},
	{
		Name: "hostedZone", Default: "", Example: "Z0123456789ABCDEFGHIJ",
		Description: "Id of the Route 53 hosted zone that the domain is in.",
		read: text(func(c *Config) *string { return &c.HostedZone },
			optional(matches(hostedZoneRE, "it is not the id of a hosted zone"))),
	},
	{
		Name: "vpcCidr", Default: "10.20.0.0/16", Example: "10.20.0.0/16",
		Description: "IPv4 range of the environment's network, /16 to /24.",
		read:        text(func(c *Config) *string { return &c.VPCCIDR }, ipv4Range, prefixBits(16, 24)),
	},
	{
		Name: "zones", Default: []any{"a", "b", "c"}, Example: "[a, b, c]",
		Description: "Availability zones by letter; one machine stands in the first, and its data volume cannot " +
			"leave that zone.",
		read: list(func(c *Config) *[]string { return &c.Zones }, atLeast(1),
			each(matches(zoneRE, "a zone is a letter from a to h"))),
	},
	{
		Name: "logRetentionDays", Default: 30, Example: "30",
		Description: "Days that CloudWatch Logs keeps what containers log.",
		read:        integer(func(c *Config) *int { return &c.LogRetentionDays }, oneNumberOf(components.LogRetentionDays)),
	},
	{
		Name: "tags", Default: map[string]any{}, Example: "{Owner: web team}",
		Description: "Tags that every resource gets beside Project, Stack and ManagedBy.",
		read:        tags,
	},
}

// problem is what a person is told about one key: which, what it says, why that is wrong, and what would be right.
func (k Key) problem(raw string, reason error) error {
	return fmt.Errorf("twip:%s = %s: %w; a right value is, for example, twip:%s: %s",
		k.Name, k.shown(raw), reason, k.Name, k.Example)
}

// shown is a value as messages show it.
func (k Key) shown(raw string) string {
	if k.Secret {
		return "[secret]"
	}
	return strconv.Quote(raw)
}
