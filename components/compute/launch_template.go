package compute

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/tag"
	"twip/infra/boot"
)

// template is what every machine of the group is like.
func (a *AutoScalingGroupArgs) template(
	ctx *pulumi.Context, name string, role *role, journal *cloudwatch.LogGroup, child pulumi.ResourceOrInvokeOption,
) (*ec2.LaunchTemplate, error) {
	tags := ec2.LaunchTemplateTagSpecificationArray{}
	for _, kind := range []string{"instance", "network-interface", "volume"} {
		tags = append(
			tags,
			&ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String(kind), Tags: a.machineTags(name)},
		)
	}
	template, err := ec2.NewLaunchTemplate(ctx, name, &ec2.LaunchTemplateArgs{
		ImageId:            a.imageID(ctx, child),
		InstanceType:       pulumi.String(a.InstanceType),
		IamInstanceProfile: &ec2.LaunchTemplateIamInstanceProfileArgs{Arn: role.profile.Arn},
		UserData:           a.userData(journal),
		NetworkInterfaces: ec2.LaunchTemplateNetworkInterfaceArray{&ec2.LaunchTemplateNetworkInterfaceArgs{
			AssociatePublicIpAddress: pulumi.String("false"),
			DeleteOnTermination:      pulumi.String("true"),
			SecurityGroups:           pulumi.StringArray{a.Tier.TargetGroup.SecurityGroup.Group.ID()},
		}},
		MetadataOptions: &ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint: metadataEndpoint, HttpTokens: metadataTokens, HttpPutResponseHopLimit: metadataHops,
			InstanceMetadataTags: pulumi.String("enabled"), // the group's name is one of them
		},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{&ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String("/dev/xvda"), // the root of Debian's machine images
			Ebs: &ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeType:          rootVolumeType,
				VolumeSize:          pulumi.Int(groupRootGiB),
				Encrypted:           pulumi.String("true"),
				DeleteOnTermination: pulumi.String("true"),
			},
		}},
		// A machine that powers itself off is gone, and the group starts another.
		InstanceInitiatedShutdownBehavior: pulumi.String("terminate"),
		Monitoring: &ec2.LaunchTemplateMonitoringArgs{
			Enabled: pulumi.Bool(true),
		}, // every minute: scaling should not be late
		TagSpecifications: tags,
		Tags:              tag.Named(name),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("launch template: %w", err)
	}
	return template, nil
}

// userData is base64, as launch templates want it.
func (a *AutoScalingGroupArgs) userData(journal *cloudwatch.LogGroup) pulumi.StringOutput {
	name, mount := pulumi.String("").ToStringOutput(), func(string) *boot.Store { return nil }
	if a.Store != nil {
		name, mount = a.Store.DNSName, mountFileSystem
	}
	document := userData(a.document(), a.Tier.Workload.Containers, journal, name, mount)
	return document.ApplyT(func(text string) string {
		return base64.StdEncoding.EncodeToString([]byte(text))
	}).(pulumi.StringOutput)
}

func (a *AutoScalingGroupArgs) machineTags(name string) pulumi.StringMap {
	tags := pulumi.StringMap{}
	for key, value := range a.Tags {
		tags[key] = pulumi.String(value)
	}
	maps.Copy(tags, tag.Named(name))
	return tags
}

// groupTags are on the group; machines get theirs from the launch template, which also tags volumes.
func (a *AutoScalingGroupArgs) groupTags(name string) (tags autoscaling.GroupTagArray) {
	all := a.machineTags(name)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		tags = append(
			tags,
			&autoscaling.GroupTagArgs{Key: pulumi.String(key), Value: all[key], PropagateAtLaunch: pulumi.Bool(false)},
		)
	}
	return tags
}
