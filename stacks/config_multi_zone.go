package stacks

import (
	"fmt"
	"net/netip"
	"slices"

	"twip/components/compute"
	"twip/components/network"
	"twip/components/store"
	"twip/infra/boot"
	"twip/infra/images"
)

// MultiZone runs every tier in a group over several availability zones.
const MultiZone Topology = "multi-zone"

// MultiZoneConfig is what only the multi-zone topology reads: see keys_multi_zone.go for what each field means.
type MultiZoneConfig struct {
	AppServers             compute.Size
	StaticServers          compute.Size
	StaticInstanceType     string
	NATGateways            string
	InterfaceEndpoints     bool
	Network                *network.Existing // zones by letter; nil makes a VPC
	ProtectEdge            bool
	WAF                    bool
	WAFRequestsPer5Minutes int
	WAFUncountedCIDRs      []string
	CDN                    bool
	CDNSecret              string
	CDNSecretAlso          string
	CDNBothWays            bool
	Backups                store.Backups
	BackupRegion           string // of the second vault; empty: none
	AlarmEmail             string
	UrgentEmail            string
	MonthlyBudgetUSD       int
}

// NATPerZone says whether every zone has a way out of its own.
func (c *Config) NATPerZone() bool { return c.MultiZone.NATGateways == natPerZone }

// multiZoneTogether finds values that are right by themselves but not with each other.
func multiZoneTogether(c *Config) (problems []error) {
	unless := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	m := c.MultiZone
	unless(len(c.Zones) == 2 || len(c.Zones) == 3,
		"twip:zones = %q: a group stands in two or three zones, for example twip:zones: [a, b]", c.Zones)
	if prefix, err := netip.ParsePrefix(c.VPCCIDR); err == nil && m.Network == nil {
		unless(prefix.Bits() <= 23, "twip:vpcCidr = %q: its subnets would be smaller than the /27 that a load "+
			"balancer wants; "+
			"use a /16 to /23", c.VPCCIDR)
	}
	if ports := map[bool]int{false: 1, true: 2}[c.Domain != ""]; !m.CDN {
		ranges := len(c.SiteCIDRs)
		if slices.Contains(c.SiteCIDRs, network.Anywhere) {
			ranges++ // those with IPv6 as well
		}
		unless(ranges*ports <= maxRules, "twip:siteCidrs has %d ranges for %d ports: a security group "+
			"takes %d rules; "+
			"join ranges, or ask for everyone with 0.0.0.0/0", len(c.SiteCIDRs), ports, maxRules)
	}
	for _, machine := range []struct {
		kind, key, instanceType string
		container               int
	}{
		{"app", "instanceType", c.InstanceType, c.MemoryMiB[images.App]},
		{"static", "staticInstanceType", m.StaticInstanceType, c.MemoryMiB[images.Static]},
	} {
		need, have := machineMiB+machine.container, boot.InstanceTypes[machine.instanceType]
		unless(need <= have,
			"twip:memoryMiB = {%s: %d}: that and the system's %d MiB make %d MiB, but twip:%s = %q has %d; lower "+
				"the limit or take a larger type",
			machine.kind, machine.container, machineMiB, need, machine.key, machine.instanceType, have)
	}
	unless(c.AppContainers == 1,
		"twip:appContainers = %d: in groups every machine has one app container; set twip:appServers, for example "+
			"{min: 3, max: 6}",
		c.AppContainers)
	unless(c.WorkingHours == nil, "twip:workingHours = %+v: groups run around the clock; remove it", c.WorkingHours)
	unless(m.Network == nil || m.NATGateways == natPerZone && !m.InterfaceEndpoints,
		"twip:natGateways = %q and twip:interfaceEndpoints = %t: with twip:network, whoever keeps that VPC decides "+
			"about both; remove them",
		m.NATGateways, m.InterfaceEndpoints)
	if m.Network != nil {
		for _, letter := range c.Zones {
			unless(m.Network.Public[letter] != "" && m.Network.Private[letter] != "",
				"twip:network = {vpcId: %s}: zone %s is in twip:zones but has no public and private subnet; name both",
				m.Network.VPCID, letter)
		}
	}
	unless(!m.CDN || c.Domain != "",
		"twip:cdn = true: CloudFront reaches the load balancer by a name; set twip:domain and twip:hostedZone")
	unless(!m.CDN || m.WAF, "twip:cdn = true: what the whole world reaches has a web ACL before it; set twip:waf: true")
	unless(!m.CDN || m.CDNSecret != "",
		"twip:cdn = true: without a secret anyone's distribution could pass for ours; run pulumi config set "+
			"--secret twip:cdnSecret \"$(openssl rand -hex 32)\"")
	unless(m.CDN || !m.CDNBothWays, "twip:cdnBothWays = true: without CloudFront there is one way; remove it, or set "+
		"twip:cdn: true")
	unless(m.CDNSecretAlso == "" || m.CDNSecretAlso != m.CDNSecret,
		"twip:cdnSecretAlso: it is twip:cdnSecret; set the secret that follows it, or the one before it")
	unless(!m.CDN || slices.Equal(c.SiteCIDRs, []string{"0.0.0.0/0"}),
		"twip:siteCidrs = %q: with twip:cdn = true CloudFront answers everyone, wherever they are; remove "+
			"twip:siteCidrs, or twip:cdn",
		c.SiteCIDRs)
	unless(m.BackupRegion != c.Region,
		"twip:backups = {copyTo: %s}: that is the region of the environment; name another, or leave it out", m.BackupRegion)
	unless(m.WAF || len(m.WAFUncountedCIDRs) == 0,
		"twip:wafUncountedCidrs = %q: without a web ACL nobody is counted; remove it, or set twip:waf: true",
		m.WAFUncountedCIDRs)
	unless(!slices.Contains(m.WAFUncountedCIDRs, network.Anywhere),
		"twip:wafUncountedCidrs = %q: that is everyone; name your own networks, or raise twip:wafRequestsPer5Minutes",
		m.WAFUncountedCIDRs)
	unless(m.UrgentEmail == "" || m.AlarmEmail != "",
		"twip:urgentEmail = %q: nobody would be told of what waits until the morning; set twip:alarmEmail", m.UrgentEmail)
	unless(m.MonthlyBudgetUSD == 0 || m.AlarmEmail != "",
		"twip:monthlyBudgetUsd = %d: nobody would be told; set twip:alarmEmail", m.MonthlyBudgetUSD)
	return problems
}

// maxRules is how many rules a security group takes in each direction, unless AWS has raised the quota:
// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
const maxRules = 60

// existing is the configured VPC with full names of zones.
func (c *Config) existing() *network.Existing {
	if c.MultiZone.Network == nil {
		return nil
	}
	named := func(byLetter map[string]string) map[string]string {
		byZone := map[string]string{}
		for letter, id := range byLetter {
			byZone[c.Region+letter] = id
		}
		return byZone
	}
	n := c.MultiZone.Network
	return &network.Existing{VPCID: n.VPCID, Public: named(n.Public), Private: named(n.Private)}
}
