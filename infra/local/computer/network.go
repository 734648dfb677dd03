package computer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// network is the one Docker network that machines, endpoints and forwarders are on.
//
// An EC2 instance keeps its private address as long as it lives, so machines get addresses assigned from the lower half
// of the subnet; Docker hands out the upper half to everything else.
type network struct {
	subnet netip.Prefix
}

// ensureNetwork makes the network. Docker finds a subnet that nothing on this computer uses, but assigns addresses only
// in a subnet that it was told; so it is asked for one first, and then told it.
func (c *Computer) ensureNetwork(ctx context.Context) error {
	names, err := docker(ctx, "network", "ls", "--filter", "label="+c.label(), "--format", "{{.Name}}")
	if err != nil || slices.Contains(strings.Fields(names), c.object()) {
		return err
	}
	// What is ours and has another name was left by a run that was killed below.
	if err := c.cleanDocker(ctx, "network", nil, "network", "rm"); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	probe := c.object("probe")
	if _, err := docker(ctx, "network", "create", "--label", c.label(), probe); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	found, inspectErr := inspectNetwork(ctx, probe)
	if _, err := docker(ctx, "network", "rm", probe); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	if inspectErr != nil {
		return inspectErr
	}
	if _, err := docker(ctx, "network", "create", "--label", c.label(), "--subnet", found.subnet.String(),
		"--gateway", found.subnet.Addr().Next().String(), "--ip-range", found.dynamic().String(), c.object()); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	return nil
}

func inspectNetwork(ctx context.Context, name string) (network, error) {
	out, err := docker(ctx, "network", "inspect", "--format", "{{json .IPAM.Config}}", name)
	if err != nil {
		return network{}, err
	}
	var configs []struct{ Subnet string }
	if err := json.Unmarshal([]byte(out), &configs); err != nil {
		return network{}, fmt.Errorf("network %s: %w", name, err)
	}
	for _, config := range configs {
		if subnet, err := netip.ParsePrefix(config.Subnet); err == nil && subnet.Addr().Is4() {
			return network{subnet: subnet.Masked()}, nil
		}
	}
	return network{}, fmt.Errorf("network %s has no IPv4 subnet: %s", name, out)
}

// dynamic is the part that Docker hands out.
func (n network) dynamic() netip.Prefix {
	bits := n.subnet.Bits() + 1
	address := n.subnet.Addr().As4()
	address[n.subnet.Bits()/8] |= 0x80 >> (n.subnet.Bits() % 8)
	return netip.PrefixFrom(netip.AddrFrom4(address), bits)
}

// free returns the lowest address of the lower half that nobody has. The first two are the subnet itself and its
// gateway.
func (n network) free(taken map[netip.Addr]bool) (netip.Addr, error) {
	upper := n.dynamic().Addr()
	for address := n.subnet.Addr().Next().Next(); address.Less(upper); address = address.Next() {
		if !taken[address] {
			return address, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("no address is free in %s: terminate machines", n.subnet)
}
