package engine

import (
	"errors"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/require"
)

const machine = "urn:pulumi:train::twip::twip:components:Host$aws:ec2/instance:Instance::host"

// told sends events and returns what was made of them.
func told(list ...apitype.EngineEvent) *progress {
	p := newProgress(func(string) {})
	for _, e := range list {
		p.events <- events.EngineEvent{EngineEvent: e}
	}
	p.end()
	return p
}

func step(op apitype.OpType) []apitype.EngineEvent {
	m := apitype.StepEventMetadata{Op: op, URN: machine}
	if op != apitype.OpDelete && op != apitype.OpCreate {
		m.Keys, m.Diffs = []string{"userData"}, []string{"userData", "tags.Name"}
	}
	return []apitype.EngineEvent{{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: m}},
		{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: m}}}
}

func TestSummary(t *testing.T) {
	created := Step{Op: "create", Type: "aws:ec2/instance:Instance", Name: "host"}
	for name, c := range map[string]struct {
		events []apitype.EngineEvent
		want   Summary
	}{
		"create":     {step(apitype.OpCreate), Summary{Changes: map[string]int{}, Steps: []Step{created}}},
		"unchanged":  {step(apitype.OpSame), Summary{Changes: map[string]int{}}},
		"told twice": {append(step(apitype.OpCreate), step(apitype.OpCreate)...), Summary{Changes: map[string]int{}, Steps: []Step{created}}},
		"replacement": {step(apitype.OpReplace), Summary{Changes: map[string]int{}, Steps: []Step{
			{Op: "replace", Type: "aws:ec2/instance:Instance", Name: "host",
				Replace: []string{"userData"}, Changed: []string{"tags.Name", "userData"}}}}},
		"counts": {[]apitype.EngineEvent{{SummaryEvent: &apitype.SummaryEvent{
			ResourceChanges: map[apitype.OpType]int{"same": 2, "create": 1}}}},
			Summary{Changes: map[string]int{"same": 2, "create": 1}}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, told(c.events...).summary) })
	}
}

// What the engine prints arrives line by line, without empty ones.
func TestLines(t *testing.T) {
	var got []string
	_, err := lines(
		func(line string) { got = append(got, line) }).Write([]byte("Updating (train):\n\n.\n +  aws:ec2:Vpc net create  \n"))
	require.NoError(t, err)
	require.Equal(t, []string{"Updating (train):", " +  aws:ec2:Vpc net create"}, got)
}

func TestExplainKeepsTheEnginesWords(t *testing.T) {
	cause := errors.New("exit status 255 and two hundred lines")
	p := told(apitype.EngineEvent{
		DiagnosticEvent: &apitype.DiagnosticEvent{URN: machine, Severity: "error", Message: "no capacity"},
	})
	err := p.explain(cause)
	require.EqualError(t, err, "Instance host: no capacity")
	require.ErrorIs(t, err, cause)
	require.Equal(t, cause, told().explain(cause))
}
