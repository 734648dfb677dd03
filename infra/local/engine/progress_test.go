package engine

import (
	"errors"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/require"
)

const machine = "urn:pulumi:train::twip::twip:components:Host$aws:ec2/instance:Instance::host"

// told sends events and returns the lines that come of them.
func told(t *testing.T, list ...apitype.EngineEvent) ([]string, *progress) {
	var lines []string
	p := newProgress(func(line string) { lines = append(lines, line) })
	for _, e := range list {
		p.events <- events.EngineEvent{EngineEvent: e}
	}
	p.end()
	return lines, p
}

func step(op apitype.OpType, planning bool) []apitype.EngineEvent {
	m := apitype.StepEventMetadata{Op: op, URN: machine}
	if op != apitype.OpDelete && op != apitype.OpCreate {
		m.Keys = []string{"userData"}
	}
	return []apitype.EngineEvent{{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: m, Planning: planning}},
		{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: m, Planning: planning}}}
}

func TestLines(t *testing.T) {
	for name, c := range map[string]struct {
		events []apitype.EngineEvent
		want   []string
	}{
		"create":    {step(apitype.OpCreate, false), []string{"create               Instance host"}},
		"unchanged": {step(apitype.OpSame, false), nil},
		"planned replacement": {
			append(append(step(apitype.OpCreateReplacement, true), step(apitype.OpReplace, true)...),
				apitype.EngineEvent{SummaryEvent: &apitype.SummaryEvent{ResourceChanges: map[apitype.OpType]int{"replace": 1}}}),
			[]string{"replace    Instance host because of userData", "1 replace, in 0 s"},
		},
		"replacement": {append(step(apitype.OpCreateReplacement, false), step(apitype.OpReplace, false)...), []string{"create-replacement   Instance host because of userData"}},
		"told twice":  {append(step(apitype.OpCreate, false), step(apitype.OpCreate, false)...), []string{"create               Instance host"}},
		"error":       {[]apitype.EngineEvent{{DiagnosticEvent: &apitype.DiagnosticEvent{URN: machine, Severity: "error", Message: "<{%reset%}>no capacity<{%reset%}>\n"}}}, []string{"Instance host: no capacity"}},
		"summary": {[]apitype.EngineEvent{{SummaryEvent: &apitype.SummaryEvent{DurationSeconds: 3, ResourceChanges: map[apitype.OpType]int{"same": 2, "create": 1}}}},
			[]string{"1 create, 2 same, in 3 s"}},
	} {
		t.Run(name, func(t *testing.T) {
			lines, _ := told(t, c.events...)
			require.Equal(t, c.want, lines)
		})
	}
}

func TestExplainKeepsTheEnginesWords(t *testing.T) {
	cause := errors.New("exit status 255 and two hundred lines")
	_, p := told(t, apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{URN: machine, Severity: "error", Message: "no capacity"}})
	err := p.explain(cause)
	require.EqualError(t, err, "Instance host: no capacity")
	require.ErrorIs(t, err, cause)
	_, silent := told(t)
	require.Equal(t, cause, silent.explain(cause))
}
