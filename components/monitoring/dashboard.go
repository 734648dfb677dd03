package monitoring

import (
	"fmt"

	"twip/components/internal/alarm"
	"twip/components/tier"
	"twip/infra/boot"
	"twip/infra/keeper"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The dashboard is 24 units wide; a row of it has three charts.
const (
	chartWidth  = 8
	chartHeight = 6
	stripHeight = 3
)

// registerDashboard draws the one page that answers "is it well?": the alarms on top, below them what visitors get,
// what the servers do, and what the store does. Format:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
func (m *Monitor) registerDashboard(ctx *pulumi.Context, name string) error {
	alarms := pulumi.Array{}
	for _, arn := range m.alarms {
		alarms = append(alarms, arn)
	}
	widgets := pulumi.Array{pulumi.Map{
		"type": pulumi.String("alarm"), "x": pulumi.Int(0), "y": pulumi.Int(0),
		"width": pulumi.Int(3 * chartWidth), "height": pulumi.Int(stripHeight),
		"properties": pulumi.Map{"title": pulumi.String("Is it well?"), "alarms": alarms},
	}}
	for i, c := range m.charts() {
		widgets = append(widgets, pulumi.Map{
			"type": pulumi.String("metric"),
			"x":    pulumi.Int(i % 3 * chartWidth), "y": pulumi.Int(stripHeight + i/3*chartHeight),
			"width": pulumi.Int(chartWidth), "height": pulumi.Int(chartHeight),
			"properties": pulumi.Map{
				"title": pulumi.String(c.title), "region": pulumi.String(m.args.Region), "metrics": c.lines,
				"view": pulumi.String("timeSeries"), "period": pulumi.Int(60),
				"yAxis": pulumi.Map{
					"left": pulumi.Map{
						"min":       pulumi.Int(0),
						"label":     pulumi.String(c.unit),
						"showUnits": pulumi.Bool(false),
					},
				},
			},
		})
	}
	if _, err := cloudwatch.NewDashboard(ctx, name, &cloudwatch.DashboardArgs{
		DashboardName: pulumi.String(name), // required by AWS
		DashboardBody: pulumi.JSONMarshal(pulumi.Map{"widgets": widgets}),
	}, pulumi.Parent(m)); err != nil {
		return fmt.Errorf("dashboard: %w", err)
	}
	return nil
}

// chart is one picture of several lines.
type chart struct {
	title, unit string
	lines       pulumi.Array
}

func (m *Monitor) charts() []chart {
	site := m.args.LoadBalancer.Balancer.ArnSuffix
	edge := func(metric, statistic, label string) pulumi.Input {
		return line(alarm.LoadBalancing, metric, statistic, label, pulumi.String("LoadBalancer"), site)
	}
	behind := func(servers *tier.TargetGroup, metric, statistic, label string) pulumi.Input {
		return line(alarm.LoadBalancing, metric, statistic, label, pulumi.String("TargetGroup"),
			servers.Group.ArnSuffix, pulumi.String("LoadBalancer"), site)
	}
	app, static := m.args.App.TargetGroup, m.args.Static.TargetGroup
	files := func(metric, statistic, label string) pulumi.Input {
		return line("AWS/EFS", metric, statistic, label, pulumi.String("FileSystemId"), m.args.Store.FileSystemID)
	}
	charts := []chart{
		{"Requests", "per minute", pulumi.Array{
			edge("RequestCount", "Sum", "all"),
			behind(app, "RequestCount", "Sum", "app"),
			behind(static, "RequestCount", "Sum", "static"),
		}},
		{"Errors", "per minute", pulumi.Array{
			edge("HTTPCode_ELB_5XX_Count", "Sum", "5xx of the load balancer"),
			behind(app, "HTTPCode_Target_5XX_Count", "Sum", "5xx app"),
			behind(static, "HTTPCode_Target_5XX_Count", "Sum", "5xx static"),
			edge("HTTPCode_Target_4XX_Count", "Sum", "4xx"),
		}},
		{"Time to answer", "seconds", pulumi.Array{
			edge("TargetResponseTime", "p50", "p50"),
			edge("TargetResponseTime", "p90", "p90"),
			edge("TargetResponseTime", "p99", "p99"),
		}},
		{"Servers that can answer", "", pulumi.Array{
			behind(app, "HealthyHostCount", "Minimum", "app"),
			behind(static, "HealthyHostCount", "Minimum", "static"),
			behind(app, "UnHealthyHostCount", "Maximum", "app, cannot"),
			behind(static, "UnHealthyHostCount", "Maximum", "static, cannot"),
		}},
	}
	processors, machines := chart{title: "CPU", unit: "percent"}, chart{title: "Machines"}
	full := chart{title: "Memory and disks, the fullest machine", unit: "percent"}
	for _, group := range m.args.Groups {
		dimension := []pulumi.Input{pulumi.String("AutoScalingGroupName"), group.Name}
		processors.lines = append(processors.lines,
			line("AWS/EC2", "CPUUtilization", "Average", group.Title, dimension...))
		machines.lines = append(machines.lines,
			line(alarm.AutoScaling, "GroupInServiceInstances", "Minimum", group.Title, dimension...),
			line(alarm.AutoScaling, "GroupDesiredCapacity", "Maximum", group.Title+", wanted", dimension...))
		journal := []pulumi.Input{pulumi.String(boot.JournalDimension), group.JournalName}
		full.lines = append(full.lines,
			line(boot.MetricsNamespace, boot.MemoryMetric, "Maximum", group.Title+", memory", journal...),
			line(boot.MetricsNamespace, boot.DiskMetric, "Maximum", group.Title+", disk", journal...))
	}
	return append(charts, processors, machines, full,
		chart{"Who writes", "per minute", pulumi.Array{
			m.keeperLine(keeper.MetricTakeovers, "takeovers"),
			m.keeperLine(keeper.MetricHeld, "requests that waited"),
			m.keeperLine(keeper.MetricRefused, "refused requests"),
			m.keeperLine(keeper.MetricLeads, "leaders"),
		}},
		chart{"Store: load", "percent", pulumi.Array{files("PercentIOLimit", "Maximum", "of what it can do")}},
		chart{"Store: traffic", "bytes per minute", pulumi.Array{
			files("DataReadIOBytes", "Sum", "read"),
			files("DataWriteIOBytes", "Sum", "written"),
		}})
}

func (m *Monitor) keeperLine(metric, label string) pulumi.Input {
	return line(keeper.MetricsNamespace, metric, "Sum", label,
		pulumi.String(keeper.ServiceDimension), pulumi.String(m.args.App.Service))
}

// line is a metric as a dashboard writes it: namespace, name, dimensions, and how it is drawn.
func line(namespace, metric, statistic, label string, dimensions ...pulumi.Input) pulumi.Input {
	written := pulumi.Array{pulumi.String(namespace), pulumi.String(metric)}
	written = append(written, dimensions...)
	return append(written, pulumi.Map{"stat": pulumi.String(statistic), "label": pulumi.String(label)})
}
