package provider

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// publish is an address that leads to ports of an instance.
type publish struct {
	Instance string `json:"instance"`
	Ports    []int  `json:"ports"`
}

const (
	instanceType    = "aws:ec2/instance:Instance"
	addressType     = "aws:ec2/eip:Eip"
	associationType = "aws:ec2/eipAssociation:EipAssociation"
	ingressType     = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressType      = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
)

// here is who asks for a published port: somebody at this computer.
var here = netip.MustParseAddr("127.0.0.1")

// republish makes reachable what addresses, associations and security groups say together, and nothing else.
func (s *Server) republish(ctx context.Context, force bool) error {
	if s.options.Computer == nil {
		return nil
	}
	s.publishing.Lock()
	defer s.publishing.Unlock()
	c, err := s.state.read()
	if err != nil {
		return err
	}
	want := c.reachable(s.options.Ports)
	for _, address := range slices.Sorted(maps.Keys(c.Published)) {
		if _, still := want[address]; still {
			continue
		}
		if err := s.options.Computer.Unpublish(ctx, address); err != nil {
			return fmt.Errorf("unpublish address %s: %w", address, err)
		}
	}
	for _, address := range slices.Sorted(maps.Keys(want)) {
		w, was := want[address], c.Published[address]
		if !force && w.Instance == was.Instance && slices.Equal(w.Ports, was.Ports) {
			continue
		}
		if err := s.options.Computer.Publish(ctx, address, w.Instance, w.Ports); err != nil {
			return fmt.Errorf("publish ports %v of %s: %w", w.Ports, w.Instance, err)
		}
	}
	return s.state.change(func(c *contents) error { c.Published = want; return nil })
}

// reachable computes which ports each address leads to. Of two associations of one address the younger holds, as on
// EC2.
func (c contents) reachable(ports []int) map[string]publish {
	out := map[string]publish{}
	lead := func(address recorded, instance string) {
		if machine, ok := c.Resources[key(instanceType, instance)]; ok {
			out[address.ID] = publish{instance, c.open(machine, ports)}
		}
	}
	for _, a := range c.of(addressType) {
		if i := a.text("instance"); i != "" {
			lead(a, i)
		}
	}
	for _, a := range c.of(associationType) {
		if address, ok := c.Resources[key(addressType, a.text("allocationId"))]; ok {
			lead(address, a.text("instanceId"))
		}
	}
	return out
}

// open lists those of the ports that the machine's security groups open to this computer.
func (c contents) open(machine recorded, ports []int) []int {
	var out []int
	for _, port := range ports {
		if slices.ContainsFunc(c.of(ingressType), func(rule recorded) bool {
			return slices.Contains(machine.texts("vpcSecurityGroupIds"), rule.text("securityGroupId")) &&
				rule.admits(port)
		}) {
			out = append(out, port)
		}
	}
	slices.Sort(out)
	return out
}

func (rule recorded) admits(port int) bool {
	cidr, err := netip.ParsePrefix(rule.text("cidrIpv4"))
	if err != nil || !cidr.Contains(here) {
		return false // another group, a prefix list, IPv6: nobody at this computer
	}
	switch rule.text("ipProtocol") {
	case "-1":
		return true
	case "tcp":
		return rule.number("fromPort") <= port && port <= rule.number("toPort")
	}
	return false
}
