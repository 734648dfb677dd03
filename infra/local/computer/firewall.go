package computer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Firewall says which connections of machines with kernels of their own may be opened. It is what security groups come
// to: an answer needs no rule, and what is not let through is dropped without a word.
type Firewall struct {
	Machines []netip.Addr // the machines that it is about; others do as they like
	Inside   []netip.Addr // whose flows to Machines are given by Between alone; the others' by In
	Between  []Flow
	In, Out  []Flow       // from outside to a machine, and from one to the outside
	Stores   []netip.Addr // the machines that may call the mount targets
}

// Flow is traffic that may be opened from one side to the other.
type Flow struct {
	From, To netip.Prefix
	Protocol string // tcp, udp; empty: all
	Ports    [2]int // from and to; both 0: all
}

// firewallFile holds a zone's rules, for when it starts again.
const firewallFile = "/etc/twip/firewall"

// metadataService is reached whatever security groups say:
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
const metadataService = "169.254.169.254/32"

func (f Flow) match() string {
	match := fmt.Sprintf("-s %s -d %s", f.From, f.To)
	if f.Protocol != "" {
		match += " -p " + f.Protocol
	}
	if f.Ports != [2]int{} {
		match += fmt.Sprintf(" --dport %d:%d", f.Ports[0], f.Ports[1])
	}
	return match
}

// text is the rules in the words of iptables-restore. The chains bear the names of those that lead to them.
func (f Firewall) text() []byte {
	var b strings.Builder
	b.WriteString("*filter\n:twip-FORWARD - [0:0]\n:twip-INPUT - [0:0]\n")
	rule := func(chain, match, target string) { fmt.Fprintf(&b, "-A twip-%s %s -j %s\n", chain, match, target) }
	rule("FORWARD", "-m conntrack --ctstate ESTABLISHED,RELATED", "RETURN")
	for _, flow := range f.Between {
		rule("FORWARD", flow.match(), "RETURN")
	}
	for _, from := range f.Inside {
		for _, to := range f.Machines {
			rule("FORWARD", fmt.Sprintf("-s %s -d %s", from, to), "DROP")
		}
	}
	for _, flow := range f.In {
		rule("FORWARD", flow.match(), "RETURN")
	}
	for _, machine := range f.Machines {
		rule("FORWARD", "-d "+machine.String(), "DROP")
	}
	for _, flow := range f.Out {
		rule("FORWARD", flow.match(), "RETURN")
	}
	for _, machine := range f.Machines {
		rule("FORWARD", fmt.Sprintf("-s %s -d %s", machine, metadataService), "RETURN")
		rule("FORWARD", "-s "+machine.String(), "DROP")
	}
	rule("INPUT", "-m conntrack --ctstate ESTABLISHED,RELATED", "RETURN")
	for _, machine := range f.Machines {
		if !slices.Contains(f.Stores, machine) {
			rule("INPUT", "-s "+machine.String(), "DROP")
		}
	}
	b.WriteString("COMMIT\n")
	return []byte(b.String())
}

// SetZoneFirewalls has all zones keep to it, also those that are made later. Zones of an older kind have no firewall.
func (c *Computer) SetZoneFirewalls(ctx context.Context, f Firewall) error {
	c.firewall.Lock()
	defer c.firewall.Unlock()
	c.rules = f
	image, err := c.ensureImage(ctx, "kernel", kernelContext, nil)
	if err != nil {
		return err
	}
	zones, err := c.containers(ctx, labelZone, labelConfig+"="+image, c.stackLabel())
	for _, z := range zones {
		if putErr := putFiles(ctx, z.ID, file{firewallFile, 0o644, f.text()}); putErr != nil {
			err = errors.Join(err, putErr)
			continue
		}
		if z.State.Status == "running" {
			_, ruleErr := docker(ctx, "exec", z.ID, "sh", "-c", "/usr/local/lib/twip/firewall <"+firewallFile)
			err = errors.Join(err, ruleErr)
		}
	}
	if err != nil {
		return fmt.Errorf("firewall of stack %s: %w", c.options.Stack, err)
	}
	return nil
}
