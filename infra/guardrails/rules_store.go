package guardrails

import "strings"

var storeRules = []*Rule{
	{
		ID: "EFS.1", CIS: "v3.0.0/2.4.1", Title: "file systems are encrypted with a key in KMS",
		Source: securityHub("EFS.1"), Types: []string{fileSystem},
		check: some("kmsKeyId", "name a key of this environment"),
	},
	{
		ID: "EFS.2", Title: "file systems are in a backup plan",
		Source: securityHub("EFS.2"), Types: []string{fileSystem},
		whole: companion(selection, "backup selection", "add a backup.Selection that names it"),
	},
	{
		ID: "EFS.3", Title: "access points have a root directory of their own",
		Source: securityHub("EFS.3"), Types: []string{accessPoint},
		check: text("rootDirectory.path", func(p string) bool { return len(p) > 1 }, "name a directory below /"),
	},
	{
		ID: "EFS.4", Title: "access points have a user of their own, who is not root",
		Source: securityHub("EFS.4"), Types: []string{accessPoint},
		check: all(number("posixUser.uid", 1, 1<<32-2), number("posixUser.gid", 1, 1<<32-2)),
	},
	{
		ID: "EFS.6", Title: "mount targets stand in subnets without public addresses",
		Source: securityHub("EFS.6"), Types: []string{mountTarget},
		whole: inPrivate,
	},
	{
		ID: "EFS.7", Title: "file systems have automatic backups",
		Source: securityHub("EFS.7"), Types: []string{fileSystem, fileBackup},
		check: of(map[string]check{fileBackup: is("backupPolicy.status", "ENABLED")}),
		whole: of(map[string]check{fileSystem: companion(fileBackup, "backup policy", "add an efs.BackupPolicy")}),
	},
	{
		ID: "EFS.8", Title: "file systems are encrypted",
		Source: securityHub("EFS.8"), Types: []string{fileSystem},
		check: is("encrypted", "true"),
	},
	{
		ID: "TWIP-STORE-1", Title: "file systems refuse what is not encrypted on its way",
		Source: "https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html", Types: []string{fileSystem, filePolicy},
		check: of(map[string]check{filePolicy: documents("policy", deniesPlain, deniesPlainWayOut)}),
		whole: of(
			map[string]check{fileSystem: companion(filePolicy, "file system policy", "add an efs.FileSystemPolicy")}),
	},
	{
		ID: "TWIP-STORE-2", Title: "there are never two writers: a machine stops before its volume moves",
		Source: ownDesign, Types: []string{"aws:ec2/volumeAttachment:VolumeAttachment"},
		check: is("stopInstanceBeforeDetaching", "true"),
	},
	{
		ID: "TWIP-STORE-3", Title: "backups are made by a schedule, and kept for a while",
		Source: ownDesign, Types: []string{backupPlan},
		check: all(some("rules[].schedule", "say when"), number("rules[].lifecycle.deleteAfter", 1, 3650)),
	},
	{
		ID: "TWIP-STORE-4", Title: "what people posted, and the copies of it, cannot be deleted by mistake",
		Source: "https://www.pulumi.com/docs/iac/concepts/resources/options/protect/", Types: []string{volume, fileSystem, backupVault},
		check: protected,
	},
	{
		ID: "TWIP-STORE-5", Title: "backups are restored by way of trial",
		Source: "https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html", Types: []string{fileSystem},
		whole: companion("aws:backup/restoreTestingSelection:RestoreTestingSelection", "restore testing",
			"add a backup.RestoreTestingSelection that names it"),
	},
	{
		ID: "TWIP-STORE-6", Title: "a backup that does not happen is noticed, not only one that fails",
		Source: "https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html", Types: []string{backupPlan},
		whole: silenceIsNoticed,
	},
	{
		ID: "Backup.1", Title: "recovery points are encrypted with a key in KMS",
		Source: securityHub("Backup.1"), Types: []string{backupVault},
		check: some("kmsKeyArn", "name a key of this environment"),
	},
	{
		ID: "KMS.3", Title: "keys do not vanish by accident: a deleted one can be brought back for 30 days",
		Source: securityHub("KMS.3"), Types: []string{key},
		check: all(is("deletionWindowInDays", "30"), isNot("isEnabled", "false", "leave it out")),
	},
	{
		ID: "KMS.4", CIS: "v3.0.0/3.6", Title: "keys are rotated",
		Source: securityHub("KMS.4"), Types: []string{key},
		check: is("enableKeyRotation", "true"),
	},
	{
		ID: "KMS.5", Title: "keys are nobody else's",
		Source: securityHub("KMS.5"), Types: []string{key},
		check: documents("policy", closed, closedWayOut),
	},
}

// silenceIsNoticed looks for an alarm on completed jobs of a vault that the plan fills, to which no data is a bad sign.
func silenceIsNoticed(r *Resource, g *Graph) []finding {
	for _, vault := range g.used(r, backupVault) {
		for _, alarm := range g.users(vault, metricAlarm) {
			completed := anyOf("metricQueries[].metric.metricName", "NumberOfBackupJobsCompleted")(alarm, g)
			filled := anyWhere("metricQueries[].expression",
				func(v value) bool { return strings.Contains(v.text(), "FILL(") }, "")(alarm, g)
			if len(completed)+len(filled) == 0 {
				return nil
			}
		}
	}
	return []finding{{r.at("rules"), "add an alarm on NumberOfBackupJobsCompleted of its vault that treats missing data " +
		"as breaching"}}
}

func protected(r *Resource, _ *Graph) []finding {
	if r.Protect {
		return nil
	}
	return []finding{{value{path: "protect"}, "protect it with pulumi.Protect"}}
}

// inPrivate asks that no subnet that a mount target uses gives out public addresses.
func inPrivate(r *Resource, g *Graph) (found []finding) {
	for _, subnet := range g.used(r, subnet) {
		if open := subnet.at("mapPublicIpOnLaunch"); open.text() == "true" {
			found = append(found, finding{
				value{path: "subnetId (" + subnet.Name + ": mapPublicIpOnLaunch)", v: open.v, state: known},
				"use a private subnet",
			})
		}
	}
	return found
}
