package engine_test

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"twip/infra/guardrails"
	"twip/infra/local/engine"
)

// forgetful declares log groups that keep what they have for good, which a rule refuses.
func forgetful(ctx *pulumi.Context) error {
	return guardrails.Enforce(ctx, func(ctx *pulumi.Context) error {
		cloud, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{Region: pulumi.String("eu-west-1"), DefaultTags: &aws.ProviderDefaultTagsArgs{
			Tags: pulumi.StringMap{"Project": pulumi.String("small"), "Stack": pulumi.String("train"), "ManagedBy": pulumi.String("pulumi")},
		}})
		if err != nil {
			return err
		}
		for _, name := range []string{"one", "two"} {
			if _, err = cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{Tags: pulumi.StringMap{"Name": pulumi.String(name)}}, pulumi.Provider(cloud)); err != nil {
				return err
			}
		}
		return nil
	})
}

// The real engine hands a broken rule to the person: all of them in a preview, and an update makes nothing that breaks one.
func TestBrokenRulesFailPreviewAndUp(t *testing.T) {
	r := newSmallRun(t, forgetful)
	_, err := r.preview()
	for _, want := range []string{"guardrail CloudWatch.16", `"one"`, `"two"`, "retentionInDays is not set", "use 1 to 3653"} {
		require.ErrorContains(t, err, want)
	}
	var up engine.Summary
	up, err = r.up()
	require.ErrorContains(t, err, "guardrail CloudWatch.16")
	require.NotContains(t, steps(up, "aws:cloudwatch/logGroup:LogGroup"), "create")
}
