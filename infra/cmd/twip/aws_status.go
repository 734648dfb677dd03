package main

import (
	"context"
	"strings"
	"time"

	"twip/infra/ops"
)

// Status lists the environment's instances by their tags. What runs inside them is not visible from outside, but their
// journals are in CloudWatch Logs.
func (a *aws) Status(ctx context.Context) ([]ops.Machine, error) {
	region, err := a.output(ctx, "pulumi", "config", "get", "aws:region", "--stack", a.stack)
	if err != nil {
		return nil, err
	}
	in := []string{"--region", strings.TrimSpace(string(region))}
	outputs, err := a.Outputs(ctx)
	if err != nil {
		return nil, err
	}
	const query = "sort_by(Reservations[].Instances[], &InstanceId)[]." +
		"[InstanceId, State.Name, Placement.AvailabilityZone, InstanceType, " +
		"Tags[?Key=='aws:autoscaling:groupName']|[0].Value]"
	var found [][5]string
	if err := a.ask(ctx, &found, append([]string{"ec2", "describe-instances",
		"--filters", "Name=tag:Project,Values=twip", "Name=tag:Stack,Values=" + a.stack,
		"Name=instance-state-name,Values=pending,running,stopping,stopped", "--query", query}, in...)...); err != nil {
		return nil, err
	}
	var machines []ops.Machine
	for _, m := range found {
		machine := ops.Machine{ID: m[0], State: m[1], Memory: m[2] + " " + m[3]}
		if group := journal(outputs, m[4]); group != "" {
			machine.Journal = strings.Join(append([]string{"aws logs tail", group, "--since 1h"}, in...), " ")
		}
		if machine.State == "running" && strings.HasPrefix(m[3], "t") {
			if machine.Credits, err = a.credits(ctx, machine.ID, in); err != nil {
				return nil, err
			}
		}
		machines = append(machines, machine)
	}
	return machines, nil
}

// journal is the log group that the machines of an autoscaling group write to, or the one machine without a group.
func journal(outputs map[string]any, group string) string {
	journals, _ := outputs["journals"].(map[string]any)
	groups, _ := outputs["groups"].(map[string]any)
	tier := "host"
	for name, g := range groups {
		if g == group {
			tier = name
		}
	}
	name, _ := journals[tier].(string)
	return name
}

// credits are what a machine of a burstable type has left; nil in its first minutes, when nothing is measured yet.
func (a *aws) credits(ctx context.Context, instance string, in []string) (*float64, error) {
	now := time.Now().UTC()
	var left []float64
	err := a.ask(ctx, &left, append([]string{"cloudwatch", "get-metric-statistics", "--namespace", "AWS/EC2",
		"--metric-name", "CPUCreditBalance", "--dimensions", "Name=InstanceId,Value=" + instance,
		"--start-time", now.Add(-15 * time.Minute).Format(time.RFC3339), "--end-time", now.Format(time.RFC3339),
		"--period", "300", "--statistics", "Minimum", "--query", "sort_by(Datapoints, &Timestamp)[].Minimum"}, in...)...)
	if err != nil || len(left) == 0 {
		return nil, err
	}
	return &left[len(left)-1], nil
}
