package edge

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/policy"
	"twip/components/internal/tag"
)

// whoWasRefused is asked when a visitor says that they were refused: their address, and which rule it was. It shows as
// well what the rules that only count would have refused. Fields of the log:
// https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html
const whoWasRefused = `fields @timestamp, httpRequest.clientIp as address, action, terminatingRuleId as rule,
  httpRequest.httpMethod as method, httpRequest.uri as path, httpRequest.args as query
| sort @timestamp desc
| limit 200`

// log has the web ACL write down whom it refused and why, and saves the query that shows it. Who is let through is in
// the access logs. Cookies and credentials of visitors are left out; bodies never are in it.
func (w *webACL) log(
	ctx *pulumi.Context, name, account string, days int, options ...pulumi.ResourceOption,
) error {
	name += "-refused"
	group, err := cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("aws-waf-logs-" + name), // AWS WAF writes to groups of such names only
		RetentionInDays: pulumi.Int(days),
		Tags:            tag.Named(name),
	}, options...)
	if err != nil {
		return fmt.Errorf("web ACL: log group: %w", err)
	}
	// https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
	allow, err := cloudwatch.NewLogResourcePolicy(ctx, name, &cloudwatch.LogResourcePolicyArgs{
		PolicyName: pulumi.String(name),
		PolicyDocument: policy.Rendered(policy.Document{Statement: []policy.Statement{
			policy.ForService("delivery.logs.amazonaws.com", account,
				[]string{"logs:CreateLogStream", "logs:PutLogEvents"}, []string{"{0}:*"}),
		}}, group.Arn),
	}, options...)
	if err != nil {
		return fmt.Errorf("web ACL: log group: policy: %w", err)
	}
	if err = ctx.RegisterResource("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", name, pulumi.Map{
		"resourceArn":           w.Arn,
		"logDestinationConfigs": pulumi.StringArray{group.Arn},
		"redactedFields":        pulumi.Array{header("cookie"), header("authorization")},
		"loggingFilter": pulumi.Map{
			"defaultBehavior": pulumi.String("DROP"),
			"filters": pulumi.Array{pulumi.Map{
				"behavior": pulumi.String("KEEP"), "requirement": pulumi.String("MEETS_ANY"),
				"conditions": pulumi.Array{whenever("BLOCK"), whenever("COUNT"), whenever("EXCLUDED_AS_COUNT")},
			}},
		},
	}, &pulumi.CustomResourceState{}, append(options, pulumi.DependsOn([]pulumi.Resource{allow}))...); err != nil {
		return fmt.Errorf("web ACL: logs: %w", err)
	}
	if _, err = cloudwatch.NewQueryDefinition(ctx, name, &cloudwatch.QueryDefinitionArgs{
		Name:          pulumi.String(name + "/who and why"), // the folder and title that people see
		LogGroupNames: pulumi.StringArray{group.Name},
		QueryString:   pulumi.String(whoWasRefused),
	}, options...); err != nil {
		return fmt.Errorf("web ACL: saved query: %w", err)
	}
	return nil
}

func header(name string) pulumi.Map {
	return pulumi.Map{"singleHeader": pulumi.Map{"name": pulumi.String(name)}}
}

func whenever(action string) pulumi.Map {
	return pulumi.Map{"actionCondition": pulumi.Map{"action": pulumi.String(action)}}
}
