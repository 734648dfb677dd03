package provider

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func rule(facts map[string]any) recorded {
	all := map[string]any{
		"securityGroupId": "sg-1",
		"ipProtocol":      "tcp",
		"fromPort":        80.,
		"toPort":          80.,
		"cidrIpv4":        "0.0.0.0/0",
	}
	for k, v := range facts {
		all[k] = v
	}
	return recorded{Type: ingressType, ID: "sgr-1", Facts: all}
}

func TestRulesOpenPortsToThisComputer(t *testing.T) {
	for name, c := range map[string]struct {
		facts map[string]any
		want  []int
	}{
		"everybody":          {nil, []int{80}},
		"this computer":      {map[string]any{"cidrIpv4": "127.0.0.1/32"}, []int{80}},
		"somebody else":      {map[string]any{"cidrIpv4": "203.0.113.0/24"}, nil},
		"another group":      {map[string]any{"cidrIpv4": nil, "referencedSecurityGroupId": "sg-2"}, nil},
		"of another machine": {map[string]any{"securityGroupId": "sg-2"}, nil},
		"a range":            {map[string]any{"fromPort": 1., "toPort": 65535.}, []int{80, 1936}},
		"another protocol":   {map[string]any{"ipProtocol": "udp"}, nil},
		"every protocol":     {map[string]any{"ipProtocol": "-1", "fromPort": nil, "toPort": nil}, []int{80, 1936}},
	} {
		t.Run(name, func(t *testing.T) {
			machine := recorded{
				Type:  instanceType,
				ID:    "i-1",
				Facts: map[string]any{"vpcSecurityGroupIds": []any{"sg-1"}},
			}
			c2 := contents{Resources: map[string]recorded{"rule": rule(c.facts)}}
			require.Equal(t, c.want, c2.open(machine, []int{1936, 80}))
		})
	}
}

func TestAnAddressLeadsToItsYoungestAssociation(t *testing.T) {
	c := contents{Resources: map[string]recorded{}}
	for _, made := range []recorded{
		{Type: instanceType, ID: "i-old", Facts: map[string]any{"vpcSecurityGroupIds": []any{"sg-1"}}},
		{Type: instanceType, ID: "i-new", Facts: map[string]any{"vpcSecurityGroupIds": []any{"sg-1"}}},
		{Type: addressType, ID: "eipalloc-1"},
		{Type: associationType, ID: "eipassoc-a", Serial: 9, Facts: map[string]any{"allocationId": "eipalloc-1", "instanceId": "i-new"}},
		{Type: associationType, ID: "eipassoc-b", Serial: 4, Facts: map[string]any{"allocationId": "eipalloc-1", "instanceId": "i-old"}},
		rule(nil),
	} {
		c.Resources[key(made.Type, made.ID)] = made
	}
	require.Equal(t, map[string]publish{"eipalloc-1": {Instance: "i-new", Ports: []int{80}}}, c.reachable([]int{80}))
	delete(c.Resources, key(instanceType, "i-new"))
	require.Equal(t, "i-old", c.reachable([]int{80})["eipalloc-1"].Instance,
		"an association with nothing leads nowhere")
}
