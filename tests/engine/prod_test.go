package engine_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/local/engine"
	"twip/stacks"
)

// prod has the production environment as it is committed.
func prod(t *testing.T) *run {
	r := newRun(t, stacks.Program, map[string]any{"twip:artifacts": t.TempDir()})
	r.stack = "prod"
	return r
}

// lasting are the types of which nothing may go on the way to the public release: the data and its key, what the world
// knows the site by, the addresses that others admit, and what all of it stands in.
var lasting = []string{
	"aws:ebs/volume:Volume",
	"aws:efs/fileSystem:FileSystem", "aws:efs/mountTarget:MountTarget", "aws:kms/key:Key", "aws:backup/vault:Vault",
	"aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup", "aws:ec2/eip:Eip", "aws:ec2/natGateway:NatGateway",
	"aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup",
	"aws:autoscaling/group:Group", "aws:ec2/launchTemplate:LaunchTemplate", "aws:acm/certificate:Certificate",
}

// The secrets of a CDN before and after its change.
var secretA, secretB = strings.Repeat("0123456789abcdef", 4), strings.Repeat("fedcba9876543210", 4)

const rollout = "aws:lambda/invocation:Invocation"

// losses are the steps of an update that take something lasting away.
func losses(s engine.Summary) (lost []engine.Step) {
	for _, step := range s.Steps {
		if slices.Contains(lasting, step.Type) && (strings.Contains(step.Op, "delete") || strings.Contains(step.Op, "replace")) {
			lost = append(lost, step)
		}
	}
	return lost
}

// The life of production from the limited release to the public one, by the steps that the README documents, each of them
// configuration only.
func TestProd(t *testing.T) {
	r := prod(t)
	planned, err := r.preview()
	require.NoError(t, err)
	require.Zero(t, r.count(), "a preview does nothing")
	first := r.mustUp()
	require.Equal(t, planned.Changes, first.Changes, "up does what preview said")
	require.Contains(t, first.Outputs["url"], "http://")
	require.Zero(t, r.mustUp().Changed(), "a second up changes nothing")

	for _, step := range []struct {
		title    string
		config   map[string]any
		rollouts int // groups whose rollout is called: their template has a new version, or a CDN keeps their answers now
	}{
		{"people are told", map[string]any{"twip:alarmEmail": "ops@example.com", "twip:monthlyBudgetUsd": 1000}, 0},
		{"a domain, and with it TLS", map[string]any{"twip:domain": "news.example.com", "twip:hostedZone": "Z0123456789ABCDEFGHIJ"}, 0},
		{"a third zone", map[string]any{"twip:zones": []string{"a", "b", "c"}}, 0},
		{"more servers", map[string]any{"twip:appServers": map[string]int{"min": 3, "max": 9}, "twip:staticServers": map[string]int{"min": 3, "max": 9}}, 0},
		{"a larger writer", map[string]any{"twip:instanceType": "m7i.large", "twip:memoryMiB": map[string]int{"app": 6144, "static": 256}}, 1},
		{"the world, both ways", map[string]any{"twip:cdn": true, "twip:cdnBothWays": true, "twip:cdnSecret": secretA}, 1},
		{"the world", map[string]any{"twip:cdnBothWays": false}, 0},
		{"a second secret", map[string]any{"twip:cdnSecretAlso": secretB}, 0},
		{"the second secret is sent", map[string]any{"twip:cdnSecret": secretB, "twip:cdnSecretAlso": secretA}, 0},
		{"the first secret is gone", map[string]any{"twip:cdnSecretAlso": ""}, 0},
	} {
		t.Log(step.title)
		maps.Copy(r.config, step.config)
		done := r.mustUp()
		require.Empty(t, losses(done), step.title)
		require.NotZero(t, done.Changed(), step.title)
		require.Len(t, slices.DeleteFunc(steps(done, rollout), func(op string) bool { return op != "replace" }), step.rollouts, step.title)
		require.Equal(t, first.Outputs["fileSystemId"], done.Outputs["fileSystemId"])
		require.Equal(t, first.Outputs["groups"], done.Outputs["groups"])
	}
	require.Zero(t, r.mustUp().Changed(), "a second up changes nothing")

	t.Log("what is protected refuses to be destroyed, and nothing else is either")
	left := r.left()
	_, err = r.destroy()
	require.ErrorContains(t, err, "Protection twip-prod-protection is protected: lift the protection")
	require.Equal(t, left, r.left())

	t.Log("without protection nothing is left")
	r.config["twip:protectData"], r.config["twip:protectEdge"] = false, false
	r.mustUp()
	_, err = r.destroy()
	require.NoError(t, err)
	require.Equal(t, "0 machines, 0 volumes, 0 addresses, 0 log groups, 0 file systems", r.left())
}
