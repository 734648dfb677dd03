package computer

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

//go:embed store
var storeContext embed.FS

const (
	// storeZone is the zone of the file system's server, which EFS shows nobody.
	storeZone = "efs"
	// storeMemory is the server's memory in MiB, and storeGiB the size of its disk; it takes room as it is written.
	storeMemory, storeGiB = 256, 8
	// storePatience is how long the server may take until it answers; it takes some 5 s.
	storePatience = 2 * time.Minute
)

// fileSystemName is the name by which machines know a file system.
func (c *Computer) fileSystemName(id string) string {
	return fmt.Sprintf("%s.efs.%s.amazonaws.com", id, c.options.Region)
}

// ensureStore has the kernel running that is a file system's NFS 4.1 server, and answering.
func (c *Computer) ensureStore(ctx context.Context, id string) (*body, error) {
	defer c.objects.lock("store:" + id)()
	server, err := c.container(ctx, labelServer, id)
	if err == nil {
		server, err = c.whole(ctx, server)
	}
	if err != nil {
		return nil, err
	}
	if server == nil {
		if err := c.createStore(ctx, id); err != nil {
			return nil, err
		}
		if server, err = c.container(ctx, labelServer, id); err != nil {
			return nil, err
		}
	}
	if server.State.Status == "running" {
		return server, nil
	}
	defer c.step("starting the server of file system %s", id)()
	if _, err := c.ensureZone(ctx, storeZone); err != nil {
		return nil, err
	}
	if _, err := docker(ctx, "start", server.ID); err != nil {
		return nil, err
	}
	return server, c.awaitStore(ctx, server)
}

func (c *Computer) createStore(ctx context.Context, id string) error {
	root, err := c.ensureDisk(ctx, "store", storeContext, nil)
	if err != nil {
		return err
	}
	z, err := c.ensureZone(ctx, storeZone)
	if err != nil {
		return err
	}
	c.addresses.Lock()
	defer c.addresses.Unlock()
	address, err := c.freeAddress(ctx)
	if err != nil {
		return err
	}
	container, err := c.createGuest(ctx, guest{
		id: id, zone: storeZone, address: address, memoryMiB: storeMemory, root: root, dataGiB: storeGiB,
		labels: []string{labelServer + "=" + id}, disk: c.shared(id),
		kernel: []string{
			"init=/usr/local/lib/twip/serve", "twip.gateway=" + z.address.String(),
			"twip.address=" + netip.PrefixFrom(address, z.subnet.Bits()).String(),
		},
	})
	if err != nil {
		return err
	}
	return putFiles(ctx, container, file{"/seed/none", 0o600, nil})
}

// awaitStore waits until NFS takes connections.
func (c *Computer) awaitStore(ctx context.Context, server *body) error {
	ctx, cancel := context.WithTimeout(ctx, storePatience)
	defer cancel()
	probe := fmt.Sprintf("exec 3<>/dev/tcp/%s/2049", c.addressOf(server))
	for {
		_, err := docker(ctx, "exec", server.ID, "bash", "-c", probe)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("NFS does not answer after %s: %w: see docker logs %s", storePatience, err, server.ID)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// ensureMountTarget has a file system answer by TLS in a zone: machines there find it under its DNS name.
func (c *Computer) ensureMountTarget(ctx context.Context, id, name string) error {
	server, err := c.ensureStore(ctx, id)
	if err != nil {
		return fmt.Errorf("file system %s: %w", id, err)
	}
	z, err := c.ensureZone(ctx, name)
	if err != nil {
		return err
	}
	defer c.objects.lock("zone:" + name)()
	if _, err := docker(ctx, "exec", z.container, "test", "-e", "/etc/twip/hosts/"+id); err == nil {
		return nil
	}
	ca, err := openAuthority(c.path("tls"), c.name)
	if err != nil {
		return err
	}
	host := c.fileSystemName(id)
	certificate, err := ca.server(id, []string{host})
	if err != nil {
		return err
	}
	listen := fmt.Sprintf("listen %s\n    bind %s:2049 ssl crt /etc/twip/target.pem ssl-min-ver TLSv1.2\n"+
		"    server nfs %s:2049\n", id, z.address, c.addressOf(server))
	if err := putFiles(ctx, z.container,
		file{"/etc/twip/target.pem", 0o600, certificate},
		file{"/etc/twip/targets/target.cfg", 0o644, []byte(listen)},
		// Last: it says that the rest is there.
		file{"/etc/twip/hosts/" + id, 0o644, fmt.Appendf(nil, "%s %s\n", z.address, host)},
	); err != nil {
		return err
	}
	_, proxyErr := docker(ctx, "exec", z.container, "pkill", "-USR2", "--oldest", "haproxy")
	_, namesErr := docker(ctx, "exec", z.container, "pkill", "-HUP", "dnsmasq")
	return errors.Join(proxyErr, namesErr)
}

// removeStore removes a file system's server; its data lies in a volume.
func (c *Computer) removeStore(ctx context.Context, id string) error {
	server, err := c.container(ctx, labelServer, id)
	if err != nil {
		return err
	}
	return c.removeContainer(ctx, server)
}

// HangStores has the servers of the stack's file systems answer nothing, until RestoreStores.
func (c *Computer) HangStores(ctx context.Context) error {
	return c.eachStore(ctx, func(server body) error {
		if server.State.Status == "paused" {
			return nil
		}
		_, err := docker(ctx, "pause", server.ID)
		return err
	})
}

// storeRule is an argument list of iptables for what a mount target is asked.
var storeRule = []string{
	"INPUT", "--protocol", "tcp", "--dport", "2049", "--jump", "REJECT", "--reject-with", "tcp-reset",
}

// RefuseStores has the mount targets refuse connections and end those there are, until RestoreStores.
func (c *Computer) RefuseStores(ctx context.Context) error {
	return c.changeStoreRule(ctx, labelZone, false, "--insert")
}

// RefuseTarget has the mount target of one zone refuse connections, until RestoreTarget.
func (c *Computer) RefuseTarget(ctx context.Context, zone string) error {
	return c.changeStoreRule(ctx, labelZone+"="+zone, false, "--insert")
}

// RestoreTarget ends what RefuseTarget began.
func (c *Computer) RestoreTarget(ctx context.Context, zone string) error {
	return c.changeStoreRule(ctx, labelZone+"="+zone, true, "--delete")
}

// RestoreStores ends what HangStores and RefuseStores began.
func (c *Computer) RestoreStores(ctx context.Context) error {
	err := c.eachStore(ctx, func(server body) error {
		if server.State.Status != "paused" {
			return nil
		}
		_, err := docker(ctx, "unpause", server.ID)
		return err
	})
	return errors.Join(err, c.changeStoreRule(ctx, labelZone, true, "--delete"))
}

// RestartStores switches the servers of the stack's file systems off, and on again. They come back with what had been
// synced, and with a grace period in which clients reclaim what they had open.
func (c *Computer) RestartStores(ctx context.Context) error {
	return c.eachStore(ctx, func(server body) error {
		if _, err := docker(ctx, "kill", server.ID); err != nil {
			return err
		}
		if _, err := docker(ctx, "start", server.ID); err != nil {
			return err
		}
		return c.awaitStore(ctx, &server)
	})
}

func (c *Computer) eachStore(ctx context.Context, do func(body) error) error {
	servers, err := c.containers(ctx, labelServer, c.stackLabel())
	for _, server := range servers {
		err = errors.Join(err, do(server))
	}
	return err
}

// changeStoreRule changes the rule in those of the zones where it is there, or is not.
func (c *Computer) changeStoreRule(ctx context.Context, which string, there bool, change string) error {
	zones, err := c.containers(ctx, which, c.stackLabel())
	for _, z := range zones {
		iptables := append([]string{"exec", z.ID, "iptables"}, change)
		_, absent := docker(ctx, append([]string{"exec", z.ID, "iptables", "--check"}, storeRule...)...)
		if there == (absent == nil) {
			_, changeErr := docker(ctx, append(iptables, storeRule...)...)
			err = errors.Join(err, changeErr)
		}
	}
	return err
}
