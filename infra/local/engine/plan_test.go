package engine

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/require"
)

// What changes is shown below what it belongs to, even when that stays; what stays elsewhere is not shown.
func TestPlanTree(t *testing.T) {
	urn := func(kinds, name string) string { return "urn:pulumi:train::twip::" + kinds + "::" + name }
	stack, host := urn("pulumi:pulumi:Stack", "twip-train"), urn("twip:components:Host", "host")
	instance, idle := urn("twip:components:Host$aws:ec2/instance:Instance", "host"), urn("aws:ec2/vpc:Vpc", "idle")
	p := plan{
		parents: map[string]string{},
		ops:     map[string]string{instance: "replace"},
		steps:   map[string]string{instance: "Instance host because of userData"},
	}
	for child, parent := range map[string]string{stack: "", host: stack, instance: host, idle: stack} {
		p.place(apitype.StepEventMetadata{URN: child, New: &apitype.StepEventStateMetadata{Parent: parent}})
	}
	require.Equal(t, []string{
		"           Stack twip-train",
		"             Host host",
		"replace        Instance host because of userData",
	}, p.tree())
}
