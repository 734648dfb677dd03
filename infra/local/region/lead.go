package region

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"twip/infra/local/computer"
)

// balancer leads the load balancer's container.
type balancer struct {
	dir      string // the container's /run/lb
	computer *computer.Computer
	ports    []int // that can be published
	names    []string
	api      string // where the controller answers

	address netip.Addr
	written string // the configuration that it runs with
}

// configure has the load balancer run as declared. A reload keeps the targets and what is known of their health.
func (b *balancer) configure(ctx context.Context, d Declared) error {
	config, err := BalancerConfig(d, b.api)
	if err != nil || config == b.written {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	if err := b.writeCertificate(d); err != nil {
		return err
	}
	file := filepath.Join(b.dir, "haproxy.cfg")
	// Before the first target there is nothing to keep.
	if state, err := b.command("show servers state"); err == nil {
		if err := os.WriteFile(filepath.Join(b.dir, "servers.state"), []byte(state), 0o600); err != nil {
			return err
		}
	}
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	var ports []int
	for _, l := range d.Listeners {
		if slices.Contains(b.ports, l.Port) {
			ports = append(ports, l.Port)
		}
	}
	if b.address, err = b.computer.EnsureBalancer(ctx, computer.Balancer{Dir: b.dir, Ports: ports}); err != nil {
		return err
	}
	b.written = config
	return b.await(ctx)
}

// await waits until the load balancer takes commands.
func (b *balancer) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		_, err := b.command("show info")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("load balancer does not answer: %w: see docker logs", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// writeCertificate writes the one for AWS's names and for the site's.
func (b *balancer) writeCertificate(d Declared) error {
	names := slices.Clone(b.names)
	for _, l := range d.Listeners {
		if name := d.Certificates[l.Certificate]; name != "" {
			names = append(names, name)
		}
	}
	certificate, err := b.computer.BalancerCertificate(names)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.dir, "server.pem"), certificate, 0o600)
}

// targets are the load balancer's, by backend.
func (b *balancer) targets() (map[string][]target, error) {
	state, err := b.command("show servers state")
	if err != nil {
		return nil, err
	}
	stat, err := b.command("show stat")
	if err != nil {
		return nil, err
	}
	return parseTargets(state, stat), nil
}

// register has each target group send to what is wanted.
func (b *balancer) register(d Declared, have map[string][]target, wanted map[string][]want) error {
	for arn, group := range d.TargetGroups {
		lines := commands(group.Name, have[group.Name], wanted[arn])
		if len(lines) == 0 {
			continue
		}
		if said, err := b.command(strings.Join(lines, "; ")); err != nil {
			return err
		} else if strings.Contains(said, "No such") || strings.Contains(said, "Unknown") {
			return fmt.Errorf("load balancer: %s", strings.TrimSpace(said))
		}
	}
	return nil
}

// command asks HAProxy something.
func (b *balancer) command(line string) (string, error) {
	// The path of a socket may be 107 bytes long; a directory's descriptor keeps it short.
	dir, err := os.Open(b.dir)
	if err != nil {
		return "", err
	}
	defer dir.Close()
	connection, err := net.Dial("unix", fmt.Sprintf("/proc/self/fd/%d/haproxy.sock", dir.Fd()))
	if err != nil {
		return "", fmt.Errorf("load balancer: %w", err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	if _, err := connection.Write([]byte(line + "\n")); err != nil {
		return "", fmt.Errorf("load balancer: %w", err)
	}
	var answer bytes.Buffer
	if _, err := io.Copy(&answer, connection); err != nil {
		return "", fmt.Errorf("load balancer: %w", err)
	}
	return answer.String(), nil
}
