package store

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/problem"
	"twip/components/internal/tag"
	"twip/components/network"
	"twip/infra/guardrails"
)

// Token is the type of a shared store in the state of environments, whichever form it has.
const Token = "twip:components:SharedStore"

// unprotected is why data can be without protection.
const unprotected = "whoever is about to destroy the environment lifts the protection by configuration " +
	"(twip:protectData)"

// VolumeArgs describe a volume for the data of one host.
type VolumeArgs struct {
	Zone      string // required; the host's availability zone, such as eu-central-1a: a volume cannot leave its zone
	SizeGiB   int    // required; it can grow but not shrink
	Snapshots int    // how many nightly snapshots are kept, 0 to 1000; 0: none are taken
	Protect   bool   // refuse to delete the data, and snapshot it should it be deleted all the same
}

// Volume keeps what people post on one host: an encrypted volume that moves from one instance to the next.
type Volume struct {
	pulumi.ResourceState
	VolumeID pulumi.StringOutput
}

// NewVolume creates the volume. It refuses bad args before it registers anything.
func NewVolume(
	ctx *pulumi.Context, name string, args *VolumeArgs, opts ...pulumi.ResourceOption,
) (*Volume, error) {
	if err := args.validate().Err("shared store", name); err != nil {
		return nil, err
	}
	v := &Volume{}
	if err := ctx.RegisterComponentResource(Token, name, v, opts...); err != nil {
		return nil, err
	}
	// RetainOnDelete would leave a volume behind that no stack knows of; protection refuses instead, and whoever lifts
	// it has said twice that the data can go.
	volume, err := ebs.NewVolume(ctx, name, &ebs.VolumeArgs{
		AvailabilityZone: pulumi.String(args.Zone),
		Type:             pulumi.String("gp3"),
		Size:             pulumi.Int(args.SizeGiB),
		Encrypted:        pulumi.Bool(true),
		FinalSnapshot:    pulumi.Bool(args.Protect),
		Tags:             tag.Named(name),
	}, pulumi.Parent(v), pulumi.Protect(args.Protect),
		guardrails.ExceptWhen(ctx, !args.Protect, "TWIP-STORE-4", unprotected))
	if err != nil {
		return nil, fmt.Errorf("shared store %q: volume: %w", name, err)
	}
	v.VolumeID = volume.ID().ToStringOutput()
	if args.Snapshots > 0 {
		if err = newSnapshots(ctx, name, volume, args.Snapshots, pulumi.Parent(v)); err != nil {
			return nil, fmt.Errorf("shared store %q: %w", name, err)
		}
	}
	return v, ctx.RegisterResourceOutputs(v, pulumi.Map{"volumeId": v.VolumeID})
}

func (a *VolumeArgs) validate() (p problem.List) {
	p.Unless(network.ValidZone(a.Zone), "zone", a.Zone,
		"use the zone of a subnet of the network, such as eu-central-1a")
	p.Unless(a.SizeGiB >= 1 && a.SizeGiB <= maxVolumeGiB, "sizeGiB", a.SizeGiB,
		fmt.Sprintf("use 1 to %d", maxVolumeGiB))
	p.Unless(a.Snapshots >= 0 && a.Snapshots <= 1000, "snapshots", a.Snapshots, "use 0 to 1000")
	return p
}

// maxVolumeGiB is the largest gp3 volume: https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html
const maxVolumeGiB = 16384
