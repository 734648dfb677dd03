package computer

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// balancerAddress is what the load balancer of a stack is known by, in the place of an Elastic IP's id.
func (c *Computer) balancerAddress() string { return "balancer-" + c.options.Stack }

// Balancer is a load balancer: HAProxy with the files of Dir at /run/lb, haproxy.cfg and server.pem among them.
type Balancer struct {
	Dir   string
	Ports []int // of Options.Ports, published on 127.0.0.1
}

// EnsureBalancer has the load balancer run with these files as they are now, and returns its address. One that runs
// reads them again; connections that it has are served to their end.
func (c *Computer) EnsureBalancer(ctx context.Context, b Balancer) (netip.Addr, error) {
	address, err := c.ensureBalancer(ctx, b)
	if err != nil {
		return address, fmt.Errorf("load balancer of stack %s: %w", c.options.Stack, err)
	}
	return address, nil
}

func (c *Computer) ensureBalancer(ctx context.Context, b Balancer) (netip.Addr, error) {
	id := c.balancerAddress()
	defer c.objects.lock(id)()
	existing, err := c.container(ctx, labelAddress, id)
	if err != nil {
		return netip.Addr{}, err
	}
	image, err := c.ensureImage(ctx, "endpoints", endpointsContext, nil)
	if err != nil {
		return netip.Addr{}, err
	}
	publish, err := c.publishArgs(b.Ports)
	if err != nil {
		return netip.Addr{}, err
	}
	config := hash([]byte(image), []byte(b.Dir), []byte(strings.Join(publish, " ")))
	if existing != nil && existing.Config.Labels[labelConfig] == config && existing.State.Status == "running" {
		if _, err := docker(ctx, "kill", "--signal", "USR2", existing.ID); err != nil {
			return netip.Addr{}, err
		}
		return netip.ParseAddr(c.addressOf(existing))
	}
	address := ""
	if existing != nil {
		address = c.addressOf(existing) // machines know it by this one
	}
	if err := c.removeContainer(ctx, existing); err != nil {
		return netip.Addr{}, err
	}
	c.addresses.Lock()
	defer c.addresses.Unlock()
	if address == "" {
		free, err := c.freeAddress(ctx)
		if err != nil {
			return netip.Addr{}, err
		}
		address = free.String()
	}
	args := append([]string{
		"run", "--detach", "--name", c.object(id), "--init", "--restart", "unless-stopped",
		"--network", c.object(), "--ip", address, "--volume", b.Dir + ":/run/lb",
		"--label", c.label(), "--label", c.stackLabel(), "--label", labelAddress + "=" + id,
		"--label", labelConfig + "=" + config,
	}, publish...)
	if _, err := docker(ctx, append(args, image, "haproxy", "-W", "-db", "-f", "/run/lb/haproxy.cfg")...); err != nil {
		return netip.Addr{}, portHint(err)
	}
	return netip.ParseAddr(address)
}

// BalancerCertificate is the load balancer's certificate of the local authority, for names, with its key.
func (c *Computer) BalancerCertificate(names []string) ([]byte, error) {
	authority, err := openAuthority(c.path("tls"), c.name)
	if err != nil {
		return nil, err
	}
	return authority.server(c.balancerAddress(), names)
}

// Gateway is this computer's own address as machines see it.
func (c *Computer) Gateway(ctx context.Context) (netip.Addr, error) {
	n, err := inspectNetwork(ctx, c.object())
	return n.subnet.Addr().Next(), err
}

// ServiceHosts are AWS's names for what a stack's load balancer passes on to the stack's controller.
func (c *Computer) ServiceHosts() (names []string) {
	for _, service := range []string{"autoscaling", "elasticloadbalancing", "monitoring"} {
		names = append(names, service+"."+c.options.Region+".amazonaws.com")
	}
	return names
}

// Function is a program in Python that AWS would run in Lambda.
type Function struct {
	Files   map[string]string // by name
	Handler string            // module.function
	Payload string            // JSON
	Seconds int               // it may run
}

// runner calls a handler as Lambda does, and prints the result as the last line.
const runner = `import importlib, json, os, sys, time
sys.path.insert(0, "/var/task")
deadline = time.monotonic() + float(os.environ["SECONDS"])
class Context:
    def get_remaining_time_in_millis(self):
        return int(1000 * (deadline - time.monotonic()))
module, _, name = os.environ["HANDLER"].rpartition(".")
with open("/var/task/.payload") as payload:
    event = json.load(payload)
result = getattr(importlib.import_module(module), name)(event, Context())
print(json.dumps(result))
`

// RunFunction runs a function to its end and returns its result in JSON. Its error ends with what the function said.
func (c *Computer) RunFunction(ctx context.Context, f Function) (string, error) {
	image, err := c.ensureImage(ctx, "endpoints", endpointsContext, nil)
	if err != nil {
		return "", err
	}
	authority, err := openAuthority(c.path("tls"), c.name)
	if err != nil {
		return "", err
	}
	args := []string{"create", "--init", "--network", c.object(), "--label", c.label(), "--label", c.stackLabel(),
		"--env", "HANDLER=" + f.Handler, "--env", "SECONDS=" + strconv.Itoa(f.Seconds),
		"--env", "AWS_DEFAULT_REGION=" + c.options.Region, "--env", "AWS_ACCESS_KEY_ID=LOCAL",
		"--env", "AWS_SECRET_ACCESS_KEY=local", "--env", "AWS_CA_BUNDLE=/var/task/.authority",
		"--env", "PYTHONUNBUFFERED=1"}
	balancer, err := c.container(ctx, labelAddress, c.balancerAddress())
	if err != nil {
		return "", err
	}
	if balancer == nil {
		return "", fmt.Errorf("stack %s has no load balancer, which leads to the controller: run make local again",
			c.options.Stack)
	}
	for _, host := range c.ServiceHosts() {
		args = append(args, "--add-host", host+":"+c.addressOf(balancer))
	}
	id, err := docker(ctx, append(args, image, "timeout", strconv.Itoa(f.Seconds), "python3", "-c", runner)...)
	if err != nil {
		return "", err
	}
	defer func() { _, _ = docker(context.WithoutCancel(ctx), "rm", "--force", id) }() // goes with its stack otherwise
	files := []file{{"/var/task/.payload", 0o644, []byte(f.Payload)}, {"/var/task/.authority", 0o644, authority.trust()}}
	for _, name := range sortedKeys(f.Files) {
		files = append(files, file{"/var/task/" + name, 0o644, []byte(f.Files[name])})
	}
	if err := putFiles(ctx, id, files...); err != nil {
		return "", err
	}
	out, err := run(ctx, nil, "docker", "start", "--attach", id)
	if err != nil {
		return "", err
	}
	return LastLines(out, 1), nil
}
