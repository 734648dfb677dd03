"""Tests of rollout.py against a group that behaves as AWS documents. Run by TestRolloutFunction; needs Python only."""

import datetime
import unittest

from rollout import Rollout, RolloutFailed

TEMPLATE = "lt-1"


def mixed(version):
    template = {"LaunchTemplateId": TEMPLATE, "Version": version}
    types = [{"InstanceType": "t3.small"}, {"InstanceType": "t3a.small"}]
    return {"MixedInstancesPolicy": {"LaunchTemplate": {"LaunchTemplateSpecification": template, "Overrides": types}}}


class Cloud:
    """Auto Scaling and Elastic Load Balancing, as far as the function talks to them. Time passes by sleep."""

    def __init__(self, running="1", servers=2):
        self.version = running
        self.servers = [self.server(n, running) for n in range(servers)]
        self.healthy = {s["InstanceId"] for s in self.servers}
        self.refreshes, self.started, self.now = [], [], 0
        self.ending = "Successful"  # how the next refresh ends
        self.duration = 300  # seconds
        self.later = []  # (when, what)
        self.loud = []  # names of alarms
        self.one_type = False  # as groups of before have it
        self.activities, self.logged = [], []
        self.rolled_back = False

    @staticmethod
    def server(n, version):
        return {
            "InstanceId": f"i-{version}-{n}",
            "LifecycleState": "InService",
            "LaunchTemplate": {"LaunchTemplateId": TEMPLATE, "Version": version},
        }

    def sleep(self, seconds):
        self.now += seconds
        for when, what in [due for due in self.later if due[0] <= self.now]:
            self.later.remove((when, what))
            what()

    def moment(self):
        return datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC) + datetime.timedelta(seconds=self.now)

    def launch(self, status, message="", description="Launching a new EC2 instance: i-2-0"):
        self.activities.insert(
            0, {"StatusCode": status, "Description": description, "StatusMessage": message, "StartTime": self.moment()}
        )

    # what the function calls

    def describe_scaling_activities(self, AutoScalingGroupName):
        return {"Activities": self.activities}

    def filter_log_events(self, logGroupName, startTime, filterPattern, limit):
        assert (logGroupName, filterPattern, limit) == ("app-log", '"does not lead"', 1)
        if not self.logged:
            raise ValueError("no right to read it")
        return {"events": [{"message": m} for m in self.logged]}

    def rollback_instance_refresh(self, AutoScalingGroupName):
        self.rolled_back = True
        self.refreshes[0]["Status"] = "RollbackInProgress"

    def describe_instance_refreshes(self, AutoScalingGroupName):
        return {"InstanceRefreshes": self.refreshes}

    def describe_auto_scaling_groups(self, AutoScalingGroupNames):
        return {"AutoScalingGroups": [{"Instances": self.servers, "MinSize": 2} | self.configuration(self.version)]}

    def configuration(self, version):
        if self.one_type:
            return {"LaunchTemplate": {"LaunchTemplateId": TEMPLATE, "Version": version}}
        return mixed(version)

    def describe_target_health(self, TargetGroupArn):
        states = [(s["InstanceId"], "healthy" if s["InstanceId"] in self.healthy else "unhealthy") for s in self.servers]
        return {"TargetHealthDescriptions": [{"Target": {"Id": i}, "TargetHealth": {"State": s}} for i, s in states]}

    def describe_alarms(self, AlarmNames, AlarmTypes):
        return {"MetricAlarms": [{"AlarmName": n, "StateValue": "ALARM" if n in self.loud else "OK"} for n in AlarmNames]}

    def start_instance_refresh(self, **request):
        self.started.append(request)
        for version in ("2", "9"):
            if request["DesiredConfiguration"] == self.configuration(version):
                return {"InstanceRefreshId": self.begin(version)}
        raise ValueError(f"{request['DesiredConfiguration']} is nothing that the group can be brought to")

    def begin(self, version):
        refresh = {
            "InstanceRefreshId": f"refresh-{len(self.refreshes) + 1}",
            "Status": "InProgress",
            "StartTime": self.moment(),
            "PercentageComplete": 0,
            "DesiredConfiguration": self.configuration(version),
        }
        self.refreshes.insert(0, refresh)
        self.later.append((self.now + self.duration, lambda: self.end(refresh, version)))
        return refresh["InstanceRefreshId"]

    def end(self, refresh, version):
        refresh["Status"] = self.ending
        if self.ending == "Successful":
            self.version = version
            self.servers = [self.server(n, version) for n in range(len(self.servers))]
            self.healthy = {s["InstanceId"] for s in self.servers}
        else:
            refresh["StatusReason"] = "an alarm"


class Cache:
    def __init__(self):
        self.asked = []

    def create_invalidation(self, **request):
        self.asked.append(request)


def rollout(cloud, cache=None, version="2", seconds=880, **cached):
    event = {
        "group": "app", "template": TEMPLATE, "version": int(version), "targetGroup": "arn",
        "alarms": ["app-unhealthy"], "warmupSeconds": 180, "logGroup": "app-log",
    } | cached
    begin = cloud.now
    return Rollout(event, cloud, cloud, cloud, cloud, lambda: seconds - (cloud.now - begin), cloud.sleep, cache)


class RolloutTest(unittest.TestCase):
    def test_nothing_to_do(self):
        cloud = Cloud(running="2")
        self.assertEqual(rollout(cloud).run()["version"], "2")
        self.assertEqual(cloud.started, [])

    def test_success(self):
        cloud = Cloud()
        rollout(cloud).run()
        self.assertEqual(len(cloud.started), 1)
        preferences = cloud.started[0]["Preferences"]
        self.assertTrue(preferences["AutoRollback"])
        self.assertEqual(preferences["MinHealthyPercentage"], 100)
        self.assertEqual(preferences["AlarmSpecification"], {"Alarms": ["app-unhealthy"]})
        self.assertEqual(cloud.version, "2")

    def test_a_group_of_one_type(self):
        cloud = Cloud()
        cloud.one_type = True
        rollout(cloud).run()
        self.assertEqual(cloud.version, "2")

    def test_repairs_what_an_alarm_is_about(self):
        cloud = Cloud()
        cloud.loud = ["app-unhealthy"]
        rollout(cloud).run()
        self.assertNotIn("AlarmSpecification", cloud.started[0]["Preferences"], "AWS takes no empty one")
        self.assertEqual(cloud.version, "2")

    def test_waits_until_servers_can_answer(self):
        cloud = Cloud(running="2")
        cloud.healthy = set()
        cloud.later.append((100, lambda: cloud.healthy.update(s["InstanceId"] for s in cloud.servers)))
        rollout(cloud).run()
        self.assertGreaterEqual(cloud.now, 100)

    def test_never_green_without_healthy_servers(self):
        cloud = Cloud(running="2")
        cloud.healthy = {cloud.servers[0]["InstanceId"]}
        with self.assertRaisesRegex(RolloutFailed, "1 servers cannot answer yet.*pulumi up"):
            rollout(cloud).run()

    def test_never_green_with_too_few_servers(self):
        cloud = Cloud(running="2", servers=1)
        with self.assertRaisesRegex(RolloutFailed, "cannot answer yet"):
            rollout(cloud).run()

    def test_every_other_end_is_a_failure(self):
        for ending in ("Failed", "Cancelled", "Cancelling", "RollbackInProgress", "RollbackSuccessful", "RollbackFailed"):
            with self.subTest(ending):
                cloud = Cloud()
                cloud.ending = ending
                with self.assertRaisesRegex(RolloutFailed, f"was not rolled out.*{ending}.*an alarm"):
                    rollout(cloud).run()

    def test_a_server_that_is_given_up_ends_it(self):
        cloud = Cloud()
        cloud.launch("Cancelled", "of a time before")
        cloud.now += 60
        cloud.later.append((100, lambda: cloud.launch("Cancelled", "the hook was abandoned")))
        cloud.logged = ['{"msg": "rehearsal failed, so it does not lead", "error": "the JVM has ended by itself"}']
        with self.assertRaisesRegex(RolloutFailed, "i-2-0: the hook was abandoned: the JVM has ended by itself"):
            rollout(cloud).run()
        self.assertTrue(cloud.rolled_back)
        self.assertLess(cloud.now, 130)

    def test_other_launches_do_not_end_it(self):
        cloud = Cloud()
        for status in ("Failed", "Successful", "InProgress"):
            cloud.later.append((100, lambda status=status: cloud.launch(status, "no capacity")))
        cloud.later.append((100, lambda: cloud.launch("Cancelled", "", "Terminating EC2 instance: i-1-0")))
        rollout(cloud).run()
        self.assertFalse(cloud.rolled_back)

    def test_a_new_server_that_cannot_answer_ends_it(self):
        cloud = Cloud()
        cloud.later.append((50, lambda: cloud.servers.append(cloud.server(7, "2"))))
        with self.assertRaisesRegex(RolloutFailed, "server i-2-7 has not answered for 60 s"):
            rollout(cloud).run()
        self.assertTrue(cloud.rolled_back)

    def test_servers_that_cannot_answer_for_a_moment_do_not_end_it(self):
        cloud = Cloud()
        cloud.later.append((50, lambda: cloud.servers.append(cloud.server(7, "2"))))
        cloud.later.append((100, lambda: cloud.healthy.add("i-2-7")))
        rollout(cloud).run()
        self.assertFalse(cloud.rolled_back)

    def test_an_outage_of_all_servers_is_not_the_versions_fault(self):
        cloud = Cloud()
        cloud.later.append((50, lambda: cloud.servers.append(cloud.server(7, "2"))))
        cloud.later.append((50, cloud.healthy.clear))
        rollout(cloud).run()
        self.assertFalse(cloud.rolled_back)

    def test_out_of_time_says_how_to_go_on_and_the_next_call_does(self):
        cloud = Cloud()
        cloud.duration = 1200
        with self.assertRaisesRegex(RolloutFailed, "run `pulumi up` again"):
            rollout(cloud).run()
        rollout(cloud).run()
        self.assertEqual(len(cloud.started), 1, "it waits for the refresh that runs")

    def test_the_cdn_forgets_what_old_servers_answered_and_not_before(self):
        cloud, cache = Cloud(), Cache()
        cached = {"distribution": "E1", "paths": ["/styles/*", "/images/*"]}
        cloud.ending = "RollbackSuccessful"
        with self.assertRaises(RolloutFailed):
            rollout(cloud, cache, **cached).run()
        self.assertEqual(cache.asked, [])
        cloud.ending = "Successful"
        rollout(cloud, cache, **cached).run()
        rollout(cloud, cache, **cached).run()
        self.assertEqual([a["DistributionId"] for a in cache.asked], ["E1", "E1"])
        self.assertEqual(cache.asked[0]["InvalidationBatch"]["Paths"], {"Quantity": 2, "Items": ["/styles/*", "/images/*"]})
        references = {a["InvalidationBatch"]["CallerReference"] for a in cache.asked}
        self.assertEqual(len(references), 1, "CloudFront takes the second for the first")

    def test_tries_again_after_a_rollback(self):
        cloud = Cloud()
        cloud.ending = "RollbackSuccessful"
        with self.assertRaises(RolloutFailed):
            rollout(cloud).run()
        cloud.ending = "Successful"
        rollout(cloud).run()
        self.assertEqual(len(cloud.started), 2)

    def test_waits_for_somebody_elses_refresh(self):
        cloud = Cloud()
        cloud.duration = 120
        cloud.begin("9")
        rollout(cloud).run()
        self.assertEqual(cloud.version, "2")

    def test_servers_on_their_way_out_do_not_count(self):
        cloud = Cloud(running="2")
        cloud.servers.append(cloud.server(9, "1") | {"LifecycleState": "Terminating:Wait"})
        rollout(cloud).run()
        self.assertEqual(cloud.started, [])

    def test_a_server_that_stays_behind_is_a_failure(self):
        cloud = Cloud()
        rolling = rollout(cloud)
        original = cloud.end

        def end(refresh, version):
            original(refresh, version)
            cloud.servers[0] = cloud.server(9, "1")

        cloud.end = end
        with self.assertRaisesRegex(RolloutFailed, "i-1-9"):
            rolling.run()


if __name__ == "__main__":
    unittest.main()
