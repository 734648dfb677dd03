package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"twip/infra/local/engine"
)

// untyped is a resource whose type the test chooses.
type untyped struct{ pulumi.CustomResourceState }

// Secrets stay secret in whatever is written, default tags arrive, defaults of Pulumi.yaml hold, and each of two providers
// keeps its own region.
func TestValuesArriveAsTheyLeft(t *testing.T) {
	const secret = "correct horse battery staple"
	r := newSmallRun(t, func(ctx *pulumi.Context) error {
		region, _ := ctx.GetConfig("aws:region")
		home, err := aws.NewProvider(ctx, "home", &aws.ProviderArgs{Region: pulumi.String(region),
			DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.StringMap{"Project": pulumi.String("small"), "Kind": pulumi.String("default")}}})
		if err != nil {
			return err
		}
		away, err := aws.NewProvider(ctx, "away", &aws.ProviderArgs{Region: pulumi.String("us-east-1")})
		if err != nil {
			return err
		}
		vpc, err := ec2.NewVpc(ctx, "home", &ec2.VpcArgs{CidrBlock: pulumi.String("10.0.0.0/16"),
			Tags: pulumi.StringMap{"Kind": pulumi.String("own"), "Secret": pulumi.ToSecret(pulumi.String(secret)).(pulumi.StringOutput)}}, pulumi.Provider(home))
		if err != nil {
			return err
		}
		other, err := ec2.NewVpc(ctx, "away", &ec2.VpcArgs{CidrBlock: pulumi.String("10.1.0.0/16")}, pulumi.Provider(away))
		if err != nil {
			return err
		}
		//lint:ignore SA1019 the engine fills tagsAll from the provider's default tags, which is what is tested
		ctx.Export("tags", vpc.TagsAll)
		greeting, _ := ctx.GetConfig("small:greeting")
		ctx.Export("greeting", pulumi.String(greeting))
		ctx.Export("home", vpc.Arn)
		ctx.Export("away", other.Arn)
		return nil
	})
	s := r.mustUp()
	require.Equal(t, map[string]any{"Project": "small", "Kind": "own", "Secret": secret}, s.Outputs["tags"])
	require.Equal(t, "hello", s.Outputs["greeting"])
	require.Contains(t, s.Outputs["home"], "arn:aws:ec2:eu-west-1:000000000000:vpc/vpc-")
	require.Contains(t, s.Outputs["away"], "arn:aws:ec2:us-east-1:000000000000:vpc/vpc-")
	require.Zero(t, r.mustUp().Changed())
	require.NoError(t, filepath.WalkDir(r.state, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		require.NotContains(t, string(b), secret, path)
		return err
	}))
}

// What the providers cannot know is refused in the preview, with the way out.
func TestPreviewRefuses(t *testing.T) {
	var typ string
	var inputs pulumi.Map
	r := newSmallRun(t, func(ctx *pulumi.Context) error {
		return ctx.RegisterResource(typ, "it", inputs, &untyped{})
	})
	for _, c := range []struct {
		typ     string
		inputs  pulumi.Map
		message string
	}{
		{"aws:ec2/teapot:Teapot", pulumi.Map{}, `resource type "aws:ec2/teapot:Teapot" is not described`},
		{"aws:ec2/vpc:Vpc", pulumi.Map{"cidr": pulumi.String("10.0.0.0/16")}, "has no such property"},
		{"aws:ec2/vpc:Vpc", pulumi.Map{"arn": pulumi.String("arn:aws:…")}, "it is an output only"},
		{"aws:ec2/subnet:Subnet", pulumi.Map{"cidrBlock": pulumi.String("10.0.0.0/24")}, "requires it"},
	} {
		typ, inputs = c.typ, c.inputs
		_, err := r.preview()
		require.ErrorContains(t, err, c.message)
	}
}

// A preview replaces exactly what aws-properties.json says cannot be changed in place.
func TestPreviewReplacesWhatAWSReplaces(t *testing.T) {
	var facts map[string]struct{ ReplaceOnChange []string }
	b, err := os.ReadFile("../../infra/local/account/aws-properties.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &facts))

	s := func(v string) pulumi.Input { return pulumi.String(v) }
	changes := []struct {
		typ, property string
		others        pulumi.Map
		before, after pulumi.Input
	}{
		{volume, "size", pulumi.Map{"availabilityZone": s("eu-west-1a")}, pulumi.Int(8), pulumi.Int(9)},
		{volume, "encrypted", pulumi.Map{"availabilityZone": s("eu-west-1a")}, pulumi.Bool(false), pulumi.Bool(true)},
		{"aws:ec2/subnet:Subnet", "cidrBlock", pulumi.Map{"vpcId": s("vpc-1")}, s("10.0.0.0/24"), s("10.0.1.0/24")},
		{"aws:ec2/subnet:Subnet", "mapPublicIpOnLaunch", pulumi.Map{"vpcId": s("vpc-1")}, pulumi.Bool(false), pulumi.Bool(true)},
		{"aws:ec2/securityGroup:SecurityGroup", "description", pulumi.Map{}, s("a"), s("b")},
		{"aws:ec2/launchTemplate:LaunchTemplate", "userData", pulumi.Map{}, s("YQ=="), s("Yg==")},
		{"aws:lb/loadBalancer:LoadBalancer", "internal", pulumi.Map{}, pulumi.Bool(false), pulumi.Bool(true)},
		{"aws:lb/loadBalancer:LoadBalancer", "idleTimeout", pulumi.Map{}, pulumi.Int(60), pulumi.Int(61)},
		{"aws:lb/targetGroup:TargetGroup", "port", pulumi.Map{}, pulumi.Int(80), pulumi.Int(8080)},
		{"aws:efs/fileSystem:FileSystem", "performanceMode", pulumi.Map{}, s("generalPurpose"), s("maxIO")},
		{"aws:efs/fileSystem:FileSystem", "throughputMode", pulumi.Map{}, s("bursting"), s("elastic")},
		{"aws:kms/key:Key", "description", pulumi.Map{}, s("a"), s("b")},
	}
	later := false
	r := newSmallRun(t, func(ctx *pulumi.Context) error {
		for _, c := range changes {
			inputs := pulumi.Map{c.property: c.before}
			if later {
				inputs[c.property] = c.after
			}
			for k, v := range c.others {
				inputs[k] = v
			}
			if err := ctx.RegisterResource(c.typ, c.property, inputs, &untyped{}); err != nil {
				return err
			}
		}
		return nil
	})
	r.mustUp()
	later = true
	planned, err := r.preview()
	require.NoError(t, err)
	for _, c := range changes {
		want := "update"
		if slices.Contains(facts[c.typ].ReplaceOnChange, c.property) {
			want = "replace"
		}
		require.True(t, slices.ContainsFunc(planned.Steps, func(s engine.Step) bool {
			return s.Op == want && s.Type == c.typ && s.Name == c.property
		}), "%s.%s: %s was expected among %v", c.typ, c.property, want, planned.Steps)
	}
}

// One command at a time works on a stack's state.
func TestCommandsDoNotMix(t *testing.T) {
	var r *run
	r = newSmallRun(t, func(*pulumi.Context) error {
		_, err := r.command(func(ctx context.Context, e *engine.Engine) (engine.Summary, error) { return e.Up(ctx) })
		// Not require: the program runs in another goroutine than the test, which would wait for it for ever.
		assert.ErrorContains(t, err, fmt.Sprintf("another command (process %d) works on stack train", os.Getpid()))
		return nil
	})
	r.mustUp()
}
