package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Account is what a template is written for.
type Account struct {
	Project      string   // what names of the program's resources begin with: <project>-<stack>-
	Repository   string   // owner/name on GitHub
	Environments []string // the stacks that are deployed; each has a role, and an environment on GitHub, of its name
}

type object = map[string]any

var (
	repositoryRE = regexp.MustCompile(`^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$`)
	stackRE      = regexp.MustCompile(`^[a-z][a-z0-9-]{0,29}$`)
)

const (
	tokens = "token.actions.githubusercontent.com"
	// keyAlias names the key of the state's secrets.
	keyAlias = "alias/twip-state"
	// policyChars leaves room for ARNs, in the place of references, in the 6,144 characters that a managed policy may
	// have; policies is how many of them a role takes:
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
	policyChars = 5500
	policies    = 10
	// serviceRole is how a service's own role comes into an account that never used it; only that service can assume it.
	serviceRole = "iam:CreateServiceLinkedRole"
	// templateBytes is how long a template may be that is handed over, and not fetched from a bucket:
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
	templateBytes = 51200
	// versionDays is how long former versions of the state can be gone back to.
	versionDays = 365
)

// Template writes the CloudFormation template, in JSON.
func Template(a Account) ([]byte, error) {
	var problems []error
	if !repositoryRE.MatchString(a.Repository) {
		problems = append(problems, fmt.Errorf("repository %q: name it as GitHub does: make account REPOSITORY=owner/name",
			a.Repository))
	}
	if len(a.Environments) == 0 {
		problems = append(problems, errors.New("environments: there is none to deploy: write a Pulumi.<stack>.yaml"))
	}
	for _, stack := range a.Environments {
		if !stackRE.MatchString(stack) {
			problems = append(problems, fmt.Errorf("environment %q: it is not a stack's name", stack))
		}
	}
	granted, err := parseRights(rightsFile)
	if err := errors.Join(append(problems, err)...); err != nil {
		return nil, fmt.Errorf("delivery: %w", err)
	}
	resources := state()
	resources["GitHub"] = object{"Type": "AWS::IAM::OIDCProvider", "Properties": object{
		"Url": "https://" + tokens, "ClientIdList": []string{"sts.amazonaws.com"},
	}}
	// Pull requests from forks get no token; main previews for drift.
	resources["PreviewRole"] = a.role("preview", []string{"pull_request", "ref:refs/heads/main"})
	resources["PreviewPolicy"] = attached("PreviewRole", document(append([]object{
		statement("Look", granted.reads, "*")}, a.stateRead()...)...))
	outputs := object{
		"PulumiBackendUrl": object{"Value": sub("s3://${State}")},
		"SecretsProvider":  object{"Value": sub("awskms://" + keyAlias + "?region=${AWS::Region}")},
		"PreviewRole":      object{"Value": attribute("PreviewRole", "Arn")},
	}
	for _, stack := range a.Environments {
		name := logical(stack) + "DeployRole"
		documents, err := a.deploy(granted, stack)
		if err != nil {
			return nil, fmt.Errorf("delivery: environment %q: %w", stack, err)
		}
		resources[name] = a.role("deploy "+stack, []string{"environment:" + stack})
		for i, d := range documents {
			resources[fmt.Sprintf("%sPolicy%d", name, i+1)] = attached(name, d)
		}
		outputs[name] = object{"Value": attribute(name, "Arn")}
	}
	text, err := json.Marshal(object{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              "The account's side of the delivery of " + a.Repository + "; written by make account",
		"Resources":                resources,
		"Outputs":                  outputs,
	})
	if err == nil && len(text) > templateBytes {
		err = fmt.Errorf("delivery: %d bytes for %d environments: CloudFormation takes %d; write one for fewer of them",
			len(text), len(a.Environments), templateBytes)
	}
	return append(text, '\n'), err
}

// state is the bucket of all stacks' states, with every version of them, and the key of their secrets. Both outlive the
// template.
func state() object {
	return object{
		"StateKey": object{"Type": "AWS::KMS::Key", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
			"Properties": object{"Description": "secrets in the state of stacks", "EnableKeyRotation": true,
				"KeyPolicy": document(object{"Sid": "Account", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
					"Principal": object{"AWS": sub("arn:aws:iam::${AWS::AccountId}:root")}})}},
		"StateKeyAlias": object{"Type": "AWS::KMS::Alias", "Properties": object{"AliasName": keyAlias,
			"TargetKeyId": object{"Ref": "StateKey"}}},
		"State": object{"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
			"Properties": object{
				"VersioningConfiguration": object{"Status": "Enabled"},
				"BucketEncryption": object{"ServerSideEncryptionConfiguration": []object{{
					"ServerSideEncryptionByDefault": object{"SSEAlgorithm": "AES256"}}}},
				"PublicAccessBlockConfiguration": object{"BlockPublicAcls": true, "BlockPublicPolicy": true,
					"IgnorePublicAcls": true, "RestrictPublicBuckets": true},
				"OwnershipControls": object{"Rules": []object{{"ObjectOwnership": "BucketOwnerEnforced"}}},
				"LifecycleConfiguration": object{"Rules": []object{{"Id": "versions", "Status": "Enabled",
					"NoncurrentVersionExpiration": object{"NoncurrentDays": versionDays}}}},
			}},
		"StatePolicy": object{"Type": "AWS::S3::BucketPolicy", "Properties": object{"Bucket": object{"Ref": "State"},
			"PolicyDocument": document(object{"Sid": "EncryptedOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
				"Resource":  []object{attribute("State", "Arn"), sub("${State.Arn}/*")},
				"Condition": object{"Bool": object{"aws:SecureTransport": "false"}}})}},
	}
}

// role can be assumed by this repository's jobs, for these purposes, and by nobody else.
func (a Account) role(purpose string, subjects []string) object {
	var who []string
	for _, subject := range subjects {
		who = append(who, "repo:"+a.Repository+":"+subject)
	}
	return object{"Type": "AWS::IAM::Role", "Properties": object{
		"Description": purpose + " of " + a.Repository,
		"AssumeRolePolicyDocument": document(object{"Sid": "Jobs", "Effect": "Allow",
			"Action": "sts:AssumeRoleWithWebIdentity", "Principal": object{"Federated": object{"Ref": "GitHub"}},
			"Condition": object{"StringEquals": object{tokens + ":aud": "sts.amazonaws.com", tokens + ":sub": who}}}),
	}}
}

// deploy are the policies of an environment's deploy role, none longer than IAM takes.
func (a Account) deploy(granted rights, stack string) ([]object, error) {
	prefix := a.Project + "-" + stack + "-"
	byService := granted.byService()
	statements := append([]object{statement("Look", granted.reads, "*")}, a.stateRead()...)
	statements = append(statements,
		statement("State", []string{"s3:PutObject", "s3:DeleteObject"}, "${State.Arn}/.pulumi/*/"+a.Project+"/"+stack+".*",
			"${State.Arn}/.pulumi/*/"+a.Project+"/"+stack+"/*"),
		statement("Secrets", []string{"kms:Encrypt", "kms:GenerateDataKey"}, "${StateKey.Arn}"),
		// Promotion reads the other environments' images.
		statement("Promote", []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"},
			"arn:aws:ecr:*:${AWS::AccountId}:repository/"+a.Project+"-*"))
	for _, service := range slices.Sorted(maps.Keys(byService)) {
		actions := slices.DeleteFunc(byService[service], func(action string) bool { return action == serviceRole })
		s := statement(logical(service), actions, narrowed(service, prefix)...)
		if !slices.Contains(worldwide, service) {
			s["Condition"] = object{"StringEquals": object{"aws:RequestedRegion": []any{object{"Ref": "AWS::Region"},
				"us-east-1"}}} // CloudFront's certificate and web ACL
		}
		statements = append(statements, s)
	}
	statements = append(statements, statement("ServiceRoles", []string{serviceRole},
		"arn:aws:iam::${AWS::AccountId}:role/aws-service-role/*"))
	var documents []object
	var now []object
	for _, s := range statements {
		if size(document(append(slices.Clone(now), s)...)) > policyChars {
			documents, now = append(documents, document(now...)), nil
		}
		if now = append(now, s); size(document(now...)) > policyChars {
			return nil, fmt.Errorf("statement %v is longer than a policy may be: share it out in rights.txt", s["Sid"])
		}
	}
	if documents = append(documents, document(now...)); len(documents) > policies {
		return nil, fmt.Errorf("%d policies: a role takes %d", len(documents), policies)
	}
	return documents, nil
}

// stateRead lets a role read every stack's state, and decrypt its secrets.
func (a Account) stateRead() []object {
	return []object{
		statement("States", []string{"s3:GetObject", "s3:ListBucket"}, "${State.Arn}", "${State.Arn}/*"),
		statement("Decrypt", []string{"kms:Decrypt"}, "${StateKey.Arn}"),
	}
}

func narrowed(service, prefix string) []string {
	if len(named[service]) == 0 {
		return []string{"*"}
	}
	var arns []string
	for _, arn := range named[service] {
		arns = append(arns, strings.ReplaceAll(arn, "{stack}", prefix))
	}
	return arns
}

func statement(sid string, actions []string, resources ...string) object {
	var on []any
	for _, resource := range resources {
		if strings.Contains(resource, "${") {
			on = append(on, sub(resource))
			continue
		}
		on = append(on, resource)
	}
	return object{"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": on}
}

func attached(role string, document object) object {
	return object{"Type": "AWS::IAM::ManagedPolicy", "Properties": object{"PolicyDocument": document,
		"Roles": []object{{"Ref": role}}}}
}

func document(statements ...object) object {
	return object{"Version": "2012-10-17", "Statement": statements}
}

// size is a document's length as it stands here, with references.
func size(d object) int {
	text, err := json.Marshal(d)
	if err != nil {
		return policyChars + 1 // it holds texts only
	}
	return len(text)
}

func sub(text string) object { return object{"Fn::Sub": text} }

func attribute(resource, name string) object { return object{"Fn::GetAtt": []string{resource, name}} }

// logical is a name as CloudFormation takes it: letters and digits.
func logical(name string) string {
	var parts strings.Builder
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '.' }) {
		parts.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return parts.String()
}
