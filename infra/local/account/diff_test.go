package account

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestDiff(t *testing.T) {
	block := func(size int, encrypted bool) map[string]any {
		return map[string]any{"volumeSize": size, "encrypted": encrypted}
	}
	for name, c := range map[string]struct {
		typ      string
		old, new map[string]any
		want     Difference
	}{
		"same":              {"aws:ec2/vpc:Vpc", map[string]any{"cidrBlock": "a"}, map[string]any{"cidrBlock": "a"}, Difference{}},
		"replaced":          {"aws:ec2/vpc:Vpc", map[string]any{"cidrBlock": "a"}, map[string]any{"cidrBlock": "b"}, Difference{Changed: []string{"cidrBlock"}, Replace: []string{"cidrBlock"}}},
		"in place":          {"aws:ec2/vpc:Vpc", map[string]any{"tags": map[string]any{"a": "1"}}, map[string]any{"tags": map[string]any{"a": "2"}}, Difference{Changed: []string{"tags.a"}}},
		"nested, replaced":  {"aws:ec2/instance:Instance", map[string]any{"rootBlockDevice": block(8, false)}, map[string]any{"rootBlockDevice": block(8, true)}, Difference{Changed: []string{"rootBlockDevice.encrypted"}, Replace: []string{"rootBlockDevice.encrypted"}}},
		"nested, in place":  {"aws:ec2/instance:Instance", map[string]any{"rootBlockDevice": block(8, true)}, map[string]any{"rootBlockDevice": block(9, true)}, Difference{Changed: []string{"rootBlockDevice.volumeSize"}}},
		"object that comes": {"aws:ec2/instance:Instance", nil, map[string]any{"rootBlockDevice": block(8, true)}, Difference{Changed: []string{"rootBlockDevice"}, Replace: []string{"rootBlockDevice"}}},
		"list element that goes": {"aws:ec2/instance:Instance", map[string]any{"ebsBlockDevices": []any{block(8, true)}}, map[string]any{"ebsBlockDevices": []any{}},
			Difference{Changed: []string{"ebsBlockDevices[0]"}, Replace: []string{"ebsBlockDevices[0]"}}},
		"list of plain values": {"aws:ec2/instance:Instance", map[string]any{"securityGroups": []any{"a"}}, map[string]any{"securityGroups": []any{"b"}},
			Difference{Changed: []string{"securityGroups[0]"}, Replace: []string{"securityGroups[0]"}}},
		"user data": {"aws:ec2/instance:Instance", map[string]any{"userData": "a"}, map[string]any{"userData": "b"}, Difference{Changed: []string{"userData"}}},
		"user data, as asked": {"aws:ec2/instance:Instance", map[string]any{"userData": "a", "userDataReplaceOnChange": true}, map[string]any{"userData": "b", "userDataReplaceOnChange": true},
			Difference{Changed: []string{"userData"}, Replace: []string{"userData"}}},
		"a rule's group": {"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", map[string]any{"securityGroupId": "a"}, map[string]any{"securityGroupId": "b"},
			Difference{Changed: []string{"securityGroupId"}, Replace: []string{"securityGroupId"}}},
		"a given name": {"aws:ec2/securityGroup:SecurityGroup", map[string]any{"name": "n", "vpcId": "a"}, map[string]any{"name": "n", "vpcId": "b"},
			Difference{Changed: []string{"vpcId"}, Replace: []string{"vpcId"}, DeleteFirst: true}},
		"registry password": {"docker:index/image:Image", map[string]any{"registry": map[string]any{"password": "a"}}, map[string]any{"registry": map[string]any{"password": "b"}}, Difference{}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, Model{}.Diff(c.typ, values(c.old), values(c.new)))
		})
	}
}

func TestDiffOfWhatIsNotKnownYet(t *testing.T) {
	old := resource.PropertyMap{"vpcId": resource.NewStringProperty("vpc-1")}
	unknown := resource.PropertyMap{"vpcId": resource.MakeComputed(resource.NewStringProperty(""))}
	require.Equal(t, []string{"vpcId"}, Model{}.Diff("aws:ec2/subnet:Subnet", old, unknown).Replace)
	secret := resource.PropertyMap{"vpcId": resource.MakeSecret(resource.NewStringProperty("vpc-1"))}
	require.Empty(t, Model{}.Diff("aws:ec2/subnet:Subnet", old, secret).Changed)
}
