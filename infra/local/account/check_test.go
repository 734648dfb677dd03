package account

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		typ    string
		inputs map[string]any
		wants  []string // the failures, each by a part of it
	}{
		"good":             {"aws:ec2/subnet:Subnet", map[string]any{"vpcId": "vpc-1"}, nil},
		"unknown type":     {"aws:ec2/teapot:Teapot", nil, []string{`"aws:ec2/teapot:Teapot" is not described in the account model: add an entry to infra/local/account/aws-properties.json`}},
		"unknown property": {"aws:ec2/vpc:Vpc", map[string]any{"cidr": "10.0.0.0/8"}, []string{`property "cidr": aws:ec2/vpc:Vpc has no such property`}},
		"unknown nested property": {"aws:ec2/instance:Instance", map[string]any{"metadataOptions": map[string]any{"tokens": "required"}},
			[]string{`property "metadataOptions.tokens"`}},
		"missing":             {"aws:ec2/subnet:Subnet", nil, []string{`property "vpcId": aws:ec2/subnet:Subnet requires it`}},
		"missing in a list":   {"aws:ec2/instance:Instance", map[string]any{"ebsBlockDevices": []any{map[string]any{"volumeSize": 8}}}, []string{`property "ebsBlockDevices[0].deviceName"`}},
		"missing list":        {"aws:lb/listener:Listener", map[string]any{"loadBalancerArn": "arn:…"}, []string{`property "defaultActions"`}},
		"null is missing":     {"aws:ec2/subnet:Subnet", map[string]any{"vpcId": nil}, []string{`property "vpcId"`}},
		"a name is made up":   {"aws:ecr/repository:Repository", nil, nil},
		"output":              {"aws:ec2/vpc:Vpc", map[string]any{"arn": "arn:…"}, []string{`property "arn": aws:ec2/vpc:Vpc sets it itself`}},
		"type":                {"aws:ebs/volume:Volume", map[string]any{"availabilityZone": "a", "size": "8"}, []string{`wants a value of type number here, got string`}},
		"type in a map":       {"aws:ec2/vpc:Vpc", map[string]any{"tags": map[string]any{"a": 1}}, []string{`property "tags.a"`}},
		"conflict, once":      {"aws:ec2/instance:Instance", map[string]any{"userData": "a", "userDataBase64": "YQ=="}, []string{`property "userData": aws:ec2/instance:Instance takes either it or "userDataBase64"`}},
		"conflict of objects": {"aws:ec2/instance:Instance", map[string]any{"cpuCoreCount": 1, "cpuOptions": map[string]any{"coreCount": 1}}, []string{`takes either it or "cpuOptions.0.coreCount"`}},
		"image":               {"docker:index/image:Image", map[string]any{"build": map[string]any{"context": "."}}, []string{`property "imageName"`}},
	} {
		t.Run(name, func(t *testing.T) {
			failures := Model{}.Check(c.typ, values(c.inputs))
			require.Len(t, failures, len(c.wants), "%v", failures)
			for i, want := range c.wants {
				require.ErrorContains(t, failures[i], want)
			}
		})
	}
}

// Before a deployment, and in secret, a value counts as given and is of any type.
func TestCheckAcceptsWhatIsNotKnownYet(t *testing.T) {
	for _, v := range []resource.PropertyValue{
		resource.MakeComputed(resource.NewStringProperty("")),
		resource.NewOutputProperty(resource.Output{Element: resource.NewStringProperty("")}),
		resource.MakeSecret(resource.NewNumberProperty(8)),
	} {
		inputs := resource.PropertyMap{"availabilityZone": resource.NewStringProperty("a"), "size": v}
		require.Empty(t, Model{}.Check("aws:ebs/volume:Volume", inputs))
	}
}
