package graph

import "strings"

// mutation is one change for the worse, and the rule that has to notice it. It is made at every resource of the type, at every
// place that the path leads to.
type mutation struct {
	rule, typ, path string // or one of several rules
	bad             any    // the value; taken is none at all, and a function changes the text that is there
}

// Paths that are options of a resource and not properties of it.
const (
	protectOption  = "protect"
	providerOption = "provider"
)

type (
	taken struct{}
	edit  func(string) string
)

// becomes replaces a part of a text; lacks takes it away.
func becomes(old, text string) edit {
	return func(s string) string { return strings.Replace(s, old, text, 1) }
}
func lacks(part string) edit { return becomes(part, "") }

const (
	defaultGroupType = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	securityType     = "aws:ec2/securityGroup:SecurityGroup"
	cdnType          = "aws:cloudfront/distribution:Distribution"
	aclType          = "aws:wafv2/webAcl:WebAcl"
	keyType          = "aws:kms/key:Key"
	bucketType       = "aws:s3/bucketV2:BucketV2"
	bucketPolicyType = "aws:s3/bucketPolicy:BucketPolicy"
	bucketBlockType  = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	alarmType        = "aws:cloudwatch/metricAlarm:MetricAlarm"
	awsProvider      = "pulumi:providers:aws"
	anyTagged        = "*" // every resource that has tags
)

// statementFor puts a statement into a policy, before the others.
func statementFor(statement string) edit {
	return becomes(`"Statement":[`, `"Statement":[`+statement+",")
}

var mutations = []mutation{
	// Who may reach what.
	{"EC2.2", defaultGroupType, "ingress", []any{map[string]any{"protocol": "-1"}}},
	{"EC2.2", defaultGroupType, "egress", []any{map[string]any{"protocol": "-1"}}},
	{"EC2.6", "aws:ec2/flowLog:FlowLog", "trafficType", "REJECT"},
	{"EC2.15", subnetType, "mapPublicIpOnLaunch", true},
	{"EC2.9", instanceType, "associatePublicIpAddress", true},
	{"EC2.25", templateType, "networkInterfaces[].associatePublicIpAddress", "true"},
	{"EC2.25", templateType, "networkInterfaces[].associatePublicIpAddress", taken{}},
	{"TWIP-FLOW-1", securityType, "ingress", []any{map[string]any{"fromPort": 22.0}}},
	{"TWIP-FLOW-1", securityType, "egress", []any{map[string]any{"fromPort": 0.0}}},
	{"TWIP-FLOW-2", ingressType, "ipProtocol", "-1"},
	{"TWIP-FLOW-2", ingressType, "toPort", 65535.0},
	{"TWIP-FLOW-2", ingressType, "fromPort", 0.0},
	{"TWIP-FLOW-2", ingressType, "description", taken{}},
	{"TWIP-FLOW-2", egressType, "ipProtocol", "-1"},
	{"TWIP-FLOW-2", egressType, "toPort", 65535.0},
	{"TWIP-FLOW-2", egressType, "fromPort", 0.0},
	{"TWIP-FLOW-2", egressType, "description", ""},
	{"TWIP-FLOW-2", egressType, "cidrIpv6", "::/0"},
	{"EC2.18 TWIP-FLOW-2", ingressType, "cidrIpv4", "0.0.0.0/0"},
	{"EC2.18 TWIP-FLOW-2", ingressType, "cidrIpv6", "::/0"},
	{"TWIP-FLOW-2", egressType, "cidrIpv4", "0.0.0.0/0"},

	// Machines and groups.
	{"AutoScaling.1", groupType, "healthCheckType", "EC2"},
	{"AutoScaling.2", groupType, "vpcZoneIdentifiers", []any{"subnet-1"}},
	{"AutoScaling.6", groupType, "mixedInstancesPolicy.launchTemplate.overrides", []any{map[string]any{"instanceType": "t3.small"}}},
	{"AutoScaling.6 AutoScaling.9", groupType, "mixedInstancesPolicy", taken{}},
	{"AutoScaling.9", groupType, "mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.launchTemplateId", taken{}},
	{"AutoScaling.9", groupType, "launchConfiguration", "old"},
	{"EC2.7", volumeType, "encrypted", false},
	{"EC2.7", volumeType, "encrypted", taken{}},
	{"EC2.7", instanceType, "rootBlockDevice.encrypted", false},
	{"EC2.7", instanceType, "rootBlockDevice", taken{}},
	{"EC2.7", templateType, "blockDeviceMappings[].ebs.encrypted", "false"},
	{"EC2.7", templateType, "blockDeviceMappings[].ebs.encrypted", taken{}},
	{"EC2.8", instanceType, "metadataOptions.httpTokens", "optional"},
	{"EC2.8", instanceType, "metadataOptions", taken{}},
	{"EC2.170", templateType, "metadataOptions.httpTokens", "optional"},
	{"EC2.170", templateType, "metadataOptions.httpTokens", taken{}},
	{"TWIP-MACHINE-1", instanceType, "metadataOptions.httpPutResponseHopLimit", 2.0},
	{"TWIP-MACHINE-1", templateType, "metadataOptions.httpPutResponseHopLimit", 64.0},
	{"TWIP-MACHINE-1", templateType, "metadataOptions.httpPutResponseHopLimit", taken{}},
	{"TWIP-MACHINE-2", instanceType, "keyName", "mine"},
	{"TWIP-MACHINE-2", templateType, "keyName", "mine"},
	{"TWIP-MACHINE-3", instanceType, "userDataReplaceOnChange", false},
	{"TWIP-LAUNCH-2", launchHookType, "defaultResult", "CONTINUE"},
	{"TWIP-LAUNCH-2", launchHookType, "lifecycleTransition", "autoscaling:EC2_INSTANCE_TERMINATING"},
	{"TWIP-MACHINE-4", instanceType, "rootBlockDevice.deleteOnTermination", false},
	{"TWIP-MACHINE-4", templateType, "blockDeviceMappings[].ebs.deleteOnTermination", "false"},
	{"TWIP-MACHINE-4", templateType, "networkInterfaces[].deleteOnTermination", "false"},
	{"TWIP-MACHINE-4", templateType, "instanceInitiatedShutdownBehavior", "stop"},
	{"TWIP-GROUP-1", groupType, "mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.version", "$Latest"},
	{"TWIP-GROUP-1", groupType, "mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.version", "$Default"},
	{"TWIP-GROUP-2", groupType, "minSize", 1.0},
	{"TWIP-GROUP-2", groupType, "instanceMaintenancePolicy.minHealthyPercentage", 90.0},
	{"TWIP-GROUP-2", groupType, "instanceMaintenancePolicy", taken{}},
	{"TWIP-GROUP-2", groupType, "healthCheckGracePeriod", 0.0},
	{"TWIP-GROUP-3", groupType, "desiredCapacity", 2.0},
	{"TWIP-GROUP-3", groupType, "forceDelete", true},
	{"TWIP-GROUP-3", groupType, "terminationPolicies", []any{"OldestInstance"}},
	{"TWIP-GROUP-3", groupType, "terminationPolicies", taken{}},
	{"TWIP-GROUP-4", targetsType, "healthCheck.interval", 30.0},
	{"TWIP-GROUP-4", targetsType, "healthCheck.unhealthyThreshold", 10.0},
	{"TWIP-GROUP-4", targetsType, "healthCheck.matcher", "200-499"},
	{"TWIP-GROUP-4", targetsType, "healthCheck.path", "/"},
	{"TWIP-GROUP-4", targetsType, "deregistrationDelay", 0.0},

	// The edge.
	{"ELB.1", listenerType, "defaultActions[].redirect.protocol", "HTTP"},
	{"ELB.17", listenerType, "sslPolicy", becomes("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-2016-08")},
	{"ELB.17", listenerType, "sslPolicy", becomes("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-FS-1-2-Res-2020-10")},
	{"ELB.4", balancerType, "dropInvalidHeaderFields", false},
	{"ELB.4", balancerType, "dropInvalidHeaderFields", taken{}},
	{"ELB.5", balancerType, "accessLogs.enabled", false},
	{"ELB.5", balancerType, "accessLogs.bucket", taken{}},
	{"ELB.6", balancerType, "enableDeletionProtection", false},
	{"ELB.12", balancerType, "desyncMitigationMode", "monitor"},
	{"ELB.13", balancerType, "subnets", []any{"subnet-1"}},
	{"TWIP-EDGE-1", balancerType, "idleTimeout", 4000.0},
	{"TWIP-EDGE-2", "aws:acm/certificate:Certificate", "validationMethod", "EMAIL"},
	{"WAF.10", aclType, "rules", []any{}},
	{"WAF.12", aclType, "visibilityConfig.cloudwatchMetricsEnabled", false},
	{"WAF.12", aclType, "rules[].visibilityConfig.cloudwatchMetricsEnabled", false},
	{"TWIP-WAF-1", aclType, "rules[].statement.managedRuleGroupStatement.name", "AWSManagedRulesLinuxRuleSet"},
	{"TWIP-WAF-1", aclType, "rules[].statement.rateBasedStatement.limit", taken{}},
	{"TWIP-WAF-1", aclType, "rules[2].overrideAction", map[string]any{"count": map[string]any{}}},
	{"TWIP-WAF-1", aclType, "rules[].action", map[string]any{"count": map[string]any{}}},
	{"TWIP-CDN-1", "aws:cloudfront/cachePolicy:CachePolicy", "parametersInCacheKeyAndForwardedToOrigin.queryStringsConfig.queryStringBehavior", "none"},
	{"TWIP-CDN-1", cdnType, "orderedCacheBehaviors[].cachePolicyId", "658327ea-f89d-4fab-a63d-7e88639e58f6"},
	{"CloudFront.3", cdnType, "defaultCacheBehavior.viewerProtocolPolicy", "allow-all"},
	{"CloudFront.3", cdnType, "orderedCacheBehaviors[].viewerProtocolPolicy", "allow-all"},
	{"CloudFront.5", cdnType, "loggingConfig.bucket", taken{}},
	{"CloudFront.6", cdnType, "webAclId", ""},
	{"CloudFront.7", cdnType, "viewerCertificate.acmCertificateArn", taken{}},
	{"CloudFront.7", cdnType, "viewerCertificate.cloudfrontDefaultCertificate", true},
	{"CloudFront.8", cdnType, "viewerCertificate.sslSupportMethod", "vip"},
	{"CloudFront.9", cdnType, "origins[].customOriginConfig.originProtocolPolicy", "http-only"},
	{"CloudFront.10", cdnType, "origins[].customOriginConfig.originSslProtocols", []any{"SSLv3", "TLSv1.2"}},
	{"CloudFront.12", cdnType, "origins[].domainName", "gone.s3.eu-central-1.amazonaws.com"},
	{"CloudFront.13", cdnType, "origins[].domainName", "open.s3.eu-central-1.amazonaws.com"},
	{"TWIP-EDGE-4", balancerType, "ipAddressType", "ipv4"},
	{"TWIP-EDGE-5", balancerType, "enableZonalShift", false},
	{"TWIP-EDGE-6", listenerType, "routingHttpResponseStrictTransportSecurityHeaderValue", taken{}},
	{"TWIP-EDGE-3", cdnType, "viewerCertificate.minimumProtocolVersion", "TLSv1"},

	// The store and its copies.
	{"EFS.1", filesType, "kmsKeyId", taken{}},
	{"EFS.8", filesType, "encrypted", false},
	{"EFS.8", filesType, "encrypted", taken{}},
	{"EFS.3", "aws:efs/accessPoint:AccessPoint", "rootDirectory.path", "/"},
	{"EFS.3", "aws:efs/accessPoint:AccessPoint", "rootDirectory", taken{}},
	{"EFS.4", "aws:efs/accessPoint:AccessPoint", "posixUser.uid", 0.0},
	{"EFS.4", "aws:efs/accessPoint:AccessPoint", "posixUser", taken{}},
	{"EFS.7", "aws:efs/backupPolicy:BackupPolicy", "backupPolicy.status", "DISABLED"},
	{"TWIP-STORE-1", "aws:efs/fileSystemPolicy:FileSystemPolicy", "policy", becomes(`"aws:SecureTransport":"false"`, `"aws:SecureTransport":"true"`)},
	{"TWIP-STORE-1", "aws:efs/fileSystemPolicy:FileSystemPolicy", "policy", becomes(`"Deny"`, `"Allow"`)},
	{"TWIP-STORE-2", attachmentType, "stopInstanceBeforeDetaching", false},
	{"TWIP-STORE-2", attachmentType, "stopInstanceBeforeDetaching", taken{}},
	{"TWIP-STORE-3", "aws:backup/plan:Plan", "rules[].lifecycle.deleteAfter", taken{}},
	{"TWIP-STORE-3", "aws:backup/plan:Plan", "rules[].schedule", taken{}},
	{"TWIP-STORE-4", volumeType, protectOption, false},
	{"TWIP-STORE-4", filesType, protectOption, false},
	{"TWIP-STORE-4", "aws:backup/vault:Vault", protectOption, false},
	{"Backup.1", "aws:backup/vault:Vault", "kmsKeyArn", taken{}},
	{"KMS.3", keyType, "deletionWindowInDays", 7.0},
	{"KMS.3", keyType, "isEnabled", false},
	{"KMS.4", keyType, "enableKeyRotation", false},
	{"KMS.4", keyType, "enableKeyRotation", taken{}},
	{"KMS.5", keyType, "policy", statementFor(`{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}`)},

	// Buckets.
	{"S3.2", bucketPolicyType, "policy", statementFor(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}`)},
	{"S3.3", bucketPolicyType, "policy", statementFor(`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["s3:*"],"Resource":"*"}`)},
	{"S3.5", bucketPolicyType, "policy", becomes(`"Deny"`, `"Allow"`)},
	{"S3.5", bucketPolicyType, "policy", becomes(`aws:SecureTransport`, `aws:ViaAWSService`)},
	{"S3.8", bucketBlockType, "blockPublicAcls", false},
	{"S3.8", bucketBlockType, "blockPublicPolicy", false},
	{"S3.8", bucketBlockType, "ignorePublicAcls", taken{}},
	{"S3.8", bucketBlockType, "restrictPublicBuckets", taken{}},
	{"S3.12", "aws:s3/bucketOwnershipControls:BucketOwnershipControls", "rule.objectOwnership", "ObjectWriter"},
	{"S3.13", "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "rules[].status", "Disabled"},
	{"S3.13", "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "rules[].expiration", taken{}},
	{"S3.14", "aws:s3/bucketVersioningV2:BucketVersioningV2", "versioningConfiguration.status", "Suspended"},
	{"TWIP-BUCKET-1", "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "rules[].applyServerSideEncryptionByDefault", taken{}},

	// Who may do what.
	{"IAM.1", policyType, "policy", statementFor(`{"Effect":"Allow","Action":"*","Resource":"*"}`)},
	{"IAM.21", policyType, "policy", statementFor(`{"Effect":"Allow","Action":["ec2:*"],"Resource":["arn:aws:ec2:::x"]}`)},
	{"KMS.2", policyType, "policy", statementFor(`{"Effect":"Allow","Action":["kms:Decrypt"],"Resource":["*"]}`)},
	{"TWIP-IAM-1", policyType, "policy", statementFor(`{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["*"]}`)},
	{"TWIP-IAM-2", "aws:iam/role:Role", "assumeRolePolicy", becomes(`"Principal":{"Service":`, `"Principal":{"AWS":`)},
	{"TWIP-IAM-2", "aws:iam/role:Role", "assumeRolePolicy", statementFor(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}`)},
	{"TWIP-IAM-5", "aws:iam/role:Role", "assumeRolePolicy", becomes(`"aws:SourceAccount":`, `"aws:PrincipalTag/x":`)},
	{"TWIP-IAM-5", "aws:iam/role:Role", "assumeRolePolicy", becomes(`"ec2.amazonaws.com"`, `"lambda.amazonaws.com"`)},
	{"TWIP-IAM-5", keyType, "policy", becomes(`"aws:SourceAccount":`, `"aws:PrincipalTag/x":`)},
	{"TWIP-IAM-5", "aws:sns/topicPolicy:TopicPolicy", "policy", becomes(`"aws:SourceAccount":`, `"aws:PrincipalTag/x":`)},
	{"TWIP-IAM-5", bucketPolicyType, "policy", becomes(`/AWSLogs/`, `/`)},
	{"TWIP-IAM-4", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "policyArn", "arn:aws:iam::aws:policy/AdministratorAccess"},
	{"Lambda.2", "aws:lambda/function:Function", "runtime", "python3.8"},
	{"SNS.1", "aws:sns/topic:Topic", "kmsMasterKeyId", taken{}},
	{"SNS.4", "aws:sns/topicPolicy:TopicPolicy", "policy", statementFor(`{"Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":"*"}`)},
	{"SNS.4", "aws:sns/topicPolicy:TopicPolicy", "policy", becomes(`"Deny"`, `"Allow"`)},

	// Images and logs.
	{"ECR.1", repositoryType, "imageScanningConfiguration.scanOnPush", false},
	{"ECR.1", repositoryType, "imageScanningConfiguration", taken{}},
	{"ECR.2", repositoryType, "imageTagMutability", "MUTABLE"},
	{"ECR.2", repositoryType, "imageTagMutability", taken{}},
	{"TWIP-IMAGE-1", imageType, "imageName", "registry/app:latest"},
	{"TWIP-IMAGE-1", imageType, "build.platform", taken{}},
	{"TWIP-IMAGE-2", imageType, "registry.password", "readable"},
	{"CloudWatch.16", logGroupType, "retentionInDays", 0.0},
	{"CloudWatch.16", logGroupType, "retentionInDays", taken{}},
	{"CloudWatch.17", alarmType, "actionsEnabled", false},
	{"TWIP-LOG-1", "aws:lambda/function:Function", "loggingConfig", taken{}},
	{"TWIP-ALARM-1", alarmType, "alarmDescription", ""},

	// The program itself.
	{"TWIP-PROVIDER-2", awsProvider, "accessKey", "AKIA0123456789ABCDEF"},
	{"TWIP-PROVIDER-2", awsProvider, "secretKey", "x"},
	{"TWIP-TAG-1", anyTagged, "tags.Name", taken{}},
	{"TWIP-PROVIDER-1", anyTagged, providerOption, taken{}},
	{"TWIP-TAG-2", awsProvider, "defaultTags.tags.Stack", taken{}},
	{"TWIP-TAG-2", awsProvider, "defaultTags", taken{}},
	{"TWIP-TAG-3", templateType, "tagSpecifications[].tags.Stack", taken{}},
	{"TWIP-TAG-3", templateType, "tagSpecifications", taken{}},
	{"TWIP-TAG-3", groupType, "tags", []any{}},
}

// hostMutations are for hosts, whose proxy reaches servers by sockets.
var hostMutations = []mutation{
	{"TWIP-CONTAINER-5", "", "userData", becomes("target=/sockets,readonly", "target=/sockets")},
	{"TWIP-CONTAINER-5", "", "userData", becomes("source=/run/twip-sockets/app-1,", "source=/run,")},
}

// documentMutations are made in the text of a machine's user data.
var documentMutations = []mutation{
	{"TWIP-CONTAINER-1", "", "userData", lacks("--user 10001:10001 ")},
	{"TWIP-CONTAINER-1", "", "userData", becomes("--user 10001:10001 ", "--user 0:0 ")},
	{"TWIP-CONTAINER-1", "", "userData", becomes("--user 10001:10001 ", "--user root ")},
	{"TWIP-CONTAINER-2", "", "userData", lacks("--read-only ")},
	{"TWIP-CONTAINER-3", "", "userData", lacks("--cap-drop ALL ")},
	{"TWIP-CONTAINER-3", "", "userData", becomes("--cap-drop ALL ", "--cap-drop ALL --cap-add NET_ADMIN ")},
	{"TWIP-CONTAINER-3", "", "userData", becomes("--security-opt no-new-privileges", "--security-opt seccomp=unconfined")},
	{"TWIP-CONTAINER-4", "", "userData", becomes("--memory ", "--oom-score-adj ")},
	{"TWIP-CONTAINER-4", "", "userData", becomes("--memory-swap ", "--memory-swap -1 --label ")},
	{"TWIP-CONTAINER-4", "", "userData", becomes("--pids-limit ", "--pids-limit 0 --label ")},
	{"TWIP-CONTAINER-5", "", "userData", becomes("--read-only ", "--read-only --privileged ")},
	{"TWIP-CONTAINER-5", "", "userData", becomes("--network twip ", "--network host ")},
	{"TWIP-CONTAINER-5", "", "userData", becomes("--read-only ", "--read-only --pid host ")},
	{"TWIP-CONTAINER-5", "", "userData", becomes("--read-only ", "--read-only --volume /var/run/docker.sock:/var/run/docker.sock ")},
	{"TWIP-CONTAINER-6", "", "userData", becomes("@sha256:", ":latest-")},
	{"TWIP-CONTAINER-6", "", "userData", becomes("@sha256:", ":release-")},
	{"TWIP-CONTAINER-7", "", "userData", becomes("--log-driver awslogs", "--log-driver json-file")},
	{"TWIP-CONTAINER-7", "", "userData", becomes("mode=non-blocking", "mode=blocking")},
	{"TWIP-ACCESS-1", "", "userData", becomes("runcmd:", "ssh_authorized_keys: [ssh-ed25519 AAAA]\nruncmd:")},
	{"TWIP-SECRET-1", "", "userData", becomes("runcmd:", "# AKIA0123456789ABCDEF\nruncmd:")},
	{"TWIP-SECRET-1", "", "userData", becomes("runcmd:", "# password: correct-horse\nruncmd:")},
	{"TWIP-CONTAINER-2", "", "userData", becomes("#cloud-config", "#!/bin/sh")},
}

// storeMutations are made where the user data mounts the network file system.
var storeMutations = []mutation{
	{"TWIP-BOOT-1", "", "userData", lacks("  - - systemctl\n    - start\n    - twip-give-up.timer\n")},
	{"TWIP-BOOT-1", "", "userData", becomes("  - - systemctl\n    - start\n    - twip-give-up.timer\n", "  - - /usr/local/sbin/twip-install\n    - mc\n  - - systemctl\n    - start\n    - twip-give-up.timer\n")},
	{"TWIP-MOUNT-1", "", "userData", lacks(",actimeo=0")},
	{"TWIP-MOUNT-1", "", "userData", becomes(",lookupcache=none", ",lookupcache=all")},
	{"TWIP-MOUNT-1", "", "userData", becomes(",hard,", ",soft,")},
	{"TWIP-MOUNT-1", "", "userData", lacks(",noresvport")},
	{"TWIP-MOUNT-1", "", "userData", becomes("nfsvers=4.1", "nfsvers=3")},
	{"TWIP-MOUNT-1", "", "userData", lacks(",noexec")},
	{"TWIP-MOUNT-2", "", "userData", becomes("verifyChain = yes", "verifyChain = no")},
	{"TWIP-MOUNT-2", "", "userData", becomes("checkHost = ", "; ")},
	{"TWIP-MOUNT-2", "", "userData", becomes("sslVersionMin = TLSv1.2", "sslVersionMin = TLSv1")},
}

// removals are whole resources that go missing; the rule names what lacks them.
var removals = []struct{ rule, typ string }{
	{"EC2.2", defaultGroupType},
	{"EC2.6", "aws:ec2/flowLog:FlowLog"},
	{"ELB.16", "aws:wafv2/webAclAssociation:WebAclAssociation"},
	{"WAF.11", "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"},
	{"EFS.2", "aws:backup/selection:Selection"},
	{"EFS.7", "aws:efs/backupPolicy:BackupPolicy"},
	{"TWIP-STORE-5", "aws:backup/restoreTestingSelection:RestoreTestingSelection"},
	{"TWIP-STORE-6", alarmType + " NumberOfBackupJobsCompleted"},
	{"TWIP-STORE-1", "aws:efs/fileSystemPolicy:FileSystemPolicy"},
	{"ECR.3", "aws:ecr/lifecyclePolicy:LifecyclePolicy"},
	{"S3.5", bucketPolicyType},
	{"S3.8", bucketBlockType},
	{"S3.12", "aws:s3/bucketOwnershipControls:BucketOwnershipControls"},
	{"S3.13", "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"},
	{"S3.14", "aws:s3/bucketVersioningV2:BucketVersioningV2"},
	{"TWIP-BUCKET-1", "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"},
	{"CloudWatch.15", "aws:sns/topic:Topic"},
	{"TWIP-LAUNCH-1", launchHookType},
}

// additions are resources that somebody could add.
var additions = []struct {
	rule, typ string
	inputs    map[string]any
}{
	{"EC2.9", "aws:ec2/eipAssociation:EipAssociation", map[string]any{"instanceId": "i-1"}},
	{"EC2.18", ingressType, map[string]any{"cidrIpv4": "0.0.0.0/0", "fromPort": 1936.0, "toPort": 1936.0}},
	{"EC2.18", ingressType, map[string]any{"cidrIpv6": "::/0", "ipProtocol": "-1"}},
	{"EC2.19", ingressType, map[string]any{"cidrIpv4": "0.0.0.0/0", "fromPort": 8080.0, "toPort": 8080.0}},
	{"EC2.21", "aws:ec2/networkAcl:NetworkAcl", map[string]any{"ingress": []any{map[string]any{"action": "allow", "cidrBlock": "0.0.0.0/0", "fromPort": 0.0, "toPort": 0.0, "protocol": "-1"}, map[string]any{"action": "allow", "cidrBlock": "0.0.0.0/0", "fromPort": 22.0, "toPort": 22.0}}}},
	{"EC2.21", "aws:ec2/networkAclRule:NetworkAclRule", map[string]any{"ruleAction": "allow", "ipv6CidrBlock": "::/0", "fromPort": 1.0, "toPort": 4000.0}},
	{"EC2.53", ingressType, map[string]any{"cidrIpv4": "0.0.0.0/0", "fromPort": 22.0, "toPort": 22.0}},
	{"EC2.54", ingressType, map[string]any{"cidrIpv6": "::/0", "fromPort": 3000.0, "toPort": 4000.0}},
	{"ELB.1", listenerType, map[string]any{"protocol": "HTTP", "defaultActions": []any{map[string]any{"type": "forward"}}}},
	{"ELB.17", listenerType, map[string]any{"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-2016-08"}},
	{"ELB.17", listenerType, map[string]any{"protocol": "HTTPS"}},
	{"ELB.16", balancerType, nil},
	{"CloudFront.1", cdnType, nil},
	{"KMS.1", "aws:iam/policy:Policy", map[string]any{"policy": `{"Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}}`}},
	{"KMS.1", "aws:iam/policy:Policy", map[string]any{"policy": `{"Statement":[{"Effect":"Allow","Action":"kms:*","Resource":["arn:aws:kms:*:1:key/*"]}]}`}},
	{"Lambda.1", "aws:lambda/permission:Permission", map[string]any{"principal": "*"}},
	{"Route53.2", "aws:route53/zone:Zone", nil},
	{"S3.1", "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", map[string]any{"blockPublicAcls": false}},
	{"S3.2", "aws:s3/bucketAclV2:BucketAclV2", map[string]any{"acl": "public-read"}},
	{"S3.3", "aws:s3/bucketAclV2:BucketAclV2", map[string]any{"acl": "public-read-write"}},
	{"S3.9", bucketType, nil},
	{"EFS.6", mountType, nil},
	{"TWIP-FLOW-1", "aws:ec2/securityGroupRule:SecurityGroupRule", nil},
	{"TWIP-FLOW-3", egressType, map[string]any{"cidrIpv4": "0.0.0.0/0", "ipProtocol": "tcp", "fromPort": 25.0, "toPort": 25.0}},
	{"TWIP-FLOW-3", egressType, map[string]any{"cidrIpv4": "10.0.0.0/8", "ipProtocol": "-1"}},
	{"TWIP-IAM-3", "aws:iam/user:User", nil},
	{"TWIP-MACHINE-2", "aws:ec2/keyPair:KeyPair", nil},
	{"TWIP-PROVIDER-1", logGroupType, nil},
	{"TWIP-TAG-1", "aws:dynamodb/table:Table", nil},
}
