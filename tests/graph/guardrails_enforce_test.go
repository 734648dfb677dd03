package graph

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"twip/infra/guardrails"
)

const days = 30

// enforced is a program of parts under the rules.
func enforced(parts ...func(*pulumi.Context, pulumi.ResourceOption) error) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		return guardrails.Enforce(ctx, func(ctx *pulumi.Context) error {
			cloud, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{Region: pulumi.String("eu-central-1"), DefaultTags: &aws.ProviderDefaultTagsArgs{
				Tags: pulumi.StringMap{"Project": pulumi.String("twip"), "Stack": pulumi.String("test"), "ManagedBy": pulumi.String("pulumi")},
			}})
			if err != nil {
				return err
			}
			for _, part := range parts {
				if err := part(ctx, pulumi.Provider(cloud)); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// logs keeps a log group for so many days, with what options a test adds.
func logs(name string, kept int, options ...func(*pulumi.Context) pulumi.ResourceOption) func(*pulumi.Context, pulumi.ResourceOption) error {
	return func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
		all := []pulumi.ResourceOption{on}
		for _, option := range options {
			all = append(all, option(ctx))
		}
		_, err := cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{
			RetentionInDays: pulumi.Int(kept), Tags: pulumi.StringMap{"Name": pulumi.String(name)},
		}, all...)
		return err
	}
}

func except(rule, reason string) func(*pulumi.Context) pulumi.ResourceOption {
	return func(ctx *pulumi.Context) pulumi.ResourceOption { return guardrails.Except(ctx, rule, reason) }
}

// bareVPC has neither a flow log nor an emptied default security group.
func bareVPC(ctx *pulumi.Context, on pulumi.ResourceOption) error {
	_, err := ec2.NewVpc(ctx, "bare", &ec2.VpcArgs{CidrBlock: pulumi.String("10.0.0.0/16"), Tags: pulumi.StringMap{"Name": pulumi.String("bare")}}, on)
	return err
}

const logGroupName = `aws:cloudwatch/logGroup:LogGroup "logs"`

// A preview has nothing to lose: it shows all there is to mend.
func TestPreviewShowsEverythingThatBreaksARule(t *testing.T) {
	_, err := Preview(nil, enforced(logs("logs", 0), logs("more", 0), bareVPC))
	for _, want := range []string{
		"guardrail CloudWatch.16", logGroupName, "retentionInDays is 0", "use 1 to 3653", `guardrails.Except(ctx, "CloudWatch.16", reason)`, "https://docs.aws.amazon.com/",
		`"more"`, "guardrail EC2.2", "guardrail EC2.6",
	} {
		require.ErrorContains(t, err, want)
	}
}

// An update makes nothing that breaks a rule by itself.
func TestUpdateRefusesWhatBreaksARule(t *testing.T) {
	g, err := Run(nil, enforced(logs("good", days), logs("logs", 0)))
	require.ErrorContains(t, err, "guardrail CloudWatch.16")
	require.Len(t, g.Of(t, logGroupType), 1)
	require.Equal(t, "good", g.Of(t, logGroupType)[0].Name)

	_, err = Run(nil, enforced(bareVPC))
	require.ErrorContains(t, err, "guardrail EC2.6")
}

func TestExceptions(t *testing.T) {
	for name, tc := range map[string]struct {
		program pulumi.RunFunc
		want    string // of the error; empty: there is none
	}{
		"it excepts":               {enforced(logs("logs", 0, except("CloudWatch.16", "a test needs it"))), ""},
		"another resource":         {enforced(logs("logs", 0), logs("other", 0, except("CloudWatch.16", "a test needs it"))), logGroupName},
		"another rule":             {enforced(logs("logs", 0, except("EFS.1", "a test needs it"))), "guardrail CloudWatch.16"},
		"nothing to except":        {enforced(logs("logs", days, except("CloudWatch.16", "a test needs it"))), "excepts nothing"},
		"no such rule":             {enforced(logs("logs", days, except("CloudWatch.61", "a test needs it"))), "is no rule"},
		"no reason":                {enforced(logs("logs", 0, except("CloudWatch.16", ""))), "gives no reason"},
		"a condition that is not":  {enforced(logs("logs", days, exceptWhen(false))), ""},
		"a condition that is":      {enforced(logs("logs", 0, exceptWhen(true))), ""},
		"nobody enforces anything": {with(logs("logs", 0, except("CloudWatch.61", ""))), ""},
	} {
		t.Run(name, func(t *testing.T) {
			for what, run := range map[string]func(map[string]string, pulumi.RunFunc) (*Graph, error){"preview": Preview, "update": Run} {
				_, err := run(nil, tc.program)
				if tc.want == "" {
					require.NoError(t, err, what)
				} else {
					require.ErrorContains(t, err, tc.want, what)
				}
			}
		})
	}
}

func exceptWhen(has bool) func(*pulumi.Context) pulumi.ResourceOption {
	return func(ctx *pulumi.Context) pulumi.ResourceOption {
		return guardrails.ExceptWhen(ctx, has, "CloudWatch.16", "a test needs it")
	}
}

// What only a deployment will know is not held against a preview, and is against the deployment.
func TestPreviewSkipsWhatItCannotKnow(t *testing.T) {
	late := func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
		first, err := sns.NewTopic(ctx, "first", &sns.TopicArgs{KmsMasterKeyId: pulumi.String("key"), Tags: pulumi.StringMap{"Name": pulumi.String("first")}}, on)
		if err != nil {
			return err
		}
		empty := first.Arn.ApplyT(func(string) string { return "" }).(pulumi.StringOutput)
		_, err = sns.NewTopic(ctx, "second", &sns.TopicArgs{KmsMasterKeyId: empty, Tags: pulumi.StringMap{"Name": pulumi.String("second")}}, on)
		return err
	}
	_, err := Preview(nil, enforced(late))
	require.NoError(t, err)
	_, err = Run(nil, enforced(late))
	require.ErrorContains(t, err, "guardrail SNS.1")
}

// When something cannot be made, the person hears of that, and not of what the half that there is lacks.
func TestGuardrailsKeepQuietAboutHalfAProgram(t *testing.T) {
	_, err := RunFailing(logGroupType, nil, enforced(logs("logs", days), bareVPC))
	require.ErrorContains(t, err, "the cloud has failed")
	require.NotContains(t, err.Error(), "guardrail")
}
