package store

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/policy"
	"twip/components/internal/problem"
	"twip/components/internal/tag"
	"twip/components/network"
	"twip/infra/boot"
	"twip/infra/guardrails"
)

// FileSystemArgs describe a file system for the data of app servers in several zones.
type FileSystemArgs struct {
	Network *network.Private // required; a mount target in each of its private subnets
	Backups Backups          // required
	Protect bool             // refuse to delete the file system, its key and its backups
}

// FileSystem keeps what people post where machines of every zone mount it at once: an encrypted EFS file system with a
// mount target in every zone and a vault of backups.
//
// Machines mount its root over TLS, by plain stunnel: Debian has no efs-utils, and an access point travels in the
// client certificate that only efs-utils makes (https://github.com/aws/efs-utils, "access point"). So the machine's
// root makes /store with the containers' owner, and what keeps others out is the network: only the app's security group
// reaches the mount targets, and the policy refuses everything that is not TLS or does not come through them. The
// access point is for people: whoever restores or inspects data mounts it with Amazon's tools and is the containers'
// user, confined to /store, and not root of the file system.
type FileSystem struct {
	pulumi.ResourceState
	FileSystemID  pulumi.StringOutput
	DNSName       pulumi.StringOutput    // what machines mount
	SecurityGroup *network.SecurityGroup // of the mount targets; open NFSPort of it to what mounts
	Mounts        []pulumi.Resource      // depend on these before launching what mounts at boot
	VaultName     pulumi.StringOutput    // of the backups
	BackupSeconds int                    // the interval between two backups
}

// NFSPort is where EFS answers, with and without TLS.
const NFSPort = 2049

// NewFileSystem creates the file system, its key, policy, access point, mount targets and backups. It refuses bad args
// before it registers anything.
func NewFileSystem(
	ctx *pulumi.Context, name string, args *FileSystemArgs, opts ...pulumi.ResourceOption,
) (*FileSystem, error) {
	if err := args.validate().Err("shared store", name); err != nil {
		return nil, err
	}
	f := &FileSystem{}
	if err := ctx.RegisterComponentResource(Token, name, f, opts...); err != nil {
		return nil, err
	}
	if err := f.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("shared store %q: %w", name, err)
	}
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{"fileSystemId": f.FileSystemID})
}

func (f *FileSystem) register(ctx *pulumi.Context, name string, args *FileSystemArgs) error {
	child, protect := pulumi.Parent(f), pulumi.Protect(args.Protect)
	key, err := NewKey(ctx, name, "TWIP: what people posted, and its backups", []string{"backup.amazonaws.com"},
		args.Protect, child)
	if err != nil {
		return err
	}
	files, err := efs.NewFileSystem(ctx, name, &efs.FileSystemArgs{
		Encrypted:       pulumi.Bool(true),
		KmsKeyId:        key.Arn,
		PerformanceMode: pulumi.String("generalPurpose"), // the mode with the lowest latency
		ThroughputMode:  pulumi.String("elastic"),
		Tags:            tag.Named(name),
	}, child, protect, guardrails.ExceptWhen(ctx, !args.Protect, "TWIP-STORE-4", unprotected))
	if err != nil {
		return fmt.Errorf("file system: %w", err)
	}
	f.SecurityGroup, err = network.NewSecurityGroup(ctx, name, args.Network.VPCID, nil, nil, child)
	if err != nil {
		return err
	}
	f.DNSName = files.DnsName
	document := policy.Rendered(fileSystemPolicy(), files.Arn)
	guard, err := efs.NewFileSystemPolicy(ctx, name,
		&efs.FileSystemPolicyArgs{FileSystemId: files.ID(), Policy: document}, child)
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
		Tags: tag.Named(name),
	}, child); err != nil {
		return fmt.Errorf("access point: %w", err)
	}
	f.Mounts = append(f.Mounts, guard)
	for _, subnet := range args.Network.Private {
		mount, err := efs.NewMountTarget(ctx, name+"-"+subnet.Zone, &efs.MountTargetArgs{
			FileSystemId:   files.ID(),
			SubnetId:       subnet.ID,
			SecurityGroups: pulumi.StringArray{f.SecurityGroup.Group.ID()},
		}, child)
		if err != nil {
			return fmt.Errorf("mount target in %s: %w", subnet.Zone, err)
		}
		f.Mounts = append(f.Mounts, mount)
	}
	f.FileSystemID = files.ID().ToStringOutput()
	vault, err := newBackups(ctx, name, args.Backups, files, key, args.Protect, child)
	if err != nil {
		return err
	}
	f.VaultName, f.BackupSeconds = vault.Name, args.Backups.Seconds()
	return nil
}

// fileSystemPolicy admits whom the network admits, over TLS; stunnel carries no AWS identity, so there is none to ask
// for:
// https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
func fileSystemPolicy() policy.Document {
	return policy.Document{Statement: []policy.Statement{
		policy.EncryptedOnly([]string{"*"}, []string{"{0}"}),
		{
			Sid: "ThroughMountTargets", Effect: "Allow", Principal: map[string]string{"AWS": "*"}, Resource: []string{"{0}"},
			Action: []string{
				"elasticfilesystem:ClientMount",
				"elasticfilesystem:ClientWrite",
				"elasticfilesystem:ClientRootAccess",
			},
			Condition: map[string]map[string]string{"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}},
		},
	}}
}

func (a *FileSystemArgs) validate() (p problem.List) {
	p.Unless(a.Network != nil, "network", nil, "give it the private network whose zones it is mounted in")
	return append(p, a.Backups.validate()...)
}
