package computer

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"time"
)

//go:embed endpoints
var endpointsContext embed.FS

// Ports of the endpoints container that are reachable from this computer.
const (
	registryPort = "5000/tcp"
	motoPort     = "5001/tcp"
)

// endpointsWait is how long the endpoints may take to answer on a busy computer; they take about 2 s.
const endpointsWait = time.Minute

// registryHost is the name under which machines know the registry: ECR's for this account and region.
func (c *Computer) registryHost() string {
	return fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com", c.options.Account, c.options.Region)
}

// hosts are the names of AWS that the endpoints answer to, the registry's first.
func (c *Computer) hosts() []string {
	return []string{
		c.registryHost(),
		"api.ecr." + c.options.Region + ".amazonaws.com",
		"logs." + c.options.Region + ".amazonaws.com",
	}
}

// ensureEndpoints has one container answer to AWS's names: the registry, ECR's and CloudWatch Logs' interfaces, the
// metadata service.
func (c *Computer) ensureEndpoints(ctx context.Context, ca *authority) error {
	image, err := c.ensureImage(ctx, "endpoints", endpointsContext, nil)
	if err != nil {
		return err
	}
	certificate, err := ca.server("server", c.hosts())
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	config := hash([]byte(image), certificate)
	existing, err := c.container(ctx, labelEndpoint, "all")
	if err != nil {
		return err
	}
	if existing == nil || existing.halfMade() || existing.Config.Labels[labelConfig] != config {
		if err := c.removeContainer(ctx, existing); err != nil {
			return err
		}
		if err := c.createEndpoints(ctx, image, config, certificate); err != nil {
			return fmt.Errorf("endpoints: %w", err)
		}
		existing = nil
	}
	if existing == nil || existing.State.Status != "running" {
		if _, err := docker(ctx, "start", c.object("endpoints")); err != nil {
			return fmt.Errorf("endpoints: %w", err)
		}
	}
	if err := c.awaitEndpoints(ctx); err != nil {
		return fmt.Errorf("endpoints: %w: see docker logs %s", err, c.object("endpoints"))
	}
	return nil
}

func (c *Computer) createEndpoints(ctx context.Context, image, config string, certificate []byte) error {
	volume := c.object("registry")
	if _, err := docker(ctx, "volume", "create", "--label", c.label(), volume); err != nil {
		return err
	}
	args := []string{
		"create", "--name", c.object("endpoints"), "--init", "--restart", "unless-stopped",
		"--label", c.label(), "--label", labelEndpoint + "=all", "--label", labelConfig + "=" + config,
		"--network", c.object(), "--cap-add", "NET_ADMIN",
		// Answers reach the machine that asked and no container on it: a hop limit of 1, as the program demands of
		// instances.
		"--sysctl", "net.ipv4.ip_default_ttl=1",
		"--publish", "127.0.0.1::" + registryPort, "--publish", "127.0.0.1::" + motoPort,
		"--env", "ECR_HOST=" + c.registryHost(), "--env", "AWS_ACCOUNT=" + c.options.Account,
		"--env", "MOTO_ACCOUNT_ID=" + c.options.Account, "--env", "AWS_DEFAULT_REGION=" + c.options.Region,
		"--volume", volume + ":/var/lib/registry",
	}
	for _, host := range c.hosts() {
		args = append(args, "--network-alias", host)
	}
	id, err := docker(ctx, append(args, image, "/usr/local/bin/start")...)
	if err != nil {
		return err
	}
	return putFiles(ctx, id, file{"/etc/haproxy/server.pem", 0o600, certificate})
}

// tellInstances has the metadata service know the machines.
func (c *Computer) tellInstances(ctx context.Context) error {
	machines, err := c.containers(ctx, labelMachine)
	if err != nil {
		return err
	}
	argv := []string{"exec", c.object("endpoints"), "/usr/local/bin/instances"}
	for _, m := range machines {
		if address := c.addressOf(&m); address != "" {
			argv = append(argv, address+"="+m.Config.Labels[labelMachine]+"="+m.Config.Labels[labelGroup])
		}
	}
	_, err = docker(ctx, argv...)
	return err
}

func (c *Computer) awaitEndpoints(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, endpointsWait)
	defer cancel()
	for {
		err := c.endpointsAnswer(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer after %s: %w", endpointsWait, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *Computer) endpointsAnswer(ctx context.Context) error {
	for port, path := range map[string]string{registryPort: "/v2/", motoPort: "/moto-api/"} {
		address, err := c.endpoint(ctx, port)
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		_ = response.Body.Close() // nothing of it is needed
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", request.URL, response.Status)
		}
	}
	return nil
}

// endpoint returns the address on this computer of one of the endpoints' ports. Docker chooses it anew at each start.
func (c *Computer) endpoint(ctx context.Context, port string) (string, error) {
	b, err := c.container(ctx, labelEndpoint, "all")
	if err != nil {
		return "", err
	}
	if b == nil {
		return "", fmt.Errorf("local cloud %q has no endpoints: call Ensure first", c.name)
	}
	bindings := b.NetworkSettings.Ports[port]
	if len(bindings) == 0 {
		return "", fmt.Errorf("the endpoints of local cloud %q do not run (%s): see docker logs %s", c.name,
			b.State.Status, c.object("endpoints"))
	}
	return "127.0.0.1:" + bindings[0].HostPort, nil
}
