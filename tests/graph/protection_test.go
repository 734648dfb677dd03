package graph

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Pulumi deletes what depends on others before them, and refuses what is protected at its turn: what is protected and
// depends on everything is refused before anything is gone.
func TestDestroyMeetsTheProtectionFirst(t *testing.T) {
	graphs := map[string]*Graph{"train": train(t, nil)}
	for name, steps := range prodShapes {
		graphs["prod, "+name] = prod(t, steps...)
	}
	for name, g := range graphs {
		first := g.Of(t, protectionType)[0]
		require.True(t, first.Protect, name)
		for _, node := range g.Nodes {
			if node.Custom && !strings.HasPrefix(node.Type, "pulumi:") {
				require.True(t, g.Waits(first, node), "%s: a destroy would delete %s first", name, node.URN)
			}
		}
	}
}

func TestProtectionIsLifted(t *testing.T) {
	edge, data := map[string]string{"twip:protectEdge": "false"}, map[string]string{"twip:protectData": "false"}
	for _, tc := range []struct {
		name string
		g    *Graph
		want bool
	}{
		{"train, its data", train(t, data), false},
		{"prod, its edge only", prod(t, edge), true},
		{"prod, its data only", prod(t, data), true},
		{"prod, both", prod(t, edge, data), false},
	} {
		require.Equal(t, tc.want, tc.g.Of(t, protectionType)[0].Protect, tc.name)
	}
}

// What servers of the app tier are told by a key: all of them, and none without it.
func TestWhatAppServersAreTold(t *testing.T) {
	for key, variable := range map[string]string{
		"twip:expectData": "TWIP_EXPECT=present", "twip:uploads": "TWIP_UPLOADS=true", "twip:outbound": "TWIP_OUTBOUND=true",
	} {
		for _, said := range []string{"true", "false"} {
			config := map[string]string{key: said}
			documents := map[string]string{}
			g := train(t, config)
			documents["train"] = g.Document(t, g.Of(t, instanceType)[0])
			g = prod(t, config)
			for _, template := range g.Of(t, templateType) {
				documents[template.Name] = g.Document(t, template)
			}
			for name, document := range documents {
				told := said == "true" && strings.Contains(document, "target=/store")
				require.Equal(t, told, strings.Contains(document, "--env "+variable+" "), "%s, %s %s", name, key, said)
			}
		}
	}
}
