package network

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Subnet is a range of addresses in one availability zone.
type Subnet struct {
	ID   pulumi.StringInput
	Zone string // full name, such as eu-central-1a
}

// IDs lists the ids of subnets in their order.
func IDs(subnets []Subnet) (ids pulumi.StringArray) {
	for _, subnet := range subnets {
		ids = append(ids, subnet.ID)
	}
	return ids
}

// subnetBits splits a VPC into sixteen subnets: eight zones, public in the lower half. The upper half is free for
// subnets that the internet cannot reach.
const subnetBits = 4

// subnetCIDR is the range of a zone's public subnet.
func subnetCIDR(vpc, zone string) (string, error) { return zoneCIDR(vpc, zone, 0) }

// privateCIDR is the range of a zone's private subnet, in the half of the VPC that NewPublic leaves free.
func privateCIDR(vpc, zone string) (string, error) { return zoneCIDR(vpc, zone, 1<<(subnetBits-1)) }

// zoneCIDR is the range of one of a zone's subnets; those of one kind begin with the first-th sixteenth of the VPC. It
// depends on the zone's letter alone, so that adding or removing a zone moves no other subnet.
func zoneCIDR(vpc, zone string, first int) (string, error) {
	prefix, err := netip.ParsePrefix(vpc)
	if err != nil {
		return "", fmt.Errorf("VPC range %q: %w", vpc, err)
	}
	number, ok := zoneNumber(zone)
	if !ok {
		return "", fmt.Errorf("zone %q: it does not end in a letter from a to h", zone)
	}
	bits := prefix.Bits() + subnetBits
	address := prefix.Masked().Addr().As4()
	value := binary.BigEndian.Uint32(address[:]) + uint32(first+number)<<(32-bits)
	binary.BigEndian.PutUint32(address[:], value)
	return netip.PrefixFrom(netip.AddrFrom4(address), bits).String(), nil
}

// subnetIPv6 is the IPv6 range of a zone's public subnet.
func subnetIPv6(vpc pulumi.StringOutput, zone string) pulumi.StringPtrInput {
	return vpc.ApplyT(func(cidr string) (*string, error) {
		subnet, err := zoneIPv6(cidr, zone)
		return &subnet, err
	}).(pulumi.StringPtrOutput)
}

// zoneIPv6 is the part of a VPC's /56 that belongs to a zone's public subnet, by the zone's letter alone as well.
func zoneIPv6(vpc, zone string) (string, error) {
	prefix, err := netip.ParsePrefix(vpc)
	number, ok := zoneNumber(zone)
	if err != nil || !prefix.Addr().Is6() || prefix.Bits() != 56 || !ok {
		return "", fmt.Errorf("public subnet in %q: the VPC's IPv6 range is %q and not a /56: run pulumi up again",
			zone, vpc)
	}
	address := prefix.Masked().Addr().As16()
	address[7] = byte(number)
	return netip.PrefixFrom(netip.AddrFrom16(address), 64).String(), nil
}

// ValidZone says whether a zone's name ends in a letter from a to h, as the names of availability zones do.
func ValidZone(zone string) bool {
	_, ok := zoneNumber(zone)
	return ok
}

// zoneNumber is 0 for a region's zone a, 1 for b and so on.
func zoneNumber(zone string) (int, bool) {
	if len(zone) < 2 {
		return 0, false
	}
	number := strings.IndexByte("abcdefgh", zone[len(zone)-1])
	return number, number >= 0
}
