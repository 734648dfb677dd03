package store

import (
	"fmt"
	"maps"
	"slices"

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
}

func (b Backups) schedule() string {
	if b.Hourly {
		return "cron(0 * * * ? *)"
	}
	return "cron(0 3 * * ? *)" // 03:00 UTC
}

func (b Backups) validate() (p problem.List) {
	p.Unless(b.KeepDays >= 1 && b.KeepDays <= 3650, "backups: keepDays", b.KeepDays, "use 1 to 3650 days")
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
	parent pulumi.ResourceOption,
) (*backup.Vault, error) {
	vault, err := backup.NewVault(ctx, name, &backup.VaultArgs{KmsKeyArn: key.Arn, Tags: tag.Named(name)}, parent,
		pulumi.Protect(protect), guardrails.ExceptWhen(ctx, !protect, "TWIP-STORE-4", unprotected))
	if err != nil {
		return nil, fmt.Errorf("backup vault: %w", err)
	}
	plan, err := backup.NewPlan(ctx, name, &backup.PlanArgs{
		Rules: backup.PlanRuleArray{&backup.PlanRuleArgs{
			RuleName:         pulumi.String("copy"),
			TargetVaultName:  vault.Name,
			Schedule:         pulumi.String(how.schedule()),
			StartWindow:      pulumi.Int(60),  // minutes; the least that AWS Backup takes
			CompletionWindow: pulumi.Int(120), // minutes
			Lifecycle:        &backup.PlanRuleLifecycleArgs{DeleteAfter: pulumi.Int(how.KeepDays)},
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
	return vault, nil
}
