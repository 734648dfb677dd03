package account

// A kind is how a resource type's identifier and outputs look. Templates may contain
//
//	{name}       the physical name: the type's name property, given or made up; else the logical name
//	{id}         the identifier            {region} {account}
//	{hex8}       so many hexadecimal digits that belong to this one resource; {HEX13} in capitals; {num9} decimal digits.
//	             The first of a template are the same in each of the resource's templates, and so on.
//	{octet}      a number from 1 to 254 that belongs to this one resource
//	{in.x.y}     the input x's property y, as text; "" when it is not given
//	{of.x.y}     the output y of the resource whose id is the input x, by Model.Lookup; else "{region}a" for a zone, else ""
//	{repository} {content}  of an image: its name without the tag, 64 digits that stand for what it is built from
//
// An output that comes out empty is left out.
type kind struct {
	named   string // the property that gets a made-up name when absent; "" is "name", if the type has it
	id      string
	arn     string         // "" when the type has no ARN
	outputs map[string]any // further outputs: string templates, float64, bool, []string of templates, or a function of the subject
	bumped  []string       // numbers that count the resource's changes, from 1
}

// more are outputs in short.
type more = map[string]any

const (
	albZone   = "Z35SXDOTRQ7X7K"       // hosted zone of load balancers in us-east-1
	cdnZone   = "Z2FDTNDATAQYW2"       // hosted zone of every CloudFront distribution
	createdAt = "2025-01-01T00:00:00Z" // the model has no clock
	ec2Arn    = "arn:aws:ec2:{region}:{account}:"
	elbArn    = "arn:aws:elasticloadbalancing:{region}:{account}:"
	iamArn    = "arn:aws:iam::{account}:"
	waf       = "arn:aws:wafv2:{region}:{account}:regional/"
)

func ec2(prefix, arn string, outputs more) kind {
	return kind{id: prefix + "-{hex17}", arn: ec2Arn + arn + "/{id}", outputs: outputs}
}

// association is a kind that AWS gives an id and nothing else.
func association(prefix string) kind { return kind{id: prefix + "-{hex17}"} }

// byInputs is a kind whose identifier the provider makes of its inputs.
func byInputs(id string, outputs more) kind { return kind{id: id, outputs: outputs} }

var (
	listener     = kind{id: elbArn + "listener/app/{hex16}/{HEX16}", arn: "{id}"}
	listenerRule = kind{id: elbArn + "listener-rule/app/{hex16}/{HEX16}", arn: "{id}"}
	loadBalancer = kind{id: elbArn + "loadbalancer/app/{name}/{hex16}", arn: "{id}", outputs: more{
		"arnSuffix": "app/{name}/{hex16}", "dnsName": "{name}-{num9}.{region}.elb.amazonaws.com", "zoneId": albZone}}
	targetGroup = kind{id: elbArn + "targetgroup/{name}/{hex16}", arn: "{id}", outputs: more{
		"arnSuffix": "targetgroup/{name}/{hex16}"}}
	bucketPart  = byInputs("{in.bucket}", nil)
	ruleOfGroup = kind{
		id:      "sgr-{hex17}",
		arn:     ec2Arn + "security-group-rule/{id}",
		outputs: more{"securityGroupRuleId": "{id}"},
	}
)

// kinds has a line for every type. Which outputs a type has, and which of them are tags, owners or regions, is in the
// schema.
var kinds = map[string]kind{
	"aws:acm/certificate:Certificate": {
		id:      "arn:aws:acm:{region}:{account}:certificate/{hex8}-{hex4}-{hex4}-{hex4}-{hex12}",
		arn:     "{id}",
		outputs: more{"status": "PENDING_VALIDATION", "type": "AMAZON_ISSUED", "domainValidationOptions": proofs},
	},
	"aws:acm/certificateValidation:CertificateValidation": byInputs(createdAt, nil),

	"aws:lb/listener:Listener":         listener,
	"aws:lb/listenerRule:ListenerRule": listenerRule,
	"aws:lb/loadBalancer:LoadBalancer": loadBalancer,
	"aws:lb/targetGroup:TargetGroup":   targetGroup,

	"aws:autoscaling/group:Group": {
		id:  "{name}",
		arn: "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{hex8}-{hex4}-{hex4}-{hex4}-{hex12}:autoScalingGroupName/{name}",
	},
	"aws:autoscaling/lifecycleHook:LifecycleHook": {id: "{name}"},
	"aws:autoscaling/policy:Policy": {
		id:  "{name}",
		arn: "arn:aws:autoscaling:{region}:{account}:scalingPolicy:{hex8}-{hex4}-{hex4}-{hex4}-{hex12}:autoScalingGroupName/{in.autoscalingGroupName}:policyName/{name}",
	},

	"aws:backup/plan:Plan": {
		id:      "{hex8}-{hex4}-{hex4}-{hex4}-{hex12}",
		arn:     "arn:aws:backup:{region}:{account}:backup-plan:{id}",
		outputs: more{"version": "{hex32}"},
	},
	"aws:backup/selection:Selection": {id: "{hex8}-{hex4}-{hex4}-{hex4}-{hex12}"},
	"aws:backup/vault:Vault": {
		id:      "{name}",
		arn:     "arn:aws:backup:{region}:{account}:backup-vault:{name}",
		outputs: more{"recoveryPoints": 0.},
	},
	"aws:backup/restoreTestingPlan:RestoreTestingPlan":           {id: "{in.name}", arn: "arn:aws:backup:{region}:{account}:restore-testing-plan:{in.name}"},
	"aws:backup/restoreTestingSelection:RestoreTestingSelection": byInputs("{in.name}:{in.restoreTestingPlanName}", nil),
	"aws:backup/vaultLockConfiguration:VaultLockConfiguration": byInputs("{in.backupVaultName}", more{
		"backupVaultArn": "arn:aws:backup:{region}:{account}:backup-vault:{in.backupVaultName}"}),
	"aws:dlm/lifecyclePolicy:LifecyclePolicy": {id: "policy-{hex17}", arn: "arn:aws:dlm:{region}:{account}:policy/{id}"},

	"aws:budgets/budget:Budget": {id: "{account}:{name}", arn: "arn:aws:budgets::{account}:budget/{name}"},

	"aws:cloudfront/cachePolicy:CachePolicy": {
		id: "{hex8}-{hex4}-{hex4}-{hex4}-{hex12}", arn: "arn:aws:cloudfront::{account}:cache-policy/{id}",
		outputs: more{"etag": "E{HEX13}"},
	},
	"aws:cloudfront/distribution:Distribution": {
		id:  "E{HEX13}",
		arn: "arn:aws:cloudfront::{account}:distribution/{id}",
		outputs: more{
			"domainName":   "d{hex13}.cloudfront.net",
			"hostedZoneId": cdnZone,
			"status":       "Deployed",
			"etag":         "E{HEX13}",
		},
	},

	"aws:cloudwatch/compositeAlarm:CompositeAlarm": {
		id:  "{in.alarmName}",
		arn: "arn:aws:cloudwatch:{region}:{account}:alarm:{in.alarmName}",
	},
	"aws:cloudwatch/dashboard:Dashboard": byInputs("{in.dashboardName}",
		more{"dashboardArn": "arn:aws:cloudwatch::{account}:dashboard/{in.dashboardName}"}),
	"aws:cloudwatch/logGroup:LogGroup": {
		id:  "{name}",
		arn: "arn:aws:logs:{region}:{account}:log-group:{name}",
	},
	"aws:cloudwatch/logMetricFilter:LogMetricFilter":     {id: "{name}"},
	"aws:cloudwatch/logResourcePolicy:LogResourcePolicy": byInputs("{in.policyName}", nil),
	"aws:cloudwatch/metricAlarm:MetricAlarm": {
		id:  "{name}",
		arn: "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
	},
	"aws:cloudwatch/queryDefinition:QueryDefinition": {
		id:      "{hex8}-{hex4}-{hex4}-{hex4}-{hex12}",
		outputs: more{"queryDefinitionId": "{id}"},
	},

	"aws:ebs/volume:Volume": ec2("vol", "volume", more{"createTime": createdAt}),
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ec2("sg", "security-group",
		more{"name": "default", "description": "default VPC security group"}),
	"aws:ec2/eip:Eip": {id: "eipalloc-{hex17}", arn: ec2Arn + "elastic-ip/{id}", outputs: more{"allocationId": "{id}",
		"publicIp": "203.0.113.{octet}", "publicDns": "ec2-203-0-113-{octet}.compute-1.amazonaws.com"}}, // an address block kept for documentation
	"aws:ec2/eipAssociation:EipAssociation": association("eipassoc"),
	"aws:ec2/flowLog:FlowLog":               ec2("fl", "vpc-flow-log", nil),
	"aws:ec2/instance:Instance": ec2("i", "instance",
		more{"instanceState": "running", "primaryNetworkInterfaceId": "eni-{hex17}",
			"privateIp": "10.0.0.{octet}", "privateDns": "ip-10-0-0-{octet}.ec2.internal", "availabilityZone": "{of.subnetId.availabilityZone}"}),
	"aws:ec2/internetGateway:InternetGateway": ec2("igw", "internet-gateway", nil),
	"aws:ec2/launchTemplate:LaunchTemplate": {
		id:      "lt-{hex17}",
		arn:     ec2Arn + "launch-template/{id}",
		outputs: more{"latestVersion": 1., "defaultVersion": 1.},
		bumped:  []string{"latestVersion"},
	},
	"aws:ec2/natGateway:NatGateway": {
		id: "nat-{hex17}",
		outputs: more{
			"networkInterfaceId": "eni-{hex17}",
			"publicIp":           "{of.allocationId.publicIp}",
			"privateIp":          "10.0.0.{octet}",
		},
	},
	"aws:ec2/route:Route":                                 byInputs("r-{in.routeTableId}{num10}", more{"origin": "CreateRoute", "state": "active"}),
	"aws:ec2/routeTable:RouteTable":                       ec2("rtb", "route-table", nil),
	"aws:ec2/routeTableAssociation:RouteTableAssociation": association("rtbassoc"),
	"aws:ec2/securityGroup:SecurityGroup":                 ec2("sg", "security-group", nil),
	"aws:ec2/subnet:Subnet": ec2("subnet", "subnet",
		more{"availabilityZone": "{region}a", "availabilityZoneId": "use1-az1"}),
	"aws:ec2/volumeAttachment:VolumeAttachment": byInputs("vai-{num10}", nil),
	"aws:ec2/vpc:Vpc": ec2("vpc", "vpc", more{
		"defaultNetworkAclId":    "acl-{hex17}",
		"defaultRouteTableId":    "rtb-{hex17}",
		"mainRouteTableId":       "rtb-{hex17}",
		"defaultSecurityGroupId": "sg-{hex17}",
		"dhcpOptionsId":          "dopt-{hex17}",
		"instanceTenancy":        "default",
		"ipv6CidrBlock":          ownIPv6,
	}),
	"aws:ec2/vpcEndpoint:VpcEndpoint": ec2("vpce", "vpc-endpoint",
		more{"state": "available", "prefixListId": "pl-{hex8}"}),
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   ruleOfGroup,
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ruleOfGroup,

	"aws:ecr/lifecyclePolicy:LifecyclePolicy": byInputs("{in.repository}", nil),
	"aws:ecr/repository:Repository": {
		id:      "{name}",
		arn:     "arn:aws:ecr:{region}:{account}:repository/{name}",
		outputs: more{"repositoryUrl": "{account}.dkr.ecr.{region}.amazonaws.com/{name}"},
	},

	"aws:efs/accessPoint:AccessPoint": {
		id:      "fsap-{hex17}",
		arn:     "arn:aws:elasticfilesystem:{region}:{account}:access-point/{id}",
		outputs: more{"fileSystemArn": "arn:aws:elasticfilesystem:{region}:{account}:file-system/{in.fileSystemId}"},
	},
	"aws:efs/backupPolicy:BackupPolicy": byInputs("{in.fileSystemId}", nil),
	"aws:efs/fileSystem:FileSystem": {
		id:      "fs-{hex17}",
		arn:     "arn:aws:elasticfilesystem:{region}:{account}:file-system/{id}",
		outputs: more{"dnsName": "{id}.efs.{region}.amazonaws.com", "numberOfMountTargets": 0.},
	},
	"aws:efs/fileSystemPolicy:FileSystemPolicy": byInputs("{in.fileSystemId}", nil),
	"aws:efs/mountTarget:MountTarget": {
		id: "fsmt-{hex17}",
		outputs: more{
			"dnsName":              "{in.fileSystemId}.efs.{region}.amazonaws.com",
			"networkInterfaceId":   "eni-{hex17}",
			"ipAddress":            "10.0.0.{octet}",
			"fileSystemArn":        "arn:aws:elasticfilesystem:{region}:{account}:file-system/{in.fileSystemId}",
			"availabilityZoneName": "{of.subnetId.availabilityZone}",
			"mountTargetDnsName":   "{of.subnetId.availabilityZone}.{in.fileSystemId}.efs.{region}.amazonaws.com",
		},
	},

	"aws:iam/instanceProfile:InstanceProfile": {
		id:      "{name}",
		arn:     iamArn + "instance-profile/{name}",
		outputs: more{"uniqueId": "AIPA{HEX17}", "createDate": createdAt},
	},
	"aws:iam/role:Role": {
		id:      "{name}",
		arn:     iamArn + "role/{name}",
		outputs: more{"uniqueId": "AROA{HEX17}", "createDate": createdAt},
	},
	"aws:iam/rolePolicy:RolePolicy":                     {id: "{in.role}:{name}"},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": byInputs("{in.role}-{num16}", nil),

	"aws:kms/alias:Alias": {
		id:      "alias/{name}",
		arn:     "arn:aws:kms:{region}:{account}:{id}",
		outputs: more{"targetKeyArn": "arn:aws:kms:{region}:{account}:key/{in.targetKeyId}"},
	},
	"aws:kms/key:Key": {
		id:      "{hex8}-{hex4}-{hex4}-{hex4}-{hex12}",
		arn:     "arn:aws:kms:{region}:{account}:key/{id}",
		outputs: more{"keyId": "{id}"},
	},

	"aws:lambda/function:Function": {
		id:  "{name}",
		arn: "arn:aws:lambda:{region}:{account}:function:{name}",
		outputs: more{
			"version":   "$LATEST",
			"invokeArn": "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/arn:aws:lambda:{region}:{account}:function:{name}/invocations",
		},
	},
	"aws:lambda/invocation:Invocation": byInputs("{in.functionName}_$LATEST_{hex32}", more{"result": "{}"}),

	"aws:route53/healthCheck:HealthCheck": {
		id: "{hex8}-{hex4}-{hex4}-{hex4}-{hex12}", arn: "arn:aws:route53:::healthcheck/{id}",
	},
	"aws:route53/record:Record": byInputs("{in.zoneId}_{in.name}_{in.type}", more{"fqdn": "{in.name}"}),

	"aws:s3/bucketV2:BucketV2": {
		named: "bucket",
		id:    "{name}",
		arn:   "arn:aws:s3:::{name}",
		outputs: more{"bucketDomainName": "{name}.s3.amazonaws.com",
			"bucketRegionalDomainName": "{name}.s3.{region}.amazonaws.com", "hostedZoneId": "Z3AQBSTGFYJSTF"},
	},
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       bucketPart,
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     bucketPart,
	"aws:s3/bucketPolicy:BucketPolicy":                                                           bucketPart,
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     bucketPart,
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": bucketPart,
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               bucketPart,

	"aws:scheduler/schedule:Schedule": {
		id:  "default/{name}",
		arn: "arn:aws:scheduler:{region}:{account}:schedule/default/{name}",
	},
	"aws:sns/topic:Topic":             {id: "arn:aws:sns:{region}:{account}:{name}", arn: "{id}"},
	"aws:sns/topicPolicy:TopicPolicy": byInputs("{in.arn}", nil),
	"aws:sns/topicSubscription:TopicSubscription": {
		id:      "{in.topic}:{hex8}-{hex4}-{hex4}-{hex4}-{hex12}",
		arn:     "{id}",
		outputs: more{"pendingConfirmation": true, "confirmationWasAuthenticated": false},
	},

	"aws:wafv2/ipSet:IpSet": {
		id: "{hex8}-{hex4}-{hex4}-{hex4}-{hex12}", arn: waf + "ipset/{name}/{id}", outputs: more{"lockToken": "{hex32}"},
	},
	"aws:wafv2/webAcl:WebAcl": {
		id:      "{hex8}-{hex4}-{hex4}-{hex4}-{hex12}",
		arn:     waf + "webacl/{name}/{id}",
		outputs: more{"lockToken": "{hex32}", "capacity": 1500.},
	},
	"aws:wafv2/webAclAssociation:WebAclAssociation":                   byInputs("{in.webAclArn},{in.resourceArn}", nil),
	"aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": byInputs("{in.resourceArn}", nil),

	"docker:index/image:Image": {
		id: "{in.imageName}",
		outputs: more{"baseImageName": "{in.imageName}", "repoDigest": "{repository}@sha256:{content}",
			"context": "{in.build.context}", "dockerfile": "{in.build.dockerfile}", "registryServer": "{in.registry.server}"},
	},
}
