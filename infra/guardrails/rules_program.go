package guardrails

import "slices"

var programRules = []*Rule{
	{
		ID: "TWIP-PROVIDER-1", Title: "every resource has a provider that the program made",
		Source: "https://www.pulumi.com/docs/iac/concepts/resources/providers/#disabling-default-providers",
		check:  withProvider,
	},
	{
		ID: "TWIP-PROVIDER-2", Title: "the program holds no credentials",
		Source: ownDesign, Types: []string{provider},
		check: all(none("accessKey", "leave it to the environment"), none("secretKey", "leave it to the environment"),
			none("token", "leave it to the environment")),
	},
	{
		ID: "TWIP-TAG-1", Title: "every resource that can has a name tag",
		Source: ownDesign,
		check:  tagged,
	},
	{
		ID: "TWIP-TAG-2", Title: "a provider tags everything with what it belongs to",
		Source: ownDesign, Types: []string{provider},
		check: all(some("defaultTags.tags.Project", "set it"), some("defaultTags.tags.Stack", "set it"),
			is("defaultTags.tags.ManagedBy", "pulumi")),
	},
	{
		ID: "TWIP-TAG-3", Title: "machines of groups and their volumes are tagged, which a provider's tags do not " +
			"reach",
		Source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html", Types: []string{template, group},
		check: of(map[string]check{
			template: all(anyOf("tagSpecifications[].resourceType",
				"instance"), anyOf("tagSpecifications[].resourceType", "volume"), some("tagSpecifications[].tags.Name", "set it"),
				some("tagSpecifications[].tags.Stack", "set it")),
			group: all(anyOf("tags[].key", "Name"), anyOf("tags[].key", "Stack")),
		}),
	},
}

func withProvider(r *Resource, _ *Graph) []finding {
	if r.Provider != "" {
		return nil
	}
	return []finding{{value{path: "provider"}, "hand it down with pulumi.Parent"}}
}

// untaggable are the types of this program that AWS cannot tag; groups have tags of another kind (TWIP-TAG-3).
var untaggable = []string{
	group,
	image,
	attachment, rolePolicy,
	bucketBlock, bucketCrypt, bucketLife, bucketOwner, bucketPolicy, bucketVersion,
	fileBackup, filePolicy, mountTarget, selection, topicPolicy,
	"aws:acm/certificateValidation:CertificateValidation",
	"aws:backup/restoreTestingSelection:RestoreTestingSelection",
	"aws:backup/vaultLockConfiguration:VaultLockConfiguration",
	launchHook, "aws:autoscaling/policy:Policy", "aws:autoscaling/schedule:Schedule",
	"aws:cloudfront/cachePolicy:CachePolicy",
	"aws:cloudwatch/dashboard:Dashboard", "aws:cloudwatch/logMetricFilter:LogMetricFilter",
	"aws:cloudwatch/logResourcePolicy:LogResourcePolicy", "aws:cloudwatch/queryDefinition:QueryDefinition",
	"aws:ec2/eipAssociation:EipAssociation", "aws:ec2/route:Route", "aws:ec2/routeTableAssociation:RouteTableAssociation",
	"aws:ec2/volumeAttachment:VolumeAttachment",
	"aws:ecr/lifecyclePolicy:LifecyclePolicy",
	"aws:kms/alias:Alias",
	"aws:lambda/invocation:Invocation", "aws:lambda/permission:Permission",
	"aws:route53/record:Record",
	"aws:scheduler/schedule:Schedule",
	"aws:sns/topicSubscription:TopicSubscription",
	aclAssociation, aclLogging,
}

func tagged(r *Resource, g *Graph) []finding {
	if slices.Contains(untaggable, r.Type) {
		return nil
	}
	return some("tags.Name",
		"set it, or add the type to untaggable in guardrails/rules_program.go if AWS cannot tag it")(r, g)
}
