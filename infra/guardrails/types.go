package guardrails

import "strings"

// Types that more than one rule looks at.
const (
	instance       = "aws:ec2/instance:Instance"
	template       = "aws:ec2/launchTemplate:LaunchTemplate"
	group          = "aws:autoscaling/group:Group"
	launchHook     = "aws:autoscaling/lifecycleHook:LifecycleHook"
	volume         = "aws:ebs/volume:Volume"
	vpc            = "aws:ec2/vpc:Vpc"
	subnet         = "aws:ec2/subnet:Subnet"
	defaultGroup   = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	securityGroup  = "aws:ec2/securityGroup:SecurityGroup"
	ingressRule    = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressRule     = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	flowLog        = "aws:ec2/flowLog:FlowLog"
	balancer       = "aws:lb/loadBalancer:LoadBalancer"
	listener       = "aws:lb/listener:Listener"
	targetGroup    = "aws:lb/targetGroup:TargetGroup"
	webACL         = "aws:wafv2/webAcl:WebAcl"
	aclAssociation = "aws:wafv2/webAclAssociation:WebAclAssociation"
	aclLogging     = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
	cachePolicy    = "aws:cloudfront/cachePolicy:CachePolicy"
	distribution   = "aws:cloudfront/distribution:Distribution"
	fileSystem     = "aws:efs/fileSystem:FileSystem"
	filePolicy     = "aws:efs/fileSystemPolicy:FileSystemPolicy"
	fileBackup     = "aws:efs/backupPolicy:BackupPolicy"
	accessPoint    = "aws:efs/accessPoint:AccessPoint"
	mountTarget    = "aws:efs/mountTarget:MountTarget"
	backupVault    = "aws:backup/vault:Vault"
	backupPlan     = "aws:backup/plan:Plan"
	selection      = "aws:backup/selection:Selection"
	key            = "aws:kms/key:Key"
	bucket         = "aws:s3/bucketV2:BucketV2"
	bucketPolicy   = "aws:s3/bucketPolicy:BucketPolicy"
	bucketBlock    = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	bucketOwner    = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	bucketLife     = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	bucketCrypt    = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	bucketVersion  = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	role           = "aws:iam/role:Role"
	rolePolicy     = "aws:iam/rolePolicy:RolePolicy"
	managedPolicy  = "aws:iam/policy:Policy"
	attachment     = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	repository     = "aws:ecr/repository:Repository"
	image          = "docker:index/image:Image"
	logGroup       = "aws:cloudwatch/logGroup:LogGroup"
	metricAlarm    = "aws:cloudwatch/metricAlarm:MetricAlarm"
	joinedAlarm    = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
	topic          = "aws:sns/topic:Topic"
	topicPolicy    = "aws:sns/topicPolicy:TopicPolicy"
	function       = "aws:lambda/function:Function"
	provider       = "pulumi:providers:aws"
)

// securityHub is where AWS describes a control.
func securityHub(id string) string {
	service, number, _ := strings.Cut(strings.ToLower(id), ".")
	return "https://docs.aws.amazon.com/securityhub/latest/userguide/" + service + "-controls.html#" + service + "-" + number
}
