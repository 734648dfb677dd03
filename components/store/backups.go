package store

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/efs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/policy"
	"twip/components/internal/problem"
	"twip/components/internal/tag"
	"twip/infra/guardrails"
)

// Backups say how often the data is copied into the vault, and how long a copy is kept.
type Backups struct {
	Hourly   bool // every hour instead of every night
	KeepDays int  // 1 to 3650

	// LockDays is for how many days nobody can delete a copy without first removing the vault's lock (governance mode,
	// so that an environment can still be taken down by whoever may). 0: no lock; at most KeepDays.
	LockDays int

	// Copy is where every copy is copied to once more; nil: nowhere.
	Copy *BackupCopy
}

// BackupCopy is a vault in a second region, for the day the first one is lost.
type BackupCopy struct {
	Region   string                  // required; another one than the environment's
	Provider pulumi.ProviderResource // required; of that region
}

// Seconds is the interval between two backups.
func (b Backups) Seconds() int {
	if b.Hourly {
		return 3600
	}
	return 24 * 3600
}

func (b Backups) schedule() string {
	if b.Hourly {
		return "cron(0 * * * ? *)"
	}
	return "cron(0 3 * * ? *)" // 03:00 UTC
}

func (b Backups) validate() (p problem.List) {
	p.Unless(b.KeepDays >= 1 && b.KeepDays <= 3650, "backups: keepDays", b.KeepDays, "use 1 to 3650 days")
	p.Unless(b.LockDays >= 0 && b.LockDays <= b.KeepDays, "backups: lockDays", b.LockDays, "use 0 to keepDays")
	if b.Copy != nil {
		p.Unless(b.Copy.Region != "", "backups: copy: region", b.Copy.Region, "name a second region, such as eu-west-1")
		p.Unless(b.Copy.Provider != nil, "backups: copy: provider", nil, "give it a provider of that region")
	}
	return p
}

// backupRolePolicies are Amazon's own; what they allow is narrowed by the plan, which names the one file system:
// https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html
var backupRolePolicies = map[string]string{
	"backup":  "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
	"restore": "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForRestores",
}

// newBackups copies the file system into an encrypted vault by a plan of its own. EFS's automatic backups, which are on
// as well, are the second copy: nightly, kept for 35 days, in a vault that no program of ours can empty.
func newBackups(
	ctx *pulumi.Context, name string, how Backups, files *efs.FileSystem, key *kms.Key, protect bool,
	parent pulumi.ResourceOrInvokeOption,
) (*backup.Vault, error) {
	vault, err := how.newVault(ctx, name, key, protect, parent)
	if err != nil {
		return nil, err
	}
	copies, err := how.newCopies(ctx, name, protect, parent)
	if err != nil {
		return nil, err
	}
	plan, err := backup.NewPlan(ctx, name, &backup.PlanArgs{
		Rules: backup.PlanRuleArray{&backup.PlanRuleArgs{
			RuleName:         pulumi.String("copy"),
			TargetVaultName:  vault.Name,
			Schedule:         pulumi.String(how.schedule()),
			StartWindow:      pulumi.Int(60),  // minutes; the least that AWS Backup takes
			CompletionWindow: pulumi.Int(120), // minutes
			Lifecycle:        &backup.PlanRuleLifecycleArgs{DeleteAfter: pulumi.Int(how.KeepDays)},
			CopyActions:      copies,
		}},
		Tags: tag.Named(name),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("backup plan: %w", err)
	}
	role, err := policy.NewServiceRole(ctx, name+"-backup", "backup.amazonaws.com", parent)
	if err != nil {
		return nil, err
	}
	for _, use := range slices.Sorted(maps.Keys(backupRolePolicies)) {
		if _, err = iam.NewRolePolicyAttachment(ctx, name+"-"+use, &iam.RolePolicyAttachmentArgs{
			Role: role.Name, PolicyArn: pulumi.String(backupRolePolicies[use]),
		}, parent); err != nil {
			return nil, fmt.Errorf("role of %ss: %w", use, err)
		}
	}
	if _, err = backup.NewSelection(ctx, name, &backup.SelectionArgs{
		PlanId: plan.ID(), IamRoleArn: role.Arn, Resources: pulumi.StringArray{files.Arn},
	}, parent); err != nil {
		return nil, fmt.Errorf("backup selection: %w", err)
	}
	return vault, newRestoreTesting(ctx, name, vault, files, role, parent)
}

// newVault creates a vault, and its lock if there is to be one.
func (b Backups) newVault(
	ctx *pulumi.Context, name string, key *kms.Key, protect bool, options ...pulumi.ResourceOption,
) (*backup.Vault, error) {
	protected := append(slices.Clone(options), pulumi.Protect(protect),
		guardrails.ExceptWhen(ctx, !protect, "TWIP-STORE-4", unprotected))
	vault, err := backup.NewVault(ctx, name, &backup.VaultArgs{KmsKeyArn: key.Arn, Tags: tag.Named(name)}, protected...)
	if err != nil {
		return nil, fmt.Errorf("backup vault: %w", err)
	}
	if b.LockDays == 0 {
		return vault, nil
	}
	if _, err = backup.NewVaultLockConfiguration(ctx, name, &backup.VaultLockConfigurationArgs{
		BackupVaultName: vault.Name, MinRetentionDays: pulumi.Int(b.LockDays),
	}, options...); err != nil {
		return nil, fmt.Errorf("lock of the backup vault: %w", err)
	}
	return vault, nil
}

// newCopies creates the vault of the second region with a key of its own, and says what is copied there.
func (b Backups) newCopies(
	ctx *pulumi.Context, name string, protect bool, parent pulumi.ResourceOrInvokeOption,
) (backup.PlanRuleCopyActionArray, error) {
	if b.Copy == nil {
		return nil, nil
	}
	name, there := name+"-"+b.Copy.Region, pulumi.Provider(b.Copy.Provider)
	key, err := NewKey(ctx, name, "TWIP: copies of backups", []string{"backup.amazonaws.com"}, protect, parent, there)
	if err != nil {
		return nil, err
	}
	vault, err := b.newVault(ctx, name, key, protect, parent, there)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.Copy.Region, err)
	}
	return backup.PlanRuleCopyActionArray{&backup.PlanRuleCopyActionArgs{
		DestinationVaultArn: vault.Arn,
		Lifecycle:           &backup.PlanRuleCopyActionLifecycleArgs{DeleteAfter: pulumi.Int(b.KeepDays)},
	}}, nil
}

// newRestoreTesting has AWS restore the newest copy every Sunday, into a file system that it deletes after an hour: a
// copy that nobody ever restored is a hope. https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html
func newRestoreTesting(
	ctx *pulumi.Context, name string, vault *backup.Vault, files *efs.FileSystem, role *iam.Role,
	parent pulumi.ResourceOption,
) error {
	// AWS takes letters, digits and underscores only, and the provider makes up no name.
	physical := pulumi.String(strings.ReplaceAll(name, "-", "_"))
	plan, err := backup.NewRestoreTestingPlan(ctx, name, &backup.RestoreTestingPlanArgs{
		Name:               physical,
		ScheduleExpression: pulumi.String("cron(0 5 ? * SUN *)"), // 05:00 UTC
		StartWindowHours:   pulumi.Int(1),
		RecoveryPointSelection: &backup.RestoreTestingPlanRecoveryPointSelectionArgs{
			Algorithm:           pulumi.String("LATEST_WITHIN_WINDOW"),
			IncludeVaults:       pulumi.StringArray{vault.Arn},
			RecoveryPointTypes:  pulumi.ToStringArray([]string{"SNAPSHOT"}),
			SelectionWindowDays: pulumi.Int(7),
		},
		Tags: tag.Named(name),
	}, parent)
	if err != nil {
		return fmt.Errorf("restore testing plan: %w", err)
	}
	if _, err = backup.NewRestoreTestingSelection(ctx, name, &backup.RestoreTestingSelectionArgs{
		Name:                   physical,
		RestoreTestingPlanName: plan.Name,
		IamRoleArn:             role.Arn,
		ProtectedResourceType:  pulumi.String("EFS"),
		ProtectedResourceArns:  pulumi.StringArray{files.Arn},
		ValidationWindowHours:  pulumi.Int(1),
	}, parent); err != nil {
		return fmt.Errorf("restore testing selection: %w", err)
	}
	return nil
}
