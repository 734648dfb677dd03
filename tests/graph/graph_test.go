package graph

import (
	"errors"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

// with makes a program of a part: the two providers, and the option that hands them to what the part makes.
func with(part func(ctx *pulumi.Context, on pulumi.ResourceOption) error) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		cloud, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{Region: pulumi.String("eu-central-1")})
		if err != nil {
			return err
		}
		builder, err := docker.NewProvider(ctx, "docker", &docker.ProviderArgs{})
		if err != nil {
			return err
		}
		return part(ctx, pulumi.Providers(cloud, builder))
	}
}

type group struct{ pulumi.ResourceState }

// twoGroups registers two components of one type with a log group in each.
func twoGroups(names [2]string) func(*pulumi.Context, pulumi.ResourceOption) error {
	return func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
		for i, parent := range []string{"one", "two"} {
			component := &group{}
			if err := ctx.RegisterComponentResource("twip:test:Group", parent, component, on); err != nil {
				return err
			}
			if _, err := cloudwatch.NewLogGroup(ctx, names[i], &cloudwatch.LogGroupArgs{}, pulumi.Parent(component)); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestGraphRefusesWhatTheEngineRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		program pulumi.RunFunc
		want    string
	}{
		"one URN twice": {with(twoGroups([2]string{"logs", "logs"})), "duplicate resource URN"},
		"no explicit provider": {func(ctx *pulumi.Context) error {
			_, err := cloudwatch.NewLogGroup(ctx, "logs", &cloudwatch.LogGroupArgs{})
			return err
		}, "default providers are disabled"},
		"unknown type": {with(func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			var r pulumi.CustomResourceState
			return ctx.RegisterResource("aws:moon/base:Base", "base", pulumi.Map{}, &r, on)
		}), "is not described"},
		"unknown property": {with(func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
			var r pulumi.CustomResourceState
			return ctx.RegisterResource("aws:cloudwatch/logGroup:LogGroup", "logs", pulumi.Map{"colour": pulumi.String("red")}, &r, on)
		}), "colour"},
		"the program's own error": {func(*pulumi.Context) error { return errors.New("no") }, "no"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Run(nil, tc.program)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestGraphAnswers(t *testing.T) {
	g, err := Run(nil, with(twoGroups([2]string{"one", "two"})))
	require.NoError(t, err)
	logs := g.Of(t, "aws:cloudwatch/logGroup:LogGroup")
	require.Len(t, logs, 2)
	require.Equal(t, g.One(t, "twip:test:Group", "one").URN, logs[0].Parent)
	require.Equal(t, "aws", g.By(t, logs[0].Provider).Name)
	require.False(t, g.Has("aws:ec2/instance:Instance"))
}

func TestPreviewKeepsUnknownsUnknown(t *testing.T) {
	export := with(func(ctx *pulumi.Context, on pulumi.ResourceOption) error {
		logs, err := cloudwatch.NewLogGroup(ctx, "logs", &cloudwatch.LogGroupArgs{}, on)
		if err != nil {
			return err
		}
		ctx.Export("arn", logs.Arn)
		return ctx.Log.Warn("mind the gap", nil)
	})
	preview, err := Preview(nil, export)
	require.NoError(t, err)
	require.Equal(t, Unknown, preview.Output(t, "arn"))
	require.Equal(t, []string{"warning: mind the gap"}, preview.Messages)
	done, err := Run(nil, export)
	require.NoError(t, err)
	require.Contains(t, done.Output(t, "arn"), "arn:aws:logs:eu-central-1:")
}
