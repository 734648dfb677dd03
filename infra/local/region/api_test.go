package region

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ask sends a request of AWS's query protocol to a controller that has done as much as the world.
func (w *world) ask(form url.Values) (int, string) {
	w.declared.Templates = map[string]map[int]Template{templateID: {1: {}, 2: {}}}
	c := &Controller{state: w.state, declared: w.declared, seen: map[string]sight{}, say: w.t.Logf}
	for id, look := range w.looks() {
		c.seen[id] = sight{Look: look}
	}
	server := httptest.NewServer(c.api())
	defer server.Close()
	response, err := http.PostForm(server.URL, form)
	require.NoError(w.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(w.t, err)
	w.state = c.state
	return response.StatusCode, string(text)
}

func TestAPI(t *testing.T) {
	wait := func(s *GroupSpec) { s.Hooks = []Hook{{"rehearsal", launching, abandon, time.Hour}} }
	const group = "AutoScalingGroupName=app"
	for name, tc := range map[string]struct {
		spec   func(*GroupSpec)
		form   string
		status int
		has    []string
		then   func(*testing.T, *world)
	}{
		"groups": {nil, "Action=DescribeAutoScalingGroups&AutoScalingGroupNames.member.1=app", 200, []string{
			"<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups><member>",
			"<MinSize>2</MinSize>", "<LaunchTemplateId>lt-1</LaunchTemplateId><Version>1</Version>",
			"<LifecycleState>InService</LifecycleState>", "<AvailabilityZones><member>a</member><member>b</member>"}, nil},
		"another group": {nil, "Action=DescribeAutoScalingGroups&AutoScalingGroupNames.member.1=x", 200,
			[]string{"<AutoScalingGroups></AutoScalingGroups>"}, nil},
		"health of targets": {nil, "Action=DescribeTargetHealth&TargetGroupArn=arn", 200,
			[]string{"<TargetHealth><State>healthy</State></TargetHealth>"}, nil},
		"no such targets": {nil, "Action=DescribeTargetHealth&TargetGroupArn=x", 400, []string{"<Code>TargetGroupNotFound</Code>"}, nil},
		"a refresh": {nil, "Action=StartInstanceRefresh&" + group + "&DesiredConfiguration.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateId=lt-1" +
			"&DesiredConfiguration.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version=2&Preferences.MinHealthyPercentage=100&Preferences.InstanceWarmup=480" +
			"&Preferences.AutoRollback=true&Preferences.AlarmSpecification.Alarms.member.1=errors", 200,
			[]string{"<InstanceRefreshId>refresh-"}, func(t *testing.T, w *world) {
				r := w.group().active()
				require.Equal(t, Reference{templateID, 2}, r.To)
				require.Equal(t, Preferences{MinHealthy: 100, MaxHealthy: 100, Warmup: 480 * time.Second, AutoRollback: true,
					Alarms: []string{"errors"}}, r.Preferences)
			}},
		"a refresh to no version": {nil, "Action=StartInstanceRefresh&" + group + "&DesiredConfiguration.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification." +
			"LaunchTemplateId=lt-1&DesiredConfiguration.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version=7", 400, []string{"has no version 7"}, nil},
		"nothing to cancel": {nil, "Action=CancelInstanceRefresh&" + group, 400, []string{"<Code>ActiveInstanceRefreshNotFound</Code>"}, nil},
		"refreshes":         {nil, "Action=DescribeInstanceRefreshes&" + group, 200, []string{"<InstanceRefreshes></InstanceRefreshes>"}, nil},
		"a hook's answer": {wait, "Action=CompleteLifecycleAction&" + group + "&InstanceId=FIRST&LifecycleHookName=rehearsal" +
			"&LifecycleActionResult=CONTINUE", 200, nil, func(t *testing.T, w *world) {
			require.Equal(t, "a1:InService b1:Pending:Wait", w.run(1).show())
		}},
		"another hook's answer": {wait, "Action=CompleteLifecycleAction&" + group + "&InstanceId=FIRST&LifecycleHookName=x" +
			"&LifecycleActionResult=CONTINUE", 400, []string{"No active Lifecycle Action"}, nil},
		"an answer that is none": {wait, "Action=CompleteLifecycleAction&" + group + "&InstanceId=FIRST" +
			"&LifecycleHookName=rehearsal&LifecycleActionResult=MAYBE", 400, []string{"use CONTINUE or ABANDON"}, nil},
		"an answer for who does not wait": {nil, "Action=CompleteLifecycleAction&" + group + "&InstanceId=FIRST" +
			"&LifecycleHookName=rehearsal&LifecycleActionResult=CONTINUE", 400, []string{"No active Lifecycle Action"}, nil},
		"size": {nil, "Action=SetDesiredCapacity&" + group + "&DesiredCapacity=3", 200, nil, func(t *testing.T, w *world) {
			require.Equal(t, 3, w.group().Desired)
		}},
		"too many":         {nil, "Action=SetDesiredCapacity&" + group + "&DesiredCapacity=7", 400, []string{"outside of min value 2"}, nil},
		"no such group":    {nil, "Action=SetDesiredCapacity&AutoScalingGroupName=x&DesiredCapacity=3", 400, []string{"not found"}, nil},
		"alarms":           {nil, "Action=DescribeAlarms&AlarmNames.member.1=errors", 200, []string{"<StateValue>OK</StateValue>"}, nil},
		"an unknown thing": {nil, "Action=RunInstances", 400, []string{"<Code>InvalidAction</Code>"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tc.spec).run(15)
			form, err := url.ParseQuery(strings.ReplaceAll(tc.form, "FIRST", w.instance(0).ID))
			require.NoError(t, err)
			status, text := w.ask(form)
			require.Equal(t, tc.status, status, text)
			for _, part := range tc.has {
				require.Contains(t, text, part)
			}
			if tc.then != nil {
				tc.then(t, w)
			}
		})
	}
}

func TestAnAlarmThatIsRaisedIsSeen(t *testing.T) {
	w := newWorld(t, nil).run(1)
	status, _ := w.ask(url.Values{"Action": {"SetAlarmState"}, "AlarmName": {"errors"}, "StateValue": {"ALARM"}})
	require.Equal(t, 200, status)
	_, text := w.ask(url.Values{"Action": {"DescribeAlarms"}, "AlarmNames.member.1": {"errors"}})
	require.Contains(t, text, "<StateValue>ALARM</StateValue>")
}
