package guardrails

var watchRules = []*Rule{
	{
		ID: "CloudWatch.15", Title: "every alarm does something: it tells people, or is part of one that does, or " +
			"rolls back",
		Source: securityHub("CloudWatch.15"), Types: []string{metricAlarm, joinedAlarm},
		whole: acts,
	},
	{
		ID: "CloudWatch.16", Title: "log groups keep what they have for a time that somebody chose",
		Source: securityHub("CloudWatch.16"), Types: []string{logGroup},
		check: number("retentionInDays", 1, 3653),
	},
	{
		ID: "CloudWatch.17", Title: "no alarm is switched off",
		Source: securityHub("CloudWatch.17"), Types: []string{metricAlarm, joinedAlarm},
		check: isNot("actionsEnabled", "false", "leave it out"),
	},
	{
		ID: "TWIP-LOG-1", Title: "functions log to a group of ours: one that Lambda makes keeps everything for good",
		Source: "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html", Types: []string{function},
		check: some("loggingConfig.logGroup", "name a log group"),
	},
	{
		ID: "TWIP-ALARM-1", Title: "alarms say what they mean and what to do",
		Source: ownDesign, Types: []string{metricAlarm, joinedAlarm},
		check: some("alarmDescription", "write it for someone who was asleep"),
	},
}

// acts looks for an alarm's own actions, for an alarm that it is part of, and for a rollout that it stops.
func acts(r *Resource, g *Graph) []finding {
	actions := r.at("alarmActions")
	if actions.state == unknown || actions.size() > 0 || len(g.users(r, joinedAlarm)) > 0 ||
		len(g.users(r, "aws:lambda/invocation:Invocation")) > 0 {
		return nil
	}
	return []finding{{actions, "name the topic of Alerts"}}
}
