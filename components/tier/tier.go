package tier

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/logs"
	"twip/components/internal/problem"
	"twip/infra/boot"
	"twip/infra/images"
)

const (
	// HTTPPort is where every image serves, inside its container and, in a group, on its machine.
	HTTPPort = 8080

	// PeersMount is where a proxy finds the sockets of servers on its host.
	PeersMount = "/sockets"

	// minMemoryMiB is the least that any of the images starts with.
	minMemoryMiB = 16
)

// Tier is what the tiers have in common: containers of one image that log to one group.
type Tier struct {
	Workload     Workload     // for the compute.Host or the compute.AutoScalingGroup that runs it
	Servers      []string     // of each server where the proxy on the same host reaches it: host:port, or PeersMount's
	TargetGroup  *TargetGroup // the servers behind a load balancer; nil on a host
	ImageDigest  pulumi.StringOutput
	Repository   pulumi.StringOutput // URL of the image's repository
	LogGroupName pulumi.StringOutput
}

// Common is what every tier is told.
type Common struct {
	Build            *images.Context // required; the build context of the tier's image
	MemoryMiB        int             // required; hard limit of a container
	LogRetentionDays int             // required; one of components.LogRetentionDays
}

// register creates the image and the log group, and a container for each of the specs.
func (t *Tier) register(
	ctx *pulumi.Context, name string, c Common, specs []boot.Container, self pulumi.Resource,
) error {
	image, group, err := c.NewImageAndLogGroup(ctx, name, pulumi.Parent(self))
	if err != nil {
		return err
	}
	for _, spec := range specs {
		t.Workload.Containers = append(t.Workload.Containers, Container{Spec: spec, Image: image, LogGroup: group})
		address := fmt.Sprintf("%s:%d", spec.Name, HTTPPort)
		if spec.SocketMount != "" {
			address = PeersMount + "/" + spec.Name
		}
		t.Servers = append(t.Servers, address)
	}
	t.ImageDigest, t.Repository, t.LogGroupName = image.Digest, image.Repository.RepositoryUrl, group.Name
	return nil
}

func (t *Tier) outputs() pulumi.Map {
	return pulumi.Map{"imageDigest": t.ImageDigest, "logGroupName": t.LogGroupName}
}

// NewImageAndLogGroup creates what everything that runs in containers has: an image, and a log group.
func (c Common) NewImageAndLogGroup(
	ctx *pulumi.Context, name string, child pulumi.ResourceOrInvokeOption,
) (*Image, *cloudwatch.LogGroup, error) {
	image, err := newImage(ctx, name, c.Build, child)
	if err != nil {
		return nil, nil, err
	}
	group, err := logs.NewGroup(ctx, name, c.LogRetentionDays, child)
	return image, group, err
}

// Validate refuses what no tier can use.
func (c Common) Validate() (p problem.List) {
	p = append(p, checkBuild(c.Build)...)
	p = append(p, logs.CheckRetention("logRetentionDays", c.LogRetentionDays)...)
	p.Unless(c.MemoryMiB >= minMemoryMiB, "memoryMiB", c.MemoryMiB, fmt.Sprintf("use %d or more", minMemoryMiB))
	return p
}
