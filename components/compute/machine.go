package compute

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/logs"
	"twip/components/internal/problem"
	"twip/components/tier"
	"twip/infra/boot"
)

// Machine is what the host and the machines of a group are told alike.
type Machine struct {
	Region       string // required; where the log groups are
	InstanceType string // required; a key of boot.InstanceTypes
	MachineImage string // required; exact name of a machine image, Debian's or one's own

	LogRetentionDays int // required; of the machine's journal; one of logs.RetentionDays
}

// imageID looks up the machine image by its exact name.
func (m Machine) imageID(ctx *pulumi.Context, parent pulumi.InvokeOption) pulumi.StringOutput {
	return ec2.LookupAmiOutput(ctx, ec2.LookupAmiOutputArgs{
		// Two years after its publication an image is hidden from all who do not say so; it still starts.
		IncludeDeprecated: pulumi.Bool(true),
		Owners:            pulumi.StringArray{pulumi.String(ImageOwner(m.MachineImage))},
		Filters: ec2.GetAmiFilterArray{ec2.GetAmiFilterArgs{
			Name: pulumi.String("name"), Values: pulumi.StringArray{pulumi.String(m.MachineImage)},
		}},
	}, parent).Id()
}

// Instance metadata: IMDSv2 only. Containers are one hop further away than the limit lets an answer travel: the
// machine's role is not theirs.
const (
	metadataEndpoint = pulumi.String("enabled")
	metadataTokens   = pulumi.String("required")
	metadataHops     = pulumi.Int(1)
)

// rootVolume is where Debian, Docker and the images are. Nothing on it is kept.
const rootVolumeType = pulumi.String("gp3")

// userData is the cloud-init document of a machine. It waits for what only a deployment knows: the digests and log
// groups of the containers, and the store's id or name. An error of rendering reaches the machine, which is then not
// made.
func userData(
	machine boot.Machine, containers []tier.Container, journal *cloudwatch.LogGroup, storeID pulumi.StringInput,
	mount func(id string) *boot.Store,
) pulumi.StringOutput {
	unknown := []any{storeID, journal.Name}
	for _, c := range containers {
		unknown = append(unknown, c.Image.Digest, c.LogGroup.Name)
	}
	return pulumi.All(unknown...).ApplyT(func(known []any) (string, error) {
		machine.Store, machine.Journal = mount(known[0].(string)), known[1].(string)
		machine.Containers = filledIn(containers, func(i int) (image, logGroup string) {
			return known[2+2*i].(string), known[3+2*i].(string)
		})
		document, err := machine.Render()
		return string(document), err
	}).(pulumi.StringOutput)
}

// filledIn has the containers with what a deployment finds out; found answers for the i-th of them.
func filledIn(containers []tier.Container, found func(i int) (image, logGroup string)) (specs []boot.Container) {
	for i, c := range containers {
		spec := c.Spec
		spec.Image, spec.LogGroup = found(i)
		specs = append(specs, spec)
	}
	return specs
}

// validate checks everything but what the deployment adds, with stand-ins of the right form and size for the rest.
func (m Machine) validate(document boot.Machine, containers []tier.Container) (p problem.List) {
	_, known := boot.InstanceTypes[m.InstanceType]
	p.Unless(known, "instanceType", m.InstanceType, "use one of "+strings.Join(boot.InstanceTypeNames(), ", "))
	p.Unless(m.MachineImage != "", "machineImage", m.MachineImage,
		"give the exact name of a machine image, such as debian-13-amd64-20251117-2299")
	incomplete := false
	for _, c := range containers {
		incomplete = incomplete || c.Image == nil || c.LogGroup == nil
	}
	p.Unless(!incomplete, "workloads", "a container without image or log group", "take workloads from tiers")
	p = append(p, logs.CheckRetention("logRetentionDays", m.LogRetentionDays)...)
	document.Containers = filledIn(containers, standIns)
	_, document.Journal = standIns(0)
	if _, err := document.Render(); err != nil {
		p = append(p, err)
	}
	return p
}

// standIns are an image and a log group as long as names get here, so that a document that fits with them will fit.
func standIns(int) (image, logGroup string) {
	registry := "000000000000.dkr.ecr.us-gov-west-1.amazonaws.com/"
	return registry + strings.Repeat("x", 64) + "@sha256:" + strings.Repeat("0", 64), strings.Repeat("x", 64)
}
