package computer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// zone is the body of an availability zone: a container in whose network its machines have their interfaces. It is
// their router, their firewall, their name server, and the file system's mount target in the zone.
type zone struct {
	container string
	address   netip.Addr
	subnet    netip.Prefix // that of all zones
}

var validZone = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,30}$`)

// zoneName is the name of a zone's container. Zones of before, whose network was another, keep their machines.
func (c *Computer) zoneName(name, image string) string {
	_, tag, _ := strings.Cut(image, ":")
	return c.object(c.options.Stack, "zone", name, tag[:min(len(tag), 8)])
}

// ensureZone has a zone there and running.
func (c *Computer) ensureZone(ctx context.Context, name string) (*zone, error) {
	if !validZone.MatchString(name) {
		return nil, fmt.Errorf("zone %q: use up to 31 small letters, digits and dashes", name)
	}
	defer c.objects.lock("zone:" + name)()
	z, err := c.makeZone(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("zone %s: %w", name, err)
	}
	return z, nil
}

func (c *Computer) makeZone(ctx context.Context, name string) (*zone, error) {
	image, err := c.ensureImage(ctx, "kernel", kernelContext, nil)
	if err != nil {
		return nil, err
	}
	existing, err := c.zoneContainer(ctx, name, image)
	if err == nil {
		existing, err = c.whole(ctx, existing)
	}
	if err != nil {
		return nil, err
	}
	if existing == nil {
		if err := c.createZone(ctx, name, image); err != nil {
			return nil, err
		}
	}
	if existing == nil || existing.State.Status != "running" {
		if _, err := docker(ctx, "start", c.zoneName(name, image)); err != nil {
			return nil, err
		}
	}
	n, err := inspectNetwork(ctx, c.object())
	if err != nil {
		return nil, err
	}
	if existing, err = c.zoneContainer(ctx, name, image); err != nil {
		return nil, err
	}
	address, err := netip.ParseAddr(c.addressOf(existing))
	if err != nil {
		return nil, err
	}
	return &zone{container: existing.ID, address: address, subnet: n.subnet}, c.awaitZone(ctx, existing.ID)
}

func (c *Computer) createZone(ctx context.Context, name, image string) error {
	c.firewall.Lock()
	defer c.firewall.Unlock()
	c.addresses.Lock()
	defer c.addresses.Unlock()
	address, err := c.freeAddress(ctx)
	if err != nil {
		return err
	}
	id, err := docker(ctx, "create", "--name", c.zoneName(name, image), "--init",
		"--label", c.label(), "--label", c.stackLabel(), "--label", labelZone+"="+name, "--label", labelConfig+"="+image,
		"--network", c.object(), "--ip", address.String(), "--cap-add", "NET_ADMIN",
		"--sysctl", "net.ipv4.ip_forward=1", "--sysctl", "net.ipv4.conf.all.send_redirects=0",
		"--sysctl", "net.ipv4.conf.default.send_redirects=0", "--sysctl", "net.ipv6.conf.all.disable_ipv6=1",
		// Others find machines as if they were on the same wire, while they run.
		"--sysctl", "net.ipv4.conf.all.proxy_arp=1", "--sysctl", "net.ipv4.conf.all.ignore_routes_with_linkdown=1",
		"--env", "TWIP_METADATA="+c.object("endpoints"), image, "/usr/local/lib/twip/zone")
	if err != nil {
		return err
	}
	return putFiles(ctx, id, file{"/etc/twip/hosts/none", 0o644, nil}, file{"/etc/twip/targets/none", 0o644, nil},
		file{firewallFile, 0o644, c.rules.text()})
}

// awaitZone waits until the network is there for machines to join.
func (c *Computer) awaitZone(ctx context.Context, container string) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		_, err := docker(ctx, "exec", container, "ip", "route", "get", "169.254.169.254")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, fmt.Errorf("no network after %s: see docker logs %s", startPatience, container))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *Computer) zoneContainer(ctx context.Context, name, image string) (*body, error) {
	all, err := c.containers(ctx, labelZone+"="+name, labelConfig+"="+image, c.stackLabel())
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// networkConfig is what DHCP tells a machine on EC2, in cloud-init's form.
func (z *zone) networkConfig(address netip.Addr) []byte {
	return fmt.Appendf(nil, `version: 2
ethernets:
  vec0:
    addresses: [%s]
    routes: [{to: 0.0.0.0/0, via: %s}]
    nameservers: {addresses: [%[2]s]}
`, netip.PrefixFrom(address, z.subnet.Bits()), z.address)
}

// setHosts has the zone's name server answer for names, beside those that the network knows.
func (z *zone) setHosts(ctx context.Context, addresses map[string]string) error {
	var hosts strings.Builder
	for _, name := range sortedKeys(addresses) {
		fmt.Fprintf(&hosts, "%s %s\n", addresses[name], name)
	}
	if err := putFiles(ctx, z.container, file{"/etc/twip/hosts/group", 0o644, []byte(hosts.String())}); err != nil {
		return err
	}
	_, err := docker(ctx, "exec", z.container, "pkill", "-HUP", "dnsmasq")
	return err
}
