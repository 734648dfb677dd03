package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/guardrails"
	"twip/infra/boot"
)

// nfsPort is where EFS answers, with and without TLS.
const nfsPort = 2049

// fileSystem is a SharedStore that machines in every zone mount at once.
type fileSystem struct {
	dnsName pulumi.StringOutput
	arn     pulumi.StringOutput
	wall    *ec2.SecurityGroup
	mounts  []pulumi.Resource // depend on these before launching what mounts at boot

	vaultName pulumi.StringOutput
}

// registerFileSystem makes an EFS file system with a mount target in every zone.
//
// Machines mount its root over TLS, by plain stunnel: Debian has no efs-utils, and an access point travels in the client
// certificate that only efs-utils makes (https://github.com/aws/efs-utils, "access point"). So the machine's root makes
// /store with the containers' owner, and what keeps others out is the network: only the app's security group reaches the
// mount targets, and the policy refuses everything that is not TLS or does not come through them. The access point is
// for people: whoever restores or inspects data mounts it with Amazon's tools and is the containers' user, confined to
// /store, and not root of the file system.
func (s *SharedStore) registerFileSystem(ctx *pulumi.Context, name string, args *SharedStoreArgs, place InGroup) error {
	child, protect := pulumi.Parent(s), pulumi.Protect(args.Protect)
	key, err := newKey(ctx, name, "TWIP: what people posted, and its backups", []string{"backup.amazonaws.com"}, args.Protect, child)
	if err != nil {
		return err
	}
	files, err := efs.NewFileSystem(ctx, name, &efs.FileSystemArgs{
		Encrypted:       pulumi.Bool(true),
		KmsKeyId:        key.Arn,
		PerformanceMode: pulumi.String("generalPurpose"), // the mode with the lowest latency
		ThroughputMode:  pulumi.String("elastic"),
		Tags:            named(name),
	}, child, protect, guardrails.ExceptWhen(ctx, !args.Protect, "TWIP-STORE-4", unprotected))
	if err != nil {
		return fmt.Errorf("file system: %w", err)
	}
	wall, err := newFirewall(ctx, name, place.Network.VPCID, nil, nil, child)
	if err != nil {
		return err
	}
	s.files = &fileSystem{dnsName: files.DnsName, arn: files.Arn, wall: wall.group}
	document := rendered(fileSystemPolicy(), files.Arn)
	guard, err := efs.NewFileSystemPolicy(ctx, name, &efs.FileSystemPolicyArgs{FileSystemId: files.ID(), Policy: document}, child)
	if err != nil {
		return fmt.Errorf("file system policy: %w", err)
	}
	if _, err = efs.NewBackupPolicy(ctx, name, &efs.BackupPolicyArgs{
		FileSystemId: files.ID(),
		BackupPolicy: &efs.BackupPolicyBackupPolicyArgs{Status: pulumi.String("ENABLED")},
	}, child); err != nil {
		return fmt.Errorf("backup policy: %w", err)
	}
	if _, err = efs.NewAccessPoint(ctx, name, &efs.AccessPointArgs{
		FileSystemId: files.ID(),
		PosixUser:    &efs.AccessPointPosixUserArgs{Uid: pulumi.Int(boot.StoreUID), Gid: pulumi.Int(boot.StoreUID)},
		RootDirectory: &efs.AccessPointRootDirectoryArgs{
			Path: pulumi.String("/store"),
			CreationInfo: &efs.AccessPointRootDirectoryCreationInfoArgs{
				OwnerUid: pulumi.Int(boot.StoreUID), OwnerGid: pulumi.Int(boot.StoreUID), Permissions: pulumi.String("0750"),
			},
		},
		Tags: named(name),
	}, child); err != nil {
		return fmt.Errorf("access point: %w", err)
	}
	s.files.mounts = append(s.files.mounts, guard)
	for _, subnet := range place.Network.Private {
		mount, err := efs.NewMountTarget(ctx, name+"-"+subnet.Zone, &efs.MountTargetArgs{
			FileSystemId:   files.ID(),
			SubnetId:       subnet.ID,
			SecurityGroups: pulumi.StringArray{wall.group.ID()},
		}, child)
		if err != nil {
			return fmt.Errorf("mount target in %s: %w", subnet.Zone, err)
		}
		s.files.mounts = append(s.files.mounts, mount)
	}
	s.FileSystemID = files.ID().ToStringOutput()
	vault, err := newBackups(ctx, name, args.Backups, files, key, args.Protect, child)
	if err != nil {
		return err
	}
	s.files.vaultName = vault.Name
	return nil
}

// fileSystemPolicy admits whom the network admits, over TLS; stunnel carries no AWS identity, so there is none to ask for:
// https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
func fileSystemPolicy() policy {
	return policy{Statement: []statement{
		{
			Sid: "EncryptedOnly", Effect: "Deny", Principal: map[string]string{"AWS": "*"}, Action: []string{"*"}, Resource: []string{"{0}"},
			Condition: map[string]map[string]string{"Bool": {"aws:SecureTransport": "false"}},
		},
		{
			Sid: "ThroughMountTargets", Effect: "Allow", Principal: map[string]string{"AWS": "*"}, Resource: []string{"{0}"},
			Action:    []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess"},
			Condition: map[string]map[string]string{"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}},
		},
	}}
}
