package guardrails

import (
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

// The rules are what people are told by: each has a name, a meaning and a source.
func TestRulesAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, rule := range Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			require.False(t, seen[rule.ID], "there are two of this name")
			seen[rule.ID] = true
			require.Regexp(t, `^([A-Za-z0-9]+\.[0-9]+|TWIP-[A-Z]+-[0-9]+)$`, rule.ID)
			require.NotEmpty(t, rule.Title)
			require.True(t, strings.HasPrefix(rule.Source, "https://") || rule.Source == ownDesign)
			require.True(t, rule.check != nil || rule.whole != nil, "it asks nothing")
			if rule.CIS != "" {
				require.Regexp(t, `^v[0-9.]+/[0-9.]+$`, rule.CIS)
			}
			for _, typ := range rule.Types {
				require.Regexp(t, `^[a-z]+:[a-zA-Z0-9]+(/[a-zA-Z0-9]+:[A-Za-z0-9]+|:[a-z]+)$`, typ)
			}
		})
	}
}

// These are the controls that TWIP has promised to keep.
func TestPromisedControlsHaveRules(t *testing.T) {
	const promised = "AutoScaling.1/.2/.9, EC2.2/.6/.7/.8/.9/.15/.18/.19/.21, ELB.1/.4/.5/.6/.12/.13/.16/.17, EFS.1/.2/.3/.4/.6/.7/.8, " +
		"ECR.1/.2/.3, IAM.1/.21, KMS.1/.2/.3/.4/.5, S3.1/.2/.3/.5/.8/.9/.12/.13, SNS.1/.4, Backup.1, " +
		"CloudFront.1/.3/.5/.6/.7/.9/.10/.12/.13, Route53.2"
	for _, controls := range strings.Split(promised, ", ") {
		service, numbers, _ := strings.Cut(controls, ".")
		for _, number := range regexp.MustCompile(`[0-9]+`).FindAllString(numbers, -1) {
			require.NotNil(t, ruleOf(service+"."+number), "%s.%s", service, number)
		}
	}
}

func TestPaths(t *testing.T) {
	r := &Resource{Properties: resource.PropertyMap{
		"text":   resource.NewStringProperty("x"),
		"hidden": resource.MakeSecret(resource.NewObjectProperty(resource.PropertyMap{"word": resource.NewStringProperty("y")})),
		"late":   resource.MakeComputed(resource.NewStringProperty("")),
		"empty":  resource.NewArrayProperty(nil),
		"list": resource.NewArrayProperty([]resource.PropertyValue{
			resource.NewObjectProperty(resource.PropertyMap{"n": resource.NewNumberProperty(1)}),
			resource.MakeComputed(resource.NewStringProperty("")),
			resource.NewObjectProperty(resource.PropertyMap{}),
		}),
	}}
	for path, want := range map[string][]value{
		"text":        {{path: "text", state: known}},
		"text.deeper": {{path: "text.deeper", state: absent}},
		"hidden.word": {{path: "hidden.word", state: known}},
		"late":        {{path: "late", state: unknown}},
		"late.deeper": {{path: "late.deeper", state: unknown}},
		"late[].n":    {{path: "late[].n", state: unknown}},
		"none.deeper": {{path: "none.deeper", state: absent}},
		"empty[].n":   {{path: "empty[].n", state: absent}},
		"list[].n":    {{path: "list[0].n", state: known}, {path: "list[1].n", state: unknown}, {path: "list[2].n", state: absent}},
	} {
		t.Run(path, func(t *testing.T) {
			got := r.each(path)
			require.Len(t, got, len(want))
			for i := range want {
				require.Equal(t, want[i].path, got[i].path)
				require.Equal(t, want[i].state, got[i].state)
			}
		})
	}
	require.Equal(t, "y", r.at("hidden.word").text())
	require.Equal(t, "a secret", value{v: r.Properties["hidden"], state: known}.shown(), "a message shows no secret")
	require.Equal(t, "not known yet", r.at("late").shown())
	require.Equal(t, "not set", r.at("none").shown())
}

// What is not known is never held against anybody.
func TestChecksSkipTheUnknown(t *testing.T) {
	late := &Resource{Properties: resource.PropertyMap{"p": resource.MakeComputed(resource.NewStringProperty("")), "fromPort": resource.MakeComputed(resource.NewStringProperty(""))}}
	for name, asks := range map[string]check{
		"is": is("p", "x"), "oneOf": oneOf("p", "x"), "isNot": isNot("p", "x", ""), "none": none("p", ""), "some": some("p", ""), "items": items("p", 2, ""),
		"number": number("p", 1, 2), "documents": documents("p", closed, ""), "where": where("p", never("p", ""), "x"), "anyOf": anyOf("p[].x", "y"),
		"ports": ports(func(int, int) bool { return false }, ""), "deep": is("p.q[].r", "x"),
	} {
		require.Empty(t, asks(late, &Graph{}), name)
	}
}

func TestExceptionTable(t *testing.T) {
	e := Exception{Rule: "EFS.1", Type: fileSystem, Name: "one", Reason: "so it is"}
	other := e
	other.Name = "two"
	require.Equal(t, "| Rule | Resource | In | Why |\n|---|---|---|---|\n"+
		"| [EFS.1](https://docs.aws.amazon.com/securityhub/latest/userguide/efs-controls.html#efs-1): file systems are encrypted with a key in KMS | FileSystem | a, b | so it is |\n",
		ExceptionTable(map[string][]Exception{"b": {e}, "a": {e, other}}))
}
