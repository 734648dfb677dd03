package computer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Publish leads 127.0.0.1:<host port> to each of the ports of an instance, as long as it is published. It is the body
// of an Elastic IP: address is its id. Publishing again changes the instance or the ports; nothing is interrupted if
// they are the same. The address of a machine that is gone leads nowhere.
func (c *Computer) Publish(ctx context.Context, address, instance string, ports []int) error {
	defer c.objects.lock(address)()
	if err := c.publish(ctx, address, instance, ports); err != nil {
		return fmt.Errorf("address %s of machine %s: %w", address, instance, err)
	}
	return nil
}

func (c *Computer) publish(ctx context.Context, address, instance string, ports []int) error {
	existing, err := c.container(ctx, labelAddress, address)
	if err != nil {
		return err
	}
	if len(ports) == 0 {
		return c.removeContainer(ctx, existing)
	}
	b, err := c.container(ctx, labelMachine, instance)
	if err != nil {
		return err
	}
	if b == nil {
		return c.removeContainer(ctx, existing) // as on EC2, where a terminated instance loses its address
	}
	image, err := c.ensureImage(ctx, "endpoints", endpointsContext, nil)
	if err != nil {
		return err
	}
	publishArgs, err := c.publishArgs(ports)
	if err != nil {
		return err
	}
	rules := forwarding(c.addressOf(b), ports)
	config := hash([]byte(image), rules, []byte(strings.Join(publishArgs, " ")))
	if existing == nil || existing.halfMade() || existing.Config.Labels[labelConfig] != config {
		if err := c.removeContainer(ctx, existing); err != nil {
			return err
		}
		args := append([]string{
			"create", "--name", c.object(address), "--init", "--restart", "unless-stopped", "--network", c.object(),
			"--label", c.label(), "--label", c.stackLabel(),
			"--label", labelAddress + "=" + address, "--label", labelConfig + "=" + config,
		}, publishArgs...)
		if _, err := docker(ctx, append(args, image, "haproxy", "-db", "-f", "/etc/haproxy/forward.cfg")...); err != nil {
			return err
		}
		if err := putFiles(ctx, c.object(address), file{"/etc/haproxy/forward.cfg", 0o644, rules}); err != nil {
			return err
		}
		existing = nil
	}
	if existing != nil && existing.State.Status == "running" {
		return nil
	}
	if _, err := docker(ctx, "start", c.object(address)); err != nil {
		return portHint(err)
	}
	return nil
}

// Unpublish ends what Publish began. An address that is not published is no error.
func (c *Computer) Unpublish(ctx context.Context, address string) error {
	defer c.objects.lock(address)()
	b, err := c.container(ctx, labelAddress, address)
	if err == nil {
		err = c.removeContainer(ctx, b)
	}
	if err != nil {
		return fmt.Errorf("address %s: %w", address, err)
	}
	return nil
}

// Published returns where each published port of an address answers, such as "127.0.0.1:8080" for port 80; nothing for
// an address that is not published.
func (c *Computer) Published(ctx context.Context, address string) (map[int]string, error) {
	b, err := c.container(ctx, labelAddress, address)
	if err != nil || b == nil {
		return nil, err
	}
	where := map[int]string{}
	for port, bindings := range b.NetworkSettings.Ports {
		number, err := strconv.Atoi(strings.TrimSuffix(port, "/tcp"))
		if err != nil {
			return nil, fmt.Errorf("address %s: port %q: %w", address, port, err)
		}
		if len(bindings) > 0 {
			where[number] = bindings[0].HostIP + ":" + bindings[0].HostPort
		}
	}
	return where, nil
}

func (c *Computer) publishArgs(ports []int) ([]string, error) {
	var args []string
	for _, port := range slices.Sorted(slices.Values(ports)) {
		host, ok := c.options.Ports[port]
		if !ok {
			return nil, fmt.Errorf("port %d: no port of this computer leads to it: name one in Options.Ports", port)
		}
		chosen := ""
		if host != 0 {
			chosen = strconv.Itoa(host)
		}
		args = append(args, "--publish", fmt.Sprintf("127.0.0.1:%s:%d", chosen, port))
	}
	return args, nil
}

// forwarding is HAProxy's configuration that leads each port to the same port of target.
func forwarding(target string, ports []int) []byte {
	var b strings.Builder
	// A connection may be idle as long as on AWS: 350 s is what its network gives them at the least.
	b.WriteString(
		"global\n    log stdout format raw local0\n\ndefaults\n    mode tcp\n    timeout connect 5s\n    timeout " +
			"client 350s\n    timeout server 350s\n")
	for _, port := range slices.Sorted(slices.Values(ports)) {
		fmt.Fprintf(&b, "\nlisten port-%[1]d\n    bind :%[1]d\n    server machine %[2]s:%[1]d\n", port, target)
	}
	return []byte(b.String())
}

// portHint says what to do when a port of this computer is taken.
func portHint(err error) error {
	if strings.Contains(err.Error(), "already allocated") || strings.Contains(err.Error(), "already in use") {
		return errors.Join(err,
			errors.New("another program has this port of 127.0.0.1: find it with ss -ltnp, end it, and try again"))
	}
	return err
}
