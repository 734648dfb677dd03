package graph

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/components/compute"
	"twip/components/tier"
	"twip/infra/images"
	"twip/stacks"
)

// train runs the committed training environment, with values of its own where a test needs them.
func train(t *testing.T, overrides map[string]string) *Graph {
	t.Helper()
	g, err := RunStack("train", Fixture(t, "train", overrides), stacks.Program)
	require.NoError(t, err)
	return g
}

const (
	instanceType   = "aws:ec2/instance:Instance"
	attachmentType = "aws:ec2/volumeAttachment:VolumeAttachment"
	ingressType    = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressType     = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	imageType      = "docker:index/image:Image"
	repositoryType = "aws:ecr/repository:Repository"
	logGroupType   = "aws:cloudwatch/logGroup:LogGroup"
	policyType     = "aws:iam/rolePolicy:RolePolicy"
	volumeType     = "aws:ebs/volume:Volume"
	protectionType = "twip:stacks:Protection"
	recordType     = "aws:route53/record:Record"
	subnetType     = "aws:ec2/subnet:Subnet"
)

// open lets an address see the statistics page and gives the site a name: everything that train can have.
var open = map[string]string{
	"twip:statsCidrs": `["203.0.113.7/32"]`, "twip:domain": "news.example.com", "twip:hostedZone": "Z0123456789ABCDEFGHIJ", "twip:appContainers": "2",
}

func TestTrainGraph(t *testing.T) {
	golden(t, "train.txt", train(t, nil).Summary())
	golden(t, "train-open.txt", train(t, open).Summary())
}

// A preview of a stack that does not exist yet runs the whole program with nothing known.
func TestTrainPreview(t *testing.T) {
	g, err := Preview(Fixture(t, "train", open), stacks.Program)
	require.NoError(t, err)
	require.Equal(t, Unknown, g.At(t, g.Of(t, instanceType)[0], "userData"))
	require.Len(t, g.Nodes, len(train(t, open).Nodes))
}

func TestTrainIsTheSameEveryTime(t *testing.T) {
	require.Equal(t, train(t, open).Summary(), train(t, open).Summary())
}

// Whatever a machine needs at boot exists before it boots.
func TestTrainOrder(t *testing.T) {
	g := train(t, open)
	machine := g.Of(t, instanceType)[0]
	for _, typ := range []string{
		imageType, logGroupType, policyType, ingressType, egressType, volumeType,
		"aws:ec2/route:Route", "aws:ec2/routeTableAssociation:RouteTableAssociation", "aws:ec2/internetGateway:InternetGateway",
	} {
		for _, node := range g.Of(t, typ) {
			if strings.HasSuffix(node.Name, "-snapshots") {
				continue // nobody at boot needs them
			}
			require.True(t, g.Waits(machine, node), "the machine does not wait for %s %s", typ, node.Name)
		}
	}
	for _, typ := range []string{attachmentType, "aws:ec2/eipAssociation:EipAssociation"} {
		require.True(t, g.Waits(g.Of(t, typ)[0], machine), typ)
		require.True(t, g.Of(t, typ)[0].DeleteBeforeReplace, "%s: a volume or an address cannot be at two machines", typ)
	}
}

// A new machine is made only after the old one has stopped in an orderly way and let go of the volume.
func TestTrainReplacesTheMachineWithoutASecondWriter(t *testing.T) {
	g := train(t, nil)
	machine, attachment := g.Of(t, instanceType)[0], g.Of(t, attachmentType)[0]
	require.True(t, machine.DeleteBeforeReplace)
	require.Equal(t, true, g.At(t, machine, "userDataReplaceOnChange"))
	require.Equal(t, true, g.At(t, attachment, "stopInstanceBeforeDetaching"))
	require.Contains(t, attachment.Dependencies, machine.URN)
	require.Contains(t, attachment.Dependencies, g.Of(t, volumeType)[0].URN)
	require.NotContains(t, g.Of(t, volumeType)[0].Dependencies, machine.URN)
}

func TestTrainMachineIsHardened(t *testing.T) {
	g := train(t, nil)
	machine := g.Of(t, instanceType)[0]
	for path, want := range map[string]any{
		"instanceType":                            "t2.micro",
		"metadataOptions.httpTokens":              "required",
		"metadataOptions.httpPutResponseHopLimit": 1.0,
		"rootBlockDevice.encrypted":               true,
		"rootBlockDevice.volumeType":              "gp3",
	} {
		require.Equal(t, want, g.At(t, machine, path), path)
	}
	require.NotContains(t, machine.Inputs, "keyName")
	require.Equal(t, false, g.At(t, g.Of(t, subnetType)[0], "mapPublicIpOnLaunch"))
	volume := g.Of(t, volumeType)[0]
	require.Equal(t, true, g.At(t, volume, "encrypted"))
	require.Equal(t, "gp3", g.At(t, volume, "type"))
	require.Equal(t, g.At(t, g.Of(t, subnetType)[0], "availabilityZone"), g.At(t, volume, "availabilityZone"))
}

func TestTrainData(t *testing.T) {
	volume := train(t, nil).Of(t, volumeType)[0]
	require.True(t, volume.Protect, "unless it says otherwise, the data is protected")
	require.False(t, train(t, map[string]string{"twip:protectData": "false"}).Of(t, volumeType)[0].Protect)
}

// EC2 takes 16 KiB of user data; whatever else the configuration allows must fit.
func TestTrainWithTheMostContainersFits(t *testing.T) {
	most := strconv.Itoa(tier.MaxAppContainers)
	g := train(t, map[string]string{"twip:appContainers": most, "twip:statsCidrs": `["203.0.113.7/32"]`, "twip:instanceType": "m6i.large"})
	document := g.Document(t, g.Of(t, instanceType)[0])
	t.Logf("user data of %s app containers: %d bytes, unpacked", most, len(document))
	require.Contains(t, document, "twip-app-"+most+".service")
}

// Two ports may be open, to whom the configuration says; nothing else gets in.
func TestTrainFlows(t *testing.T) {
	type flow struct {
		port any
		cidr any
	}
	flows := func(g *Graph, typ string) (all []flow) {
		for _, rule := range g.Of(t, typ) {
			require.Equal(t, g.At(t, rule, "fromPort"), g.At(t, rule, "toPort"))
			require.Equal(t, "tcp", g.At(t, rule, "ipProtocol"))
			all = append(all, flow{g.At(t, rule, "fromPort"), g.At(t, rule, "cidrIpv4")})
		}
		return all
	}
	closed := train(t, nil)
	require.ElementsMatch(t, []flow{{80.0, "0.0.0.0/0"}}, flows(closed, ingressType))
	require.ElementsMatch(t, []flow{{80.0, "0.0.0.0/0"}, {443.0, "0.0.0.0/0"}}, flows(closed, egressType))
	some := train(t, map[string]string{"twip:siteCidrs": `["192.0.2.0/24","198.51.100.0/24"]`, "twip:statsCidrs": `["203.0.113.7/32"]`})
	require.ElementsMatch(t, []flow{{80.0, "192.0.2.0/24"}, {80.0, "198.51.100.0/24"}, {1936.0, "203.0.113.7/32"}}, flows(some, ingressType))
	for _, typ := range []string{"aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"} {
		for _, group := range some.Of(t, typ) {
			require.NotContains(t, group.Inputs, "ingress", "%s has rules beside the rule resources", typ)
			require.NotContains(t, group.Inputs, "egress", "%s has rules beside the rule resources", typ)
		}
	}
}

// The machine's role names exactly our repositories and log groups.
func TestTrainRoleIsLeastPrivilege(t *testing.T) {
	g := train(t, nil)
	var repositories, streams []string
	for _, repository := range g.Of(t, repositoryType) {
		repositories = append(repositories, Plain(repository.Outputs["arn"]).(string))
	}
	for _, group := range g.Of(t, logGroupType) {
		streams = append(streams, Plain(group.Outputs["arn"]).(string)+":*")
	}
	require.Len(t, repositories, len(images.Kinds))
	require.Len(t, streams, len(images.Kinds)+1, "and that of the machine's journal")

	require.Len(t, g.Of(t, policyType), 2, "the machine's, and that of the snapshots")
	machinePolicy := g.One(t, policyType, "twip-train-host")
	var policy struct {
		Version   string
		Statement []struct {
			Sid, Effect      string
			Action, Resource []string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(g.At(t, machinePolicy, "policy").(string)), &policy))
	require.Equal(t, "2012-10-17", policy.Version)
	require.Len(t, policy.Statement, 3)
	for _, s := range policy.Statement {
		require.Equal(t, "Allow", s.Effect)
		switch s.Sid {
		case "LogIn":
			require.Equal(t, []string{"ecr:GetAuthorizationToken"}, s.Action)
			require.Equal(t, []string{"*"}, s.Resource)
		case "Pull":
			require.Equal(t, []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, s.Action)
			require.ElementsMatch(t, repositories, s.Resource)
		case "Log":
			require.Equal(t, []string{"logs:CreateLogStream", "logs:PutLogEvents"}, s.Action)
			require.ElementsMatch(t, streams, s.Resource)
		default:
			t.Fatalf("statement %q is not expected", s.Sid)
		}
	}
	require.False(t, g.Has("aws:iam/rolePolicyAttachment:RolePolicyAttachment"), "managed policies allow more than is needed")
}

// What people posted is copied every night, by a role that reaches this volume only.
func TestTrainSnapshots(t *testing.T) {
	g := train(t, nil)
	policy := g.One(t, "aws:dlm/lifecyclePolicy:LifecyclePolicy", "twip-train-store")
	volume := g.One(t, volumeType, "twip-train-store")
	require.Equal(t, g.At(t, volume, "tags.Name"), g.At(t, policy, "policyDetails.targetTags.Name"))
	require.Equal(t, 7.0, g.At(t, policy, "policyDetails.schedules[0].retainRule.count"))
	allowed := g.At(t, g.One(t, policyType, "twip-train-store-snapshots"), "policy").(string)
	require.Contains(t, allowed, Plain(volume.Outputs["arn"]))
	require.NotContains(t, allowed, `"ec2:*"`)

	require.False(t, train(t, map[string]string{"twip:nightlySnapshots": "0"}).Has("aws:dlm/lifecyclePolicy:LifecyclePolicy"))
}

func TestTrainImages(t *testing.T) {
	g := train(t, nil)
	for _, repository := range g.Of(t, repositoryType) {
		require.Equal(t, "IMMUTABLE", g.At(t, repository, "imageTagMutability"))
		require.Equal(t, true, g.At(t, repository, "imageScanningConfiguration.scanOnPush"))
	}
	document := g.Document(t, g.Of(t, instanceType)[0])
	built := g.Of(t, imageType)
	require.Len(t, built, len(images.Kinds))
	for _, image := range built {
		require.Regexp(t, `:[a-f0-9]{16}$`, g.At(t, image, "imageName"), "tagged by content")
		require.Regexp(t, `^\.\./\.build/[a-z]+$`, g.At(t, image, "build.context"), "the same literal on every computer")
		require.True(t, image.Inputs["registry"].ObjectValue()["password"].IsSecret())
		require.Contains(t, document, Plain(image.Outputs["repoDigest"]), "consumed by digest")
	}
	require.Len(t, g.Of(t, "aws:ecr/lifecyclePolicy:LifecyclePolicy"), 3)
	require.Len(t, g.Messages, 2, "the person who runs it learns which artifacts are used")
	require.Contains(t, g.Messages[0], "info: app: the sample companyNews")
	require.Contains(t, g.Messages[1], "info: static: the sample companyNews")
}

// Every resource that can carry tags has a name and the environment's tags, and comes from the one explicit provider.
func TestTrainTagsAndProvider(t *testing.T) {
	g := train(t, map[string]string{"twip:tags": `{"Owner":"web team"}`})
	untaggable := map[string]bool{
		"aws:ec2/route:Route": true, "aws:ec2/routeTableAssociation:RouteTableAssociation": true, "aws:ec2/eipAssociation:EipAssociation": true,
		attachmentType: true, policyType: true, "aws:ecr/lifecyclePolicy:LifecyclePolicy": true, imageType: true,
	}
	provider := g.One(t, "pulumi:providers:aws", "aws")
	require.Equal(t, map[string]any{"Project": "twip", "Stack": "train", "ManagedBy": "pulumi", "Owner": "web team"}, g.At(t, provider, "defaultTags.tags"))
	require.Equal(t, "eu-central-1", g.At(t, provider, "region"))
	for _, node := range g.Nodes {
		if !node.Custom || node.Type == provider.Type || node.Type == "pulumi:providers:docker" {
			continue
		}
		require.NotEmpty(t, node.Parent, "%s stands outside of every component", node.URN)
		require.Contains(t, node.Name, g.By(t, node.Parent).Name, "a child's name starts with its component's")
		require.Empty(t, node.IgnoreChanges, node.URN)
		if node.Type == imageType {
			continue
		}
		require.Equal(t, provider.URN, node.Provider, node.URN)
		if !untaggable[node.Type] {
			require.Contains(t, g.At(t, node, "tags.Name"), "twip-train-", node.URN)
			require.Equal(t, "web team", Plain(node.Outputs["tagsAll"]).(map[string]any)["Owner"], node.URN)
		}
	}
	for _, invoke := range g.Invokes {
		require.Equal(t, provider.URN, invoke.Provider, invoke.Token)
	}
}

// A machine image of one's own is looked for in one's own account, not where anybody could publish one of its name.
func TestMachineImageOfOnesOwn(t *testing.T) {
	for name, owner := range map[string]string{
		"debian-13-amd64-20251117-2299": compute.DebianOwner, "twip-debian-13-amd64-20251117-2299-202611241200": "self",
	} {
		g := train(t, map[string]string{"twip:machineImage": name})
		asked := false
		for _, invoke := range g.Invokes {
			if invoke.Token == "aws:ec2/getAmi:getAmi" {
				asked = true
				require.Equal(t, []any{owner}, Plain(invoke.Args["owners"]), name)
			}
		}
		require.True(t, asked)
	}
}

func TestTrainOutputs(t *testing.T) {
	g := train(t, nil)
	require.Regexp(t, `^http://[0-9.]+$`, g.Output(t, "url"))
	require.NotContains(t, g.Outputs, "statsUrl", "nobody may see it, so there is none")
	require.Regexp(t, `^i-[0-9a-f]+$`, g.Output(t, "instanceId"))
	require.Regexp(t, `^vol-[0-9a-f]+$`, g.Output(t, "dataVolumeId"))
	for _, kind := range []string{"static", "app", "proxy"} {
		require.Regexp(t, `@sha256:[0-9a-f]{64}$`, g.Output(t, "images").(map[string]any)[kind])
		require.Contains(t, g.Output(t, "logGroups").(map[string]any), kind)
	}
	g = train(t, open)
	require.Equal(t, "http://news.example.com", g.Output(t, "url"))
	require.Equal(t, "http://news.example.com:1936", g.Output(t, "statsUrl"))
	record := g.Of(t, recordType)[0]
	require.Equal(t, "news.example.com", g.At(t, record, "name"))
	require.Equal(t, []any{Plain(g.Of(t, "aws:ec2/eip:Eip")[0].Outputs["publicIp"])}, g.At(t, record, "records"))
}
