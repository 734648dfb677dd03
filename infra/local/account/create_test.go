package account

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestCreate(t *testing.T) {
	c := Model{Region: "eu-west-1", DefaultTags: map[string]string{"Project": "twip", "Kind": "default"}}
	for name, test := range map[string]struct {
		typ    string
		inputs map[string]any
		id     string
		wants  map[string]string // outputs, as regular expressions
	}{
		"vpc": {"aws:ec2/vpc:Vpc", nil, `^vpc-[0-9a-f]{17}$`, map[string]string{"arn": `^arn:aws:ec2:eu-west-1:000000000000:vpc/vpc-`, "defaultSecurityGroupId": `^sg-[0-9a-f]{17}$`, "ownerId": `^000000000000$`}},
		"repository": {"aws:ecr/repository:Repository", nil, `^thing-[0-9a-f]{7}$`, map[string]string{"name": `^thing-[0-9a-f]{7}$`,
			"repositoryUrl": `^000000000000\.dkr\.ecr\.eu-west-1\.amazonaws\.com/thing-[0-9a-f]{7}$`}},
		"given name":      {"aws:ecr/repository:Repository", map[string]any{"name": "mine"}, `^mine$`, map[string]string{"name": `^mine$`}},
		"name prefix":     {"aws:ec2/securityGroup:SecurityGroup", map[string]any{"namePrefix": "web-"}, `^sg-`, map[string]string{"name": `^web-[0-9a-f]{26}$`}},
		"load balancer":   {"aws:lb/loadBalancer:LoadBalancer", nil, `^arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/thing-[0-9a-f]{7}/[0-9a-f]{16}$`, map[string]string{"dnsName": `^thing-[0-9a-f]{7}-\d{9}\.eu-west-1\.elb\.amazonaws\.com$`}},
		"launch template": {"aws:ec2/launchTemplate:LaunchTemplate", nil, `^lt-[0-9a-f]{17}$`, map[string]string{"latestVersion": `^1$`}},
		"file system":     {"aws:efs/fileSystem:FileSystem", nil, `^fs-[0-9a-f]{17}$`, map[string]string{"dnsName": `^fs-[0-9a-f]{17}\.efs\.eu-west-1\.amazonaws\.com$`}},
		"address":         {"aws:ec2/eip:Eip", nil, `^eipalloc-`, map[string]string{"publicIp": `^203\.0\.113\.\d+$`}},
		"instance":        {"aws:ec2/instance:Instance", map[string]any{"subnetId": "subnet-1"}, `^i-[0-9a-f]{17}$`, map[string]string{"availabilityZone": `^eu-west-1a$`}},
		"image":           {"docker:index/image:Image", map[string]any{"imageName": "host:5000/app:v1"}, `^host:5000/app:v1$`, map[string]string{"repoDigest": `^host:5000/app@sha256:[0-9a-f]{64}$`}},
	} {
		t.Run(name, func(t *testing.T) {
			id, out, err := c.Create(test.typ, "thing", values(test.inputs))
			require.NoError(t, err)
			require.Regexp(t, test.id, id)
			for property, pattern := range test.wants {
				require.Regexp(t, pattern, text(out[resource.PropertyKey(property)]), property)
			}
			again, same, err := c.Create(test.typ, "thing", values(test.inputs))
			require.NoError(t, err)
			require.Equal(t, id, again)
			require.Equal(t, out, same)
		})
	}
}

func TestCreateRefusesWhatCheckRefuses(t *testing.T) {
	_, _, err := Model{}.Create("aws:ec2/subnet:Subnet", "s", values(map[string]any{"arn": "arn:…"}))
	require.ErrorContains(t, err, `aws:ec2/subnet:Subnet "s": property "arn"`)
	require.ErrorContains(t, err, `property "vpcId"`)
}

func TestReplacementsHaveIdentifiersOfTheirOwn(t *testing.T) {
	first, _, err := Model{}.Create("aws:ec2/vpc:Vpc", "v", nil)
	require.NoError(t, err)
	second, _, err := Model{Seed: "1"}.Create("aws:ec2/vpc:Vpc", "v", nil)
	require.NoError(t, err)
	require.NotEqual(t, first, second)
}

func TestTags(t *testing.T) {
	c := Model{DefaultTags: map[string]string{"Project": "twip", "Kind": "default"}}
	_, out, err := c.Create("aws:ec2/vpc:Vpc", "v", values(map[string]any{"tags": map[string]any{"Kind": "own"}}))
	require.NoError(t, err)
	require.Equal(t, map[string]any{"Project": "twip", "Kind": "own"}, out["tagsAll"].Mappable())
	inputs := WithDefaultTags("aws:ec2/vpc:Vpc", resource.PropertyMap{
		"tags": resource.MakeSecret(resource.NewObjectProperty(values(map[string]any{"Kind": "own"}))),
	}, c.DefaultTags)
	require.True(t, inputs["tags"].IsSecret())
	require.Equal(t, inputs, WithDefaultTags("aws:ec2/vpc:Vpc", inputs, c.DefaultTags))
	group := values(map[string]any{"maxSize": 1, "minSize": 1})
	require.Equal(t, group, WithDefaultTags("aws:autoscaling/group:Group", group, c.DefaultTags),
		"a group has tags of another form")
}

func TestZonesComeFromTheSubnet(t *testing.T) {
	c := Model{Lookup: func(id string) (resource.PropertyMap, bool) {
		return values(map[string]any{"availabilityZone": "us-east-1c"}), id == "subnet-1"
	}}
	_, out, err := c.Create("aws:ec2/instance:Instance", "i", values(map[string]any{"subnetId": "subnet-1"}))
	require.NoError(t, err)
	require.Equal(t, "us-east-1c", out["availabilityZone"].StringValue())
}

func TestPreviewKnowsWhatIsGivenAndNoMore(t *testing.T) {
	out, err := Model{}.Preview("aws:ec2/vpc:Vpc", "v", values(map[string]any{"cidrBlock": "10.0.0.0/16"}))
	require.NoError(t, err)
	require.Equal(t, "10.0.0.0/16", out["cidrBlock"].StringValue())
	require.True(t, out["arn"].IsComputed())
	require.True(t, out["defaultRouteTableId"].IsComputed())
}

func TestUpdateKeepsWhatTheChangeDoesNotTouch(t *testing.T) {
	const typ = "aws:ec2/launchTemplate:LaunchTemplate"
	before, after := values(map[string]any{"userData": "YQ=="}), values(map[string]any{"userData": "Yg=="})
	_, outputs, err := Model{}.Create(typ, "t", before)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		inputs  resource.PropertyMap
		version float64
	}{"changed": {after, 2}, "unchanged": {before, 1}} {
		out, err := Model{Seed: "other"}.Update(typ, "t", before, outputs, c.inputs, false)
		require.NoError(t, err)
		require.Equal(t, c.version, out["latestVersion"].NumberValue(), name)
		require.Equal(t, outputs["name"], out["name"], name)
		require.Equal(t, outputs["arn"], out["arn"], name)
	}
	planned, err := Model{}.Update(typ, "t", before, outputs, after, true)
	require.NoError(t, err)
	require.True(t, planned["latestVersion"].IsComputed(), "a preview does not know the version")
}
