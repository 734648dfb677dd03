package keeper

import (
	"log/slog"
	"time"
)

// ServiceEnv names the variable with the service that this keeper's metrics belong to; without it, none are written
// into the log.
const ServiceEnv = "TWIP_SERVICE"

// Metrics in the log, as CloudWatch reads them out of it: the namespace, the one dimension, and the names. Counts are
// those of one keeper in one minute.
const (
	MetricsNamespace = "TWIP/Keeper"
	ServiceDimension = "Service"

	MetricLeads           = "Leads"           // 1 for the one that leads: the sum over all keepers is how many lead
	MetricTakeovers       = "Takeovers"       // how often it became the leader
	MetricTakeoverSeconds = "TakeoverSeconds" // how long the last takeover took; only in a minute with one
	MetricHeld            = "Held"            // requests that had to wait for a leader
	MetricRefused         = "Refused"         // requests that nobody could answer safely
	MetricInDoubt         = "InDoubt"         // those of them that may have been carried out
)

// reporting is how often metrics are written: the finest that CloudWatch keeps without asking for more money.
const reporting = time.Minute

// totals are the counters, to find out what was added.
type totals struct{ takeovers, held, unsent, inDoubt int64 }

func (m *metrics) totals() totals {
	return totals{takeovers: m.takeovers.Load(), held: m.held.Load(), unsent: m.unsent.Load(), inDoubt: m.inDoubt.Load()}
}

// report writes into the log what was added since before, in embedded metric format, and returns the counters of now:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func (m *metrics) report(log *slog.Logger, service string, now time.Time, before totals) totals {
	after := m.totals()
	type metric struct{ Name, Unit string }
	var names []metric
	values := []any{ServiceDimension, service}
	add := func(name, unit string, value any) {
		names = append(names, metric{name, unit})
		values = append(values, name, value)
	}
	add(MetricLeads, "Count", m.leading.Load())
	add(MetricTakeovers, "Count", after.takeovers-before.takeovers)
	if after.takeovers > before.takeovers {
		add(MetricTakeoverSeconds, "Seconds", time.Duration(m.takeoverTime.Load()).Seconds())
	}
	add(MetricHeld, "Count", after.held-before.held)
	add(MetricRefused, "Count", after.unsent-before.unsent+after.inDoubt-before.inDoubt)
	add(MetricInDoubt, "Count", after.inDoubt-before.inDoubt)
	log.Info("metrics", append(values, "_aws", map[string]any{
		"Timestamp": now.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": MetricsNamespace, "Dimensions": [][]string{{ServiceDimension}}, "Metrics": names,
		}},
	})...)
	return after
}

// reportUntil writes metrics every minute, and once more at the end.
func (m *metrics) reportUntil(done <-chan struct{}, log *slog.Logger, service string) {
	tick := time.NewTicker(reporting)
	defer tick.Stop()
	for before := m.totals(); ; {
		select {
		case now := <-tick.C:
			before = m.report(log, service, now, before)
		case <-done:
			m.report(log, service, time.Now(), before)
			return
		}
	}
}
