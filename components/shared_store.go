package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/guardrails"
	"twip/infra/boot"
)

const (
	// storeDevice is the attachment's device name. Debian's machine images use /dev/xvda; AWS recommends f to p for data:
	// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html
	storeDevice = "/dev/xvdf"
	// storeLabel is how a machine tells the store from a foreign volume. It is on disk: it can never change.
	storeLabel = "twip-store"
)

// unprotected is why data can be without protection.
const unprotected = "whoever is about to destroy the environment lifts the protection by configuration (twip:protectData)"

// SharedStoreArgs describe where the data lives.
type SharedStoreArgs struct {
	Placement Placement // required
	SizeGiB   int       // required on a host; it can grow but not shrink
	Backups   Backups   // required in a group
	Protect   bool      // refuse to delete the data, and snapshot it should it be deleted all the same
}

// SharedStore keeps what people post. It outlives every machine: on a host it is an encrypted volume that moves from one
// instance to the next, in a group a file system with a mount target in every zone.
type SharedStore struct {
	pulumi.ResourceState
	VolumeID     pulumi.StringOutput // on a host
	FileSystemID pulumi.StringOutput // in a group
	files        *fileSystem
}

// NewSharedStore refuses bad args before it registers anything.
func NewSharedStore(ctx *pulumi.Context, name string, args *SharedStoreArgs, opts ...pulumi.ResourceOption) (*SharedStore, error) {
	if err := args.validate().err("shared store", name); err != nil {
		return nil, err
	}
	s := &SharedStore{}
	if err := ctx.RegisterComponentResource("twip:components:SharedStore", name, s, opts...); err != nil {
		return nil, err
	}
	if place, grouped := args.Placement.(InGroup); grouped {
		if err := s.registerFileSystem(ctx, name, args, place); err != nil {
			return nil, fmt.Errorf("shared store %q: %w", name, err)
		}
		return s, ctx.RegisterResourceOutputs(s, pulumi.Map{"fileSystemId": s.FileSystemID})
	}
	// RetainOnDelete would leave a volume behind that no stack knows of; protection refuses instead, and whoever lifts it
	// has said twice that the data can go.
	volume, err := ebs.NewVolume(ctx, name, &ebs.VolumeArgs{
		AvailabilityZone: pulumi.String(args.Placement.(OnHost).Subnet.Zone),
		Type:             pulumi.String("gp3"),
		Size:             pulumi.Int(args.SizeGiB),
		Encrypted:        pulumi.Bool(true),
		FinalSnapshot:    pulumi.Bool(args.Protect),
		Tags:             named(name),
	}, pulumi.Parent(s), pulumi.Protect(args.Protect), guardrails.ExceptWhen(ctx, !args.Protect, "TWIP-STORE-4", unprotected))
	if err != nil {
		return nil, fmt.Errorf("shared store %q: volume: %w", name, err)
	}
	s.VolumeID = volume.ID().ToStringOutput()
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{"volumeId": s.VolumeID})
}

// mountVolume is the store as a machine mounts it.
func mountVolume(id string) *boot.Store {
	return &boot.Store{Volume: &boot.Volume{Device: storeDevice, ID: id, Label: storeLabel}}
}

func (a *SharedStoreArgs) validate() (p problems) {
	switch place := a.Placement.(type) {
	case OnHost:
		_, ok := zoneNumber(place.Subnet.Zone)
		p.unless(ok, "placement: zone", place.Subnet.Zone, "use a subnet of the network")
		p.unless(a.SizeGiB >= 1 && a.SizeGiB <= maxVolumeGiB, "sizeGiB", a.SizeGiB, fmt.Sprintf("use 1 to %d", maxVolumeGiB))
	case InGroup:
		p = append(p, checkPlacement(place)...)
		p = append(p, a.Backups.validate()...)
	default:
		p = append(p, errPlacement)
	}
	return p
}

// maxVolumeGiB is the largest gp3 volume: https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html
const maxVolumeGiB = 16384
