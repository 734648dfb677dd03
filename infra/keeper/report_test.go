package keeper

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A line has each metric that it names as a number beside it, and the dimension as a text: CloudWatch takes nothing else.
func TestMetricsAreWrittenAsCloudWatchReadsThem(t *testing.T) {
	var out bytes.Buffer
	m, log := newMetrics(), newLogger(&out)
	read := func() map[string]any {
		var line map[string]any
		require.NoError(t, json.Unmarshal(out.Bytes(), &line), out.String())
		out.Reset()
		return line
	}
	m.role(Route{Epoch: 3, Self: true})
	m.tookOver(1500 * time.Millisecond)
	m.unsent.Add(4)
	m.inDoubt.Add(1)
	now := time.UnixMilli(1_700_000_000_000)
	before := m.report(log, "twip-prod-app", now, totals{})

	line := read()
	about := line["_aws"].(map[string]any)
	require.EqualValues(t, now.UnixMilli(), about["Timestamp"])
	directive := about["CloudWatchMetrics"].([]any)[0].(map[string]any)
	require.Equal(t, MetricsNamespace, directive["Namespace"])
	require.Equal(t, []any{[]any{ServiceDimension}}, directive["Dimensions"])
	require.Equal(t, "twip-prod-app", line[ServiceDimension])
	got := map[string]any{}
	for _, metric := range directive["Metrics"].([]any) {
		name := metric.(map[string]any)["Name"].(string)
		require.IsType(t, 0.0, line[name], name)
		got[name] = line[name]
	}
	require.Equal(t, map[string]any{MetricLeads: 1.0, MetricTakeovers: 1.0, MetricTakeoverSeconds: 1.5, MetricHeld: 0.0, MetricRefused: 5.0, MetricInDoubt: 1.0},
		got)

	m.held.Add(2)
	m.report(log, "twip-prod-app", now, before)
	line = read()
	require.Equal(t, []any{0.0, 2.0, 0.0}, []any{line[MetricTakeovers], line[MetricHeld], line[MetricRefused]}, "what was told before")
	require.NotContains(t, line, MetricTakeoverSeconds, "there was no takeover")
}
