package stacks

import (
	"twip/components/compute"
	"twip/infra/boot"
)

// Topology is the shape of an environment.
type Topology string

// SingleHost runs everything on one machine.
const SingleHost Topology = "single-host"

// Config is what an environment's configuration says, checked: see keys.go for what each field means.
type Config struct {
	Project, Stack string // as Pulumi names them
	Region         string // aws:region
	Account        string // the only AWS account that it may be in; empty: any

	Topology         Topology
	Artifacts        string
	BaseImage        string
	Rebuild          string
	TrainingRun      string
	Release          Release
	ReleaseBefore    Release
	Built            map[string]string // digest by the hash of content
	MachineImage     string
	InstanceType     string
	AppContainers    int
	MemoryMiB        Memory
	DataVolumeGiB    int
	NightlySnapshots int
	ProtectData      bool
	ExpectData       bool
	Uploads          bool
	Outbound         bool
	SiteCIDRs        []string
	StatsCIDRs       []string
	Domain           string
	HostedZone       string
	VPCCIDR          string
	Zones            []string
	LogRetentionDays int
	Tags             map[string]string
	WorkingHours     *compute.Hours // nil: always
	Sessions         *boot.Sessions // nil: none
	MultiZone        MultiZoneConfig
}

// name is how a part of this environment is called. It begins with project and stack, because physical names are made
// from it and several environments may share an account.
func (c *Config) name(part string) string { return c.Project + "-" + c.Stack + "-" + part }

// ZoneNames turns the configured letters into full names.
func (c *Config) ZoneNames() []string {
	names := make([]string, len(c.Zones))
	for i, letter := range c.Zones {
		names[i] = c.Region + letter
	}
	return names
}
