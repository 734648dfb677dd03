package compute

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/logs"
	"twip/components/internal/problem"
	"twip/components/internal/tag"
	"twip/components/network"
	"twip/components/store"
	"twip/components/tier"
	"twip/infra/boot"
	"twip/infra/guardrails"
)

// HostArgs describe the one machine of an environment on one host.
type HostArgs struct {
	Machine

	Hostname  string             // required; lower-case letters, digits and dashes
	Network   *network.Public    // required; complete before the machine starts
	Subnet    network.Subnet     // required; public, in the volume's zone
	Workloads []tier.Workload    // required; started in this order
	Volume    *store.Volume      // required; moves to this machine
	AddressID pulumi.StringInput // required; allocation id of the Elastic IP that leads here
}

// Host is an instance that boots from one cloud-init document and is never touched again: a change of the document
// replaces it. The old instance shuts down in an orderly way and lets go of the volume before the new one is made, so
// there are never two writers.
type Host struct {
	pulumi.ResourceState
	InstanceID  pulumi.StringOutput
	JournalName pulumi.StringOutput // of the log group that says how the machine came up, and what became of it
}

const (
	// hostRootGiB holds Debian, Docker and the current images.
	hostRootGiB = 8
	// storeDevice is the attachment's device name. Debian's machine images use /dev/xvda; AWS recommends f to p for
	// data:
	// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html
	storeDevice = "/dev/xvdf"
	// storeLabel is how a machine tells the store from a foreign volume. It is on disk: it can never change.
	storeLabel = "twip-store"
)

// NewHost creates the instance with its role and security group, and attaches the volume and the address to it. It
// refuses bad args before it registers anything.
func NewHost(ctx *pulumi.Context, name string, args *HostArgs, opts ...pulumi.ResourceOption) (*Host, error) {
	if err := args.validate().Err("host", name); err != nil {
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
	group, err := network.NewSecurityGroup(ctx, name, args.Network.VPCID, args.ingress(), tier.Outbound, child)
	if err != nil {
		return err
	}
	journal, err := logs.NewGroup(ctx, name, args.LogRetentionDays, child)
	if err != nil {
		return err
	}
	h.JournalName = journal.Name
	role, err := newRole(ctx, name, args.containers(), journal, child)
	if err != nil {
		return err
	}
	// What a machine needs at boot is there before it boots. Images and log groups are: the user data names them.
	ready := append(append([]pulumi.Resource{role.policy}, args.Network.Ready...), group.Rules...)
	machine, err := ec2.NewInstance(ctx, name, &ec2.InstanceArgs{
		Ami:                 args.imageID(ctx, child),
		InstanceType:        pulumi.String(args.InstanceType),
		SubnetId:            args.Subnet.ID,
		VpcSecurityGroupIds: pulumi.StringArray{group.Group.ID()},
		IamInstanceProfile:  role.profile.Name,
		MetadataOptions: &ec2.InstanceMetadataOptionsArgs{
			HttpEndpoint: metadataEndpoint, HttpTokens: metadataTokens, HttpPutResponseHopLimit: metadataHops,
		},
		RootBlockDevice: &ec2.InstanceRootBlockDeviceArgs{
			VolumeType:          rootVolumeType,
			VolumeSize:          pulumi.Int(hostRootGiB),
			Encrypted:           pulumi.Bool(true),
			DeleteOnTermination: pulumi.Bool(true),
			Tags:                tag.Named(name + "-root"),
		},
		UserData:                userData(args.document(), args.containers(), journal, args.Volume.VolumeID, mountVolume),
		UserDataReplaceOnChange: pulumi.Bool(true),
		Tags:                    tag.Named(name),
	}, child, pulumi.DependsOn(ready), pulumi.DeleteBeforeReplace(true))
	if err != nil {
		return fmt.Errorf("instance: %w", err)
	}
	h.InstanceID = machine.ID().ToStringOutput()

	if _, err = ec2.NewVolumeAttachment(ctx, name, &ec2.VolumeAttachmentArgs{
		InstanceId: machine.ID(),
		VolumeId:   args.Volume.VolumeID,
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
		guardrails.Except(ctx, "EC2.9", "the one machine is its own edge: visitors reach it, by the ports that its "+
			"security group opens")); err != nil {
		return fmt.Errorf("association of the address: %w", err)
	}
	return nil
}

// mountVolume is the store as the host mounts it.
func mountVolume(id string) *boot.Store {
	return &boot.Store{Volume: &boot.Volume{Device: storeDevice, ID: id, Label: storeLabel}}
}

// document is what the host boots from, but for what the deployment adds.
func (a *HostArgs) document() boot.Machine {
	return boot.Machine{Hostname: a.Hostname, Region: a.Region}
}

func (a *HostArgs) containers() (all []tier.Container) {
	for _, w := range a.Workloads {
		all = append(all, w.Containers...)
	}
	return all
}

func (a *HostArgs) ingress() (all []network.Flow) {
	for _, w := range a.Workloads {
		all = append(all, w.Ingress...)
	}
	return all
}

func (a *HostArgs) validate() (p problem.List) {
	p.Unless(a.Network != nil, "network", nil, "give it the public network to stand in")
	p.Unless(a.Subnet.ID != nil, "subnet", nil, "give it a public subnet of the network")
	p.Unless(a.Volume != nil, "volume", nil, "give it the volume of the SharedStore that moves to it")
	p.Unless(a.AddressID != nil, "addressID", nil, "give it the edge's Elastic IP")
	p = append(p, network.CheckFlows(a.ingress())...)
	document := a.document()
	document.Store = mountVolume("vol-00000000000000000")
	return append(p, a.Machine.validate(document, a.containers())...)
}
