"""Brings a launch template version to the servers of a group, and fails when it did not get there.

instance_refresh.go says why. The function may be called again at any time with the same request: it goes on waiting for a refresh
that runs, starts one when servers are not at the version, and is done at once when all of them are and can answer.
"""

import json
import time

POLL_SECONDS = 10
SICK_SECONDS = 60  # a new server that cannot answer for so long, while another can, is the version's fault
ANSWER_SECONDS = 20  # kept back, to say what happened before the function's time is over

ACTIVE = {"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"}
FORWARD = {"Pending", "InProgress", "Baking"}


class RolloutFailed(Exception):
    """Makes `pulumi up` fail with its message."""


def handler(event, context):
    import boto3  # part of Lambda's runtime; tests bring clients of their own

    rollout = Rollout(
        event,
        autoscaling=boto3.client("autoscaling"),
        balancing=boto3.client("elbv2"),
        watching=boto3.client("cloudwatch"),
        logs=boto3.client("logs"),
        caching=boto3.client("cloudfront") if "distribution" in event else None,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS,
        sleep=time.sleep,
    )
    return rollout.run()


class Rollout:
    def __init__(self, event, autoscaling, balancing, watching, logs, seconds_left, sleep, caching=None):
        self.group = event["group"]
        self.template = event["template"]
        self.version = str(event["version"])
        self.target_group = event["targetGroup"]
        self.alarms = event["alarms"]
        self.log_group = event["logGroup"]
        self.warmup_seconds = event["warmupSeconds"]
        self.autoscaling, self.balancing, self.watching, self.logs = autoscaling, balancing, watching, logs
        self.caching, self.distribution, self.paths = caching, event.get("distribution"), event.get("paths")
        self.seconds_left, self.sleep = seconds_left, sleep
        self.ours = None  # id of the refresh that this call started or found on its way to the version
        self.sick = {}  # for how many seconds new servers could not answer

    def run(self):
        state = ""
        while self.seconds_left() > 0:
            done, news = self.step()
            if news != state:
                print(f"{self.group}: {news}")
                state = news
            if done:
                self.forget()
                return {"group": self.group, "version": self.version, "state": state}
            self.sleep(POLL_SECONDS)
        raise RolloutFailed(
            f"group {self.group}: version {self.version} is not everywhere yet: {state}. "
            "The time of one call is over, the rollout is not: run `pulumi up` again to go on waiting for it"
        )

    def step(self):
        """Looks once and does what is due. Returns whether all is well, and how it stands."""
        refreshes = self.autoscaling.describe_instance_refreshes(AutoScalingGroupName=self.group)["InstanceRefreshes"]
        if self.ours:
            refresh = next(r for r in refreshes if r["InstanceRefreshId"] == self.ours)
            if refresh["Status"] in FORWARD:
                self.judge(refresh)
                return False, progress(refresh)
            if refresh["Status"] != "Successful":
                raise RolloutFailed(self.failure(refresh))
        elif refreshes and refreshes[0]["Status"] in ACTIVE:  # the newest comes first
            if refreshes[0]["Status"] in FORWARD and self.leads_here(refreshes[0]):
                self.ours = refreshes[0]["InstanceRefreshId"]
            return False, "waiting for what is going on: " + progress(refreshes[0])

        group = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])["AutoScalingGroups"][0]
        servers = [i for i in group["Instances"] if not i["LifecycleState"].startswith("Terminat")]
        old = [i["InstanceId"] for i in servers if not self.is_current(i)]
        if old or not self.is_current(group):
            if self.ours:
                raise RolloutFailed(f"group {self.group}: the refresh to version {self.version} ended, but {old or 'the group'} has another")
            self.ours = self.start(group)
            return False, f"refresh {self.ours} to version {self.version} started"
        missing = max(group["MinSize"] - len(servers), 0) + len(self.unhealthy([i["InstanceId"] for i in servers]))
        if missing:
            return False, f"version {self.version} is everywhere, {missing} servers cannot answer yet"
        return True, f"version {self.version} is on {len(servers)} servers, and all can answer"

    def forget(self):
        """Has the CDN ask the new servers for what the old ones answered. CloudFront takes the same reference once: a call
        that is repeated asks for nothing."""
        if self.caching:
            self.caching.create_invalidation(
                DistributionId=self.distribution,
                InvalidationBatch={
                    "Paths": {"Quantity": len(self.paths), "Items": self.paths},
                    "CallerReference": f"{self.template}-{self.version}",
                },
            )

    def start(self, group):
        alarms = self.quiet_alarms()
        return self.autoscaling.start_instance_refresh(
            AutoScalingGroupName=self.group,
            Strategy="Rolling",
            DesiredConfiguration=self.desired(group),
            Preferences={
                # All new servers first, then the old ones go: the group is never smaller than it was.
                "MinHealthyPercentage": 100,
                "MaxHealthyPercentage": 200,
                "InstanceWarmup": self.warmup_seconds,
                "SkipMatching": True,
                "AutoRollback": True,
            }
            | ({"AlarmSpecification": {"Alarms": alarms}} if alarms else {}),
        )["InstanceRefreshId"]

    def judge(self, refresh):
        """Goes back as soon as new servers show that the version does not do. AWS would go on trying for an hour, and an
        alarm says nothing on a site without visitors."""
        activities = self.autoscaling.describe_scaling_activities(AutoScalingGroupName=self.group)["Activities"]
        for activity in activities:
            given_up = activity["StatusCode"] == "Cancelled" and activity["Description"].startswith("Launching")
            if given_up and activity["StartTime"] >= refresh["StartTime"]:
                self.roll_back(f"{activity['Description']}: {activity.get('StatusMessage', 'it was given up')}", refresh)
        group = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])["AutoScalingGroups"][0]
        serving = [i for i in group["Instances"] if i["LifecycleState"] == "InService"]
        failing = self.unhealthy([i["InstanceId"] for i in serving])
        new = [i["InstanceId"] for i in serving if self.is_current(i) and i["InstanceId"] in failing]
        self.sick = {i: self.sick.get(i, 0) + POLL_SECONDS for i in new}
        worst = max(self.sick, key=self.sick.get, default=None)
        if worst and self.sick[worst] > SICK_SECONDS and len(failing) < len(serving):
            self.roll_back(f"server {worst} has not answered for {SICK_SECONDS} s", refresh)

    def roll_back(self, why, refresh):
        self.autoscaling.rollback_instance_refresh(AutoScalingGroupName=self.group)
        raise RolloutFailed(
            f"group {self.group}: version {self.version} was not rolled out: {why}{self.said(refresh)}. "
            "The servers of before go on serving. Take that version back, or mend it, and run `pulumi up` again"
        )

    def said(self, refresh):
        """What a new server's keeper said of its rehearsal, if it did."""
        try:
            events = self.logs.filter_log_events(
                logGroupName=self.log_group,
                startTime=int(refresh["StartTime"].timestamp() * 1000),
                filterPattern='"does not lead"',
                limit=1,
            )["events"]
            return ": " + json.loads(events[0]["message"])["error"] if events else ""
        except Exception as problem:  # the reason for going back is known without it
            print(f"{self.group}: its log cannot be read: {problem}")
            return ""

    def quiet_alarms(self):
        """Those that can still tell something: what is in alarm already may be what this rollout repairs."""
        found = self.watching.describe_alarms(AlarmNames=self.alarms, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        loud = {a["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for a in found.get(kind, []) if a["StateValue"] == "ALARM"}
        if loud:
            print(f"{self.group}: in alarm before the rollout, so they cannot stop it: {sorted(loud)}")
        return [name for name in self.alarms if name not in loud]

    def desired(self, group):
        """The group's types of machines stay as they are; AWS wants them named beside the template."""
        template = {"LaunchTemplateId": self.template, "Version": self.version}
        if "MixedInstancesPolicy" not in group:
            return {"LaunchTemplate": template}
        policy = group["MixedInstancesPolicy"]
        return {"MixedInstancesPolicy": policy | {"LaunchTemplate": policy["LaunchTemplate"] | {"LaunchTemplateSpecification": template}}}

    def leads_here(self, refresh):
        return self.is_current(refresh.get("DesiredConfiguration", {}))

    def is_current(self, thing):
        """Of an instance, a group, or what a refresh leads to."""
        mixed = thing.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification", {})
        template = thing.get("LaunchTemplate", mixed)
        return template.get("LaunchTemplateId") == self.template and template.get("Version") == self.version

    def unhealthy(self, servers):
        health = self.balancing.describe_target_health(TargetGroupArn=self.target_group)["TargetHealthDescriptions"]
        healthy = {t["Target"]["Id"] for t in health if t["TargetHealth"]["State"] == "healthy"}
        return [s for s in servers if s not in healthy]

    def failure(self, refresh):
        return (
            f"group {self.group}: version {self.version} was not rolled out: {progress(refresh)}{self.said(refresh)}. "
            "AWS goes back to the version before, by itself. The new servers' logs say what was wrong "
            "(saved query 'errors'); change that, or what the alarm is about, and run `pulumi up` again"
        )


def progress(refresh):
    percentage = refresh.get("PercentageComplete", 0)
    reason = refresh.get("StatusReason", "")
    return f"refresh {refresh['InstanceRefreshId']} is {refresh['Status']}, {percentage} %" + (f": {reason}" if reason else "")
