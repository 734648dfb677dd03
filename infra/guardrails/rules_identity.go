package guardrails

import (
	"regexp"
	"slices"
	"strings"
)

var identityRules = []*Rule{
	{
		ID: "IAM.1", CIS: "v1.4.0/1.16", Title: "nobody may do everything",
		Source: securityHub("IAM.1"), Types: []string{rolePolicy, managedPolicy},
		check: documents("policy", eachStatement(func(s statement) bool {
			return !s.allows() || len(s.NotAction) == 0 && !slices.Contains(s.Action, "*")
		}), "name the actions that are needed"),
	},
	{
		ID: "IAM.21", Title: "nobody may do everything with a service",
		Source: securityHub("IAM.21"), Types: []string{rolePolicy, managedPolicy},
		check: documents("policy", eachStatement(func(s statement) bool {
			return !s.allows() ||
				!slices.ContainsFunc(s.Action, func(action string) bool { return strings.HasSuffix(action, ":*") })
		}), "name the actions that are needed"),
	},
	{
		ID: "KMS.1", Title: "managed policies decrypt with no key but named ones",
		Source: securityHub("KMS.1"), Types: []string{managedPolicy},
		check: documents("policy", namedKeys, "name the keys"),
	},
	{
		ID: "KMS.2", Title: "inline policies decrypt with no key but named ones",
		Source: securityHub("KMS.2"), Types: []string{rolePolicy},
		check: documents("policy", namedKeys, "name the keys"),
	},
	{
		ID: "TWIP-IAM-1", Title: "permissions name what they are for, where IAM can",
		Source: "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
		Types:  []string{rolePolicy, managedPolicy},
		check:  documents("policy", eachStatement(narrow), "name the resources, or add a condition that narrows them"),
	},
	{
		ID: "TWIP-IAM-2", Title: "a role is one AWS service's, and nobody else's",
		Source: ownDesign, Types: []string{role},
		check: documents("assumeRolePolicy", eachStatement(func(s statement) bool {
			return s.allows() && len(s.Principal) == 1 && len(s.Principal["Service"]) == 1 &&
				slices.Equal(s.Action, texts{"sts:AssumeRole"})
		}), "trust one service principal"),
	},
	{
		ID: "TWIP-IAM-3", Title: "there are no users: machines and functions have roles",
		Source: ownDesign, Types: []string{"aws:iam/user:User", "aws:iam/accessKey:AccessKey"},
		check: never("name", "use a role"),
	},
	{
		ID: "TWIP-IAM-4", Title: "of Amazon's policies, roles have only those of one service's work",
		Source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_job-functions.html", Types: []string{attachment},
		check: text("policyArn", regexp.MustCompile(`^arn:aws[a-z-]*:iam::aws:policy/service-role/`).MatchString,
			"write a policy that names what is needed"),
	},
	{
		ID: "TWIP-IAM-5", Title: "services act on this account's behalf only",
		Source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
		Types:  []string{role, bucketPolicy, topicPolicy, key},
		check: of(map[string]check{
			role:         documents("assumeRolePolicy", eachStatement(onOurBehalf), onOurBehalfWayOut),
			bucketPolicy: documents("policy", eachStatement(onOurBehalf), onOurBehalfWayOut),
			topicPolicy:  documents("policy", eachStatement(onOurBehalf), onOurBehalfWayOut),
			key:          documents("policy", eachStatement(onOurBehalf), onOurBehalfWayOut),
		}),
	},
	{
		ID: "Lambda.1", Title: "nobody calls functions without being asked who they are",
		Source: securityHub("Lambda.1"), Types: []string{"aws:lambda/permission:Permission"},
		check: isNot("principal", "*", "name who may"),
	},
	{
		ID: "Lambda.2", Title: "functions run on what AWS still looks after",
		Source: securityHub("Lambda.2"), Types: []string{function},
		check: oneOf("runtime", "python3.12", "python3.13", "python3.14", "nodejs22.x", "nodejs24.x",
			"provided.al2023"),
	},
	{
		ID: "SNS.1", Title: "topics are encrypted with a key in KMS",
		Source: securityHub("SNS.1"), Types: []string{topic},
		check: some("kmsMasterKeyId", "name a key of this environment"),
	},
	{
		ID: "SNS.4", Title: "topics are nobody else's, and refuse plain connections",
		Source: securityHub("SNS.4"), Types: []string{topicPolicy},
		check: all(documents("policy", closed, closedWayOut), documents("policy", deniesPlain, deniesPlainWayOut)),
	},
}

var namedKeys = eachStatement(func(s statement) bool {
	decrypts := s.touches("kms:Decrypt") || s.touches("kms:ReEncryptFrom")
	return !s.allows() || !decrypts ||
		!slices.ContainsFunc(s.Resource, func(arn string) bool { return strings.HasSuffix(arn, "*") })
})

// unbounded are actions that IAM cannot narrow to resources, and that change nothing of anybody's: they look, or are
// how a machine offers itself for a session.
var unbounded = regexp.MustCompile(
	`^(ecr:GetAuthorizationToken|(autoscaling|elasticloadbalancing|ec2|cloudwatch):Describe\w+|` +
		`ssmmessages:(Create|Open)(Control|Data)Channel|ssm:UpdateInstanceInformation)$`)

func narrow(s statement) bool {
	everything := len(s.Resource) == 0 || slices.Contains(s.Resource, "*")
	return !s.allows() || !everything || len(s.Condition) > 0 ||
		!slices.ContainsFunc(s.Action, func(action string) bool { return !unbounded.MatchString(action) })
}

const onOurBehalfWayOut = "add a condition on aws:SourceAccount or aws:SourceArn"

// ownLogs are where Elastic Load Balancing writes an account's access logs; it refuses to write another's there.
var ownLogs = regexp.MustCompile(`/AWSLogs/[0-9]{12}/\*$`)

// onOurBehalf says whether a statement lets services act for this account only. EC2 takes a role through an instance
// profile, which is of the machine's own account, and does not say for whom it does.
func onOurBehalf(s statement) bool {
	services := s.Principal["Service"]
	if !s.allows() || len(services) == 0 || slices.Equal(services, texts{"ec2.amazonaws.com"}) {
		return true
	}
	for _, operator := range []string{"StringEquals", "ArnLike", "ArnEquals"} {
		if len(s.Condition[operator]["aws:SourceAccount"])+len(s.Condition[operator]["aws:SourceArn"]) > 0 {
			return true
		}
	}
	return len(s.Resource) > 0 &&
		!slices.ContainsFunc(s.Resource, func(arn string) bool { return !ownLogs.MatchString(arn) })
}
