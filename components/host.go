package components

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/guardrails"
	"twip/infra/boot"
)

// HostArgs describe the one machine that everything placed OnHost runs on.
type HostArgs struct {
	Hostname     string             // required; lower-case letters, digits and dashes
	Region       string             // required; where the log groups are
	Network      *Network           // required; complete before the machine starts
	Subnet       Subnet             // required; public, and the store's
	InstanceType string             // required; a key of InstanceTypes
	MachineImage string             // required; exact name of a Debian machine image, the same in every region
	Workloads    []Workload         // required; started in this order
	Store        *SharedStore       // required; moves to this machine
	AddressID    pulumi.StringInput // required; allocation id of the Elastic IP that leads here
}

// Host is an instance that boots from one cloud-init document and is never touched again: a change of the document
// replaces it. The old instance shuts down in an orderly way and lets go of the store before the new one is made, so
// there are never two writers.
type Host struct {
	pulumi.ResourceState
	InstanceID pulumi.StringOutput
}

// debianOwner is the account that publishes Debian's machine images: https://wiki.debian.org/Cloud/AmazonEC2Image
const debianOwner = "136693071363"

// outbound is what a machine needs from outside: Debian's archive speaks both, ECR and CloudWatch Logs speak TLS.
var outbound = []Flow{
	{Name: "archive", Port: 80, CIDRs: []string{anywhere}},
	{Name: "tls", Port: 443, CIDRs: []string{anywhere}},
}

// NewHost refuses bad args before it registers anything.
func NewHost(ctx *pulumi.Context, name string, args *HostArgs, opts ...pulumi.ResourceOption) (*Host, error) {
	if err := args.validate().err("host", name); err != nil {
		return nil, err
	}
	h := &Host{}
	if err := ctx.RegisterComponentResource("twip:components:Host", name, h, opts...); err != nil {
		return nil, err
	}
	if err := h.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("host %q: %w", name, err)
	}
	return h, ctx.RegisterResourceOutputs(h, pulumi.Map{"instanceId": h.InstanceID})
}

func (h *Host) register(ctx *pulumi.Context, name string, args *HostArgs) error {
	child := pulumi.Parent(h)
	wall, err := newFirewall(ctx, name, args.Network.VPCID, args.ingress(), outbound, child)
	if err != nil {
		return err
	}
	may, err := newRole(ctx, name, args.containers(), child)
	if err != nil {
		return err
	}
	image := ec2.LookupAmiOutput(ctx, ec2.LookupAmiOutputArgs{
		Owners:  pulumi.StringArray{pulumi.String(debianOwner)},
		Filters: ec2.GetAmiFilterArray{ec2.GetAmiFilterArgs{Name: pulumi.String("name"), Values: pulumi.StringArray{pulumi.String(args.MachineImage)}}},
	}, child)

	// What a machine needs at boot is there before it boots. Images and log groups are: the user data names them.
	ready := append(append([]pulumi.Resource{may.policy}, args.Network.ready...), wall.rules...)
	machine, err := ec2.NewInstance(ctx, name, &ec2.InstanceArgs{
		Ami:                 image.Id(),
		InstanceType:        pulumi.String(args.InstanceType),
		SubnetId:            args.Subnet.ID,
		VpcSecurityGroupIds: pulumi.StringArray{wall.group.ID()},
		IamInstanceProfile:  may.profile.Name,
		// Containers are one hop further away than the limit lets an answer travel: the machine's role is not theirs.
		MetadataOptions: &ec2.InstanceMetadataOptionsArgs{
			HttpEndpoint:            pulumi.String("enabled"),
			HttpTokens:              pulumi.String("required"),
			HttpPutResponseHopLimit: pulumi.Int(1),
		},
		RootBlockDevice: &ec2.InstanceRootBlockDeviceArgs{
			VolumeType:          pulumi.String("gp3"),
			VolumeSize:          pulumi.Int(rootGiB),
			Encrypted:           pulumi.Bool(true),
			DeleteOnTermination: pulumi.Bool(true),
			Tags:                named(name + "-root"),
		},
		UserData:                args.userData(),
		UserDataReplaceOnChange: pulumi.Bool(true),
		Tags:                    named(name),
	}, child, pulumi.DependsOn(ready), pulumi.DeleteBeforeReplace(true))
	if err != nil {
		return fmt.Errorf("instance: %w", err)
	}
	h.InstanceID = machine.ID().ToStringOutput()

	if _, err = ec2.NewVolumeAttachment(ctx, name, &ec2.VolumeAttachmentArgs{
		InstanceId: machine.ID(),
		VolumeId:   args.Store.VolumeID,
		DeviceName: pulumi.String(storeDevice),
		// Stopping the instance stops the JVM in an orderly way and unmounts the file system; only then may it move.
		StopInstanceBeforeDetaching: pulumi.Bool(true),
	}, child, pulumi.DeleteBeforeReplace(true)); err != nil {
		return fmt.Errorf("attachment of the store: %w", err)
	}
	if _, err = ec2.NewEipAssociation(ctx, name, &ec2.EipAssociationArgs{
		InstanceId:   machine.ID(),
		AllocationId: args.AddressID,
	}, child, pulumi.DeleteBeforeReplace(true),
		guardrails.Except(ctx, "EC2.9", "the one machine is its own edge: visitors reach it, by the ports that its security group opens")); err != nil {
		return fmt.Errorf("association of the address: %w", err)
	}
	return nil
}

// rootGiB holds Debian, Docker and the current images. Nothing on it is kept.
const rootGiB = 8

// userData waits for what only a deployment knows (digests, log groups, the volume's id) and renders the document. An
// error of rendering reaches the instance, which is then not made.
func (a *HostArgs) userData() pulumi.StringOutput {
	containers := a.containers()
	unknown := make([]any, 0, 2*len(containers)+1)
	unknown = append(unknown, a.Store.VolumeID)
	for _, c := range containers {
		unknown = append(unknown, c.Image.Digest, c.LogGroup.Name)
	}
	return pulumi.All(unknown...).ApplyT(func(known []any) (string, error) {
		machine := a.machine(known[0].(string), func(i int) (image, logGroup string) {
			return known[1+2*i].(string), known[2+2*i].(string)
		})
		document, err := machine.Render()
		return string(document), err
	}).(pulumi.StringOutput)
}

// machine fills in what the deployment found out; found answers for the i-th container.
func (a *HostArgs) machine(volumeID string, found func(i int) (image, logGroup string)) boot.Machine {
	m := boot.Machine{Hostname: a.Hostname, Region: a.Region, Store: mountVolume(volumeID)}
	for i, c := range a.containers() {
		spec := c.Spec
		spec.Image, spec.LogGroup = found(i)
		m.Containers = append(m.Containers, spec)
	}
	return m
}

func (a *HostArgs) containers() (all []Container) {
	for _, w := range a.Workloads {
		all = append(all, w.Containers...)
	}
	return all
}

func (a *HostArgs) ingress() (all []Flow) {
	for _, w := range a.Workloads {
		all = append(all, w.Ingress...)
	}
	return all
}

func (a *HostArgs) validate() (p problems) {
	_, known := InstanceTypes[a.InstanceType]
	p.unless(known, "instanceType", a.InstanceType, "use one of "+strings.Join(InstanceTypeNames(), ", "))
	p.unless(a.MachineImage != "", "machineImage", a.MachineImage, "give the exact name of a machine image, such as debian-13-amd64-20251117-2299")
	p.unless(a.Network != nil, "network", nil, "give it the Network to stand in")
	p.unless(a.Subnet.ID != nil, "subnet", nil, "give it a public subnet of the network")
	p.unless(a.Store != nil, "store", nil, "give it the SharedStore that moves to it")
	p.unless(a.AddressID != nil, "addressID", nil, "give it the edge's Elastic IP")
	p = append(p, checkFlows(a.ingress())...)
	incomplete := false
	for _, c := range a.containers() {
		incomplete = incomplete || c.Image == nil || c.LogGroup == nil
	}
	p.unless(!incomplete, "workloads", "a container without image or log group", "take workloads from tiers")
	// Everything but what the deployment adds can be checked now, with stand-ins of the right form and size for the rest.
	if _, err := a.machine("vol-00000000000000000", standIns).Render(); err != nil {
		p = append(p, err)
	}
	return p
}

// standIns are an image and a log group as long as names get here, so that a document that fits with them will fit.
func standIns(int) (image, logGroup string) {
	return "000000000000.dkr.ecr.us-gov-west-1.amazonaws.com/" + strings.Repeat("x", 64) + "@sha256:" + strings.Repeat("0", 64), strings.Repeat("x", 64)
}
