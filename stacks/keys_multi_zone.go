package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"twip/components/compute"
	"twip/components/network"
	"twip/components/store"
	"twip/infra/boot"
)

// multiZoneKeys are those that only the multi-zone topology reads.
var multiZoneKeys = []Key{
	{
		Name: "appServers", Default: map[string]any{"min": 2, "max": 4}, Example: "{min: 2, max: 4}",
		Description: "In groups: fewest and most machines with an app server; one server is the writer at a time, " +
			"all can answer.",
		read: size(func(c *Config) *compute.Size { return &c.MultiZone.AppServers }),
	},
	{
		Name: "staticServers", Default: map[string]any{"min": 2, "max": 4}, Example: "{min: 2, max: 4}",
		Description: "In groups: fewest and most machines that serve images and stylesheets.",
		read:        size(func(c *Config) *compute.Size { return &c.MultiZone.StaticServers }),
	},
	{
		Name: "staticInstanceType", Default: "t3.micro", Example: "t3.micro",
		Description: "In groups: EC2 instance type of the machines that serve images and stylesheets.",
		read: text(func(c *Config) *string { return &c.MultiZone.StaticInstanceType },
			oneOf(boot.InstanceTypeNames()...)),
	},
	{
		Name: "natGateways", Default: natPerZone, Example: natSingle,
		Description: "In groups: per-zone survives the loss of a zone; single is cheaper, and its zone's loss cuts " +
			"machines off from the registry and logs.",
		read: text(func(c *Config) *string { return &c.MultiZone.NATGateways }, oneOf(natPerZone, natSingle)),
	},
	{
		Name: "interfaceEndpoints", Default: false, Example: "true",
		Description: "In groups: reach the registry and the logs without NAT.",
		read:        boolean(func(c *Config) *bool { return &c.MultiZone.InterfaceEndpoints }),
	},
	{
		Name: "network", Default: map[string]any{},
		Example: "{vpcId: vpc-01234567, public: {a: subnet-01234567, b: subnet-12345678}, private: {a: " +
			"subnet-23456789, b: subnet-3456789a}}",
		Description: "In groups: an existing VPC with a public and a private subnet for every zone; empty makes a VPC.",
		read:        existingNetwork,
	},
	{
		Name: "protectEdge", Default: true, Example: "true",
		Description: "In groups: refuse to delete the load balancer, also when the environment is destroyed.",
		read:        boolean(func(c *Config) *bool { return &c.MultiZone.ProtectEdge }),
	},
	{
		Name: "waf", Default: true, Example: "true",
		Description: "In groups: put a web application firewall before the site, with rules against OGNL, Amazon's " +
			"rules and a request limit.",
		read: boolean(func(c *Config) *bool { return &c.MultiZone.WAF }),
	},
	{
		Name: "wafRequestsPer5Minutes", Default: 2000, Example: "2000",
		Description: "Most requests of one address in five minutes; the web ACL refuses the rest.",
		read:        integer(func(c *Config) *int { return &c.MultiZone.WAFRequestsPer5Minutes }, between(10, 2_000_000_000)),
	},
	{
		Name: "wafUncountedCidrs", Default: []any{}, Example: "[198.51.100.0/24]",
		Description: "IPv4 ranges whose requests are not counted for wafRequestsPer5Minutes: one's own networks, such " +
			"as a company behind one address, or the machine that make bench runs on.",
		read: list(func(c *Config) *[]string { return &c.MultiZone.WAFUncountedCIDRs }, each(ipv4Range)),
	},
	{
		Name: "cdn", Default: false, Example: "true",
		Description: "In groups: put CloudFront in front; needs domain, waf and cdnSecret.",
		read:        boolean(func(c *Config) *bool { return &c.MultiZone.CDN }),
	},
	{
		Name: "cdnSecret", Default: "", Secret: true, Example: strings.Repeat("0123456789abcdef", 4),
		Description: "What CloudFront proves itself to the load balancer with; make it with openssl rand -hex 32 " +
			"and set it with pulumi config set --secret.",
		read: text(func(c *Config) *string { return &c.MultiZone.CDNSecret },
			optional(matches(cdnSecretRE, "it is not 32 to 128 letters and digits"))),
	},
	{
		Name: "cdnSecretAlso", Default: "", Secret: true, Example: strings.Repeat("fedcba9876543210", 4),
		Description: "A second secret that the load balancer accepts from CloudFront, while cdnSecret is changed: set " +
			"the new one here, exchange the two, take the old one away; pulumi up after each.",
		read: text(func(c *Config) *string { return &c.MultiZone.CDNSecretAlso },
			optional(matches(cdnSecretRE, "it is not 32 to 128 letters and digits"))),
	},
	{
		Name: "cdnBothWays", Default: false, Example: "true",
		Description: "With cdn: the load balancer goes on answering those who come to it directly; for the first hour " +
			"of CloudFront, until nobody has an old address any more.",
		read: boolean(func(c *Config) *bool { return &c.MultiZone.CDNBothWays }),
	},
	{
		Name: "backups", Default: map[string]any{"every": "hour", "keepDays": 35},
		Example: "{every: day, keepDays: 90, lockDays: 30, copyTo: eu-west-1}",
		Description: "In groups: how often the data is copied to the vault (hour or day), how many days a copy is " +
			"kept, for " +
			"how many nobody can delete it (lockDays; 0: no lock), and the region of a second vault (copyTo; none).",
		read: backups,
	},
	{
		Name: "alarmEmail", Default: "", Example: "ops@example.com",
		Description: "In groups: who is told of alarms; empty: nobody yet, and they are on the dashboard only.",
		read: text(func(c *Config) *string { return &c.MultiZone.AlarmEmail },
			optional(matches(emailRE, "it is not an e-mail address"))),
	},
	{
		Name: "urgentEmail", Default: "", Example: "pager@example.com",
		Description: "In groups: who is told instead of alarmEmail of what cannot wait until the morning: visitors notice " +
			"it, or would with the next failure; empty: alarmEmail.",
		read: text(func(c *Config) *string { return &c.MultiZone.UrgentEmail },
			optional(matches(emailRE, "it is not an e-mail address"))),
	},
	{
		Name: "monthlyBudgetUsd", Default: 0, Example: "400",
		Description: "US dollars a month of this environment: a preview of what has a higher list price fails (make " +
			"cost); in groups, alarmEmail is told at 80 % of it (by the Stack tag); 0: no budget.",
		read: integer(func(c *Config) *int { return &c.MultiZone.MonthlyBudgetUSD }, between(0, 1_000_000)),
	},
}

const (
	natPerZone = "per-zone"
	natSingle  = "single"
)

var (
	cdnSecretRE = regexp.MustCompile(`^[A-Za-z0-9]{32,128}$`)
	emailRE     = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	vpcRE       = regexp.MustCompile(`^vpc-[0-9a-f]{8,17}$`)
	subnetRE    = regexp.MustCompile(`^subnet-[0-9a-f]{8,17}$`)
)

// strictly reads JSON into a struct whose fields are all there is.
func strictly(raw string, into any) error {
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

func size(field func(*Config) *compute.Size) func(string, *Config) error {
	return func(raw string, c *Config) error {
		if err := strictly(raw, field(c)); err != nil {
			return errors.New("it is not {min: number, max: number}")
		}
		switch s := *field(c); {
		case s.Min < 2:
			return fmt.Errorf("min is %d: with fewer than 2 machines one's failure is an outage", s.Min)
		case s.Max < s.Min:
			return fmt.Errorf("max is %d, less than min, which is %d", s.Max, s.Min)
		}
		return nil
	}
}

func backups(raw string, c *Config) error {
	said := struct {
		Every    string `json:"every"`
		KeepDays int    `json:"keepDays"`
		LockDays int    `json:"lockDays"`
		CopyTo   string `json:"copyTo"`
	}{Every: "hour", KeepDays: 35}
	if err := strictly(raw, &said); err != nil {
		return errors.New("it is not {every: hour or day, keepDays: number, lockDays: number, copyTo: region}")
	}
	c.MultiZone.Backups = store.Backups{Hourly: said.Every == "hour", KeepDays: said.KeepDays, LockDays: said.LockDays}
	c.MultiZone.BackupRegion = said.CopyTo
	return errors.Join(oneOf("hour", "day")(said.Every), between(1, 3650)(said.KeepDays),
		between(0, max(said.KeepDays, 0))(said.LockDays),
		optional(matches(regionRE, fmt.Sprintf("copyTo is %q, not a region", said.CopyTo)))(said.CopyTo))
}

func existingNetwork(raw string, c *Config) error {
	var said struct {
		VPCID   string            `json:"vpcId"`
		Public  map[string]string `json:"public"`
		Private map[string]string `json:"private"`
	}
	if err := strictly(raw, &said); err != nil {
		return errors.New("it is not {vpcId: …, public: {zone: subnet}, private: {zone: subnet}}")
	}
	if raw == "{}" {
		c.MultiZone.Network = nil
		return nil
	}
	n := &network.Existing{VPCID: said.VPCID, Public: map[string]string{}, Private: map[string]string{}}
	c.MultiZone.Network = n
	problems := []error{matches(vpcRE, fmt.Sprintf("vpcId is %q, not the id of a VPC", said.VPCID))(said.VPCID)}
	for _, half := range []struct {
		from, into map[string]string
	}{{said.Public, n.Public}, {said.Private, n.Private}} {
		for _, letter := range sortedKeys(half.from) {
			id := half.from[letter]
			problems = append(problems, matches(zoneRE, fmt.Sprintf("%q is not a zone's letter", letter))(letter),
				matches(subnetRE, fmt.Sprintf("%q is not the id of a subnet", id))(id))
			half.into[letter] = id
		}
	}
	return errors.Join(problems...)
}
