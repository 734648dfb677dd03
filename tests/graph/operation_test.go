package graph

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/stacks"
)

const scheduleType = "aws:scheduler/schedule:Schedule"

func TestTrainSleepsAtNight(t *testing.T) {
	require.False(t, train(t, nil).Has(scheduleType), "nothing stops a machine that nobody said it of")
	g := train(t, map[string]string{"twip:workingHours": `{"start":"07:00","stop":"20:30","days":"MON-FRI","timezone":"Europe/Berlin"}`})
	machine := g.Of(t, instanceType)[0]
	for name, want := range map[string][2]string{
		"twip-train-night-start": {"cron(0 7 ? * MON-FRI *)", "arn:aws:scheduler:::aws-sdk:ec2:startInstances"},
		"twip-train-night-stop":  {"cron(30 20 ? * * *)", "arn:aws:scheduler:::aws-sdk:ec2:stopInstances"},
	} {
		schedule := g.One(t, scheduleType, name)
		require.Equal(t, want[0], g.At(t, schedule, "scheduleExpression"))
		require.Equal(t, want[1], g.At(t, schedule, "target.arn"))
		require.JSONEq(t, `{"InstanceIds":["`+machine.ID+`"]}`, g.At(t, schedule, "target.input").(string))
		require.Equal(t, "Europe/Berlin", g.At(t, schedule, "scheduleExpressionTimezone"))
	}
	policy := g.At(t, g.One(t, policyType, "twip-train-night"), "policy").(string)
	require.Contains(t, policy, ":instance/"+machine.ID+`"]`, "it may stop this machine and no other")
}

func TestProdSessions(t *testing.T) {
	closed := prod(t)
	for _, policy := range closed.Of(t, policyType) {
		require.NotContains(t, policy.Name, "sessions")
	}
	digest := strings.Repeat("0123456789abcdef", 4)
	g := prod(t, map[string]string{"twip:sessionAgent": "3.3.987.0@sha256:" + digest})
	require.Len(t, g.Of(t, ingressType), len(closed.Of(t, ingressType)), "no port is opened for it")
	for _, group := range g.Of(t, groupType) {
		document := g.Document(t, g.One(t, templateType, group.Name))
		require.Contains(t, document, "twip-sessions eu-central-1 3.3.987.0 "+digest)
		require.Contains(t, g.At(t, g.One(t, policyType, group.Name+"-sessions"), "policy"), "ssmmessages:OpenDataChannel")
	}
}

func TestOperationRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		stack  string
		values map[string]string
		want   string
	}{
		"half hours":         {"train", map[string]string{"twip:workingHours": `{"start":"07:00"}`}, "use HH:MM"},
		"wrong clock":        {"train", map[string]string{"twip:workingHours": `{"start":"7am","stop":"20:00","days":"MON-FRI","timezone":"UTC"}`}, `"7am"`},
		"hours of groups":    {"prod", map[string]string{"twip:workingHours": `{"start":"07:00","stop":"20:00","days":"MON","timezone":"UTC"}`}, "around the clock"},
		"agent by tag":       {"prod", map[string]string{"twip:sessionAgent": "latest"}, "@sha256:"},
		"sessions on a host": {"train", map[string]string{"twip:sessionAgent": "3.3.987.0@sha256:" + strings.Repeat("0", 64)}, "only machines in groups"},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := RunStack(tc.stack, Fixture(t, tc.stack, tc.values), stacks.Program)
			require.ErrorContains(t, err, tc.want)
			require.Empty(t, g.Nodes)
		})
	}
}
