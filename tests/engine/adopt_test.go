package engine_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"twip/infra/local/engine"
)

// changes are what today's program does to environments of commit 18e77df, as told writes it, each for a reason. What an
// environment of today has besides is not among them: it would have changes of its own.
var changes = map[string]string{
	"create aws:backup/restoreTestingPlan:RestoreTestingPlan twip-prod-store":                        "backups are restored by way of trial",
	"create aws:backup/restoreTestingSelection:RestoreTestingSelection twip-prod-store":              "backups are restored by way of trial",
	"create aws:cloudwatch/metricAlarm:MetricAlarm twip-prod-watch-no-backup":                        "a backup that does not happen is noticed",
	"create aws:dlm/lifecyclePolicy:LifecyclePolicy twip-train-store":                                "train has nightly snapshots",
	"create aws:iam/role:Role twip-train-store-snapshots":                                            "train has nightly snapshots",
	"create aws:iam/rolePolicy:RolePolicy twip-train-store-snapshots":                                "train has nightly snapshots",
	"update aws:cloudwatch/dashboard:Dashboard .dashboardBody":                                       "it shows the new alarm",
	"update aws:cloudwatch/metricAlarm:MetricAlarm .evaluateLowSampleCountPercentiles":               "percentiles over a handful of requests say nothing",
	"update aws:wafv2/webAcl:WebAcl .visibilityConfig":                                               "All is a reserved metric name",
	"update aws:wafv2/webAcl:WebAcl .rules[1]":                                                       "expressions are the guard's business, long posts pass",
	"update aws:wafv2/webAcl:WebAcl .rules[3]":                                                       "rules that refuse long posts count only",
	"update aws:autoscaling/group:Group .maxInstanceLifetime":                                        "machines do not get older than a month",
	"update aws:ec2/vpc:Vpc .assignGeneratedIpv6CidrBlock":                                           "readers come by IPv6 as well",
	"update aws:ec2/subnet:Subnet .ipv6CidrBlock":                                                    "readers come by IPv6 as well",
	"create aws:ec2/route:Route twip-prod-network-public-ipv6":                                       "readers come by IPv6 as well",
	"update aws:lb/loadBalancer:LoadBalancer .ipAddressType":                                         "readers come by IPv6 as well",
	"create aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule twip-prod-edge-in-site-ipv6-0": "readers come by IPv6 as well",
	"update aws:wafv2/webAcl:WebAcl .rules[0]":                                                       "files are not counted, a page is one request",
	"update aws:lb/loadBalancer:LoadBalancer .enableZonalShift":                                      "a zone that fails can be taken out",
	"update aws:iam/role:Role .assumeRolePolicy":                                                     "services act on this account's behalf only",
	"update aws:autoscaling/group:Group .launchTemplate":                                             "machines may be of several types",
	"update aws:autoscaling/group:Group .mixedInstancesPolicy":                                       "machines may be of several types",
	"update aws:autoscaling/group:Group .terminationPolicies":                                        "the leader is mostly spared",
	"update aws:autoscaling/policy:Policy .targetTrackingConfiguration":                              "standbys idle, so the app group follows requests",
	"create aws:cloudwatch/metricAlarm:MetricAlarm twip-prod-app-group-credits":                      "work on credit is billed",
	"create aws:cloudwatch/metricAlarm:MetricAlarm twip-prod-static-group-credits":                   "work on credit is billed",
	"create aws:autoscaling/lifecycleHook:LifecycleHook twip-prod-static-group":                      "new machines say that they can serve",
	"create aws:autoscaling/lifecycleHook:LifecycleHook twip-prod-app-group":                         "new machines say that they can serve",
	"create aws:iam/rolePolicy:RolePolicy twip-prod-static-group-launch":                             "new machines say that they can serve",
	"create aws:iam/rolePolicy:RolePolicy twip-prod-app-group-launch":                                "new machines say that they can serve",
	"update aws:ec2/launchTemplate:LaunchTemplate .metadataOptions":                                  "new machines say that they can serve",
	"update aws:iam/rolePolicy:RolePolicy .policy":                                                   "the rollout function goes back, and says why",
	"update aws:s3/bucketPolicy:BucketPolicy .policy":                                                "load balancers of other accounts do not log here",
	"create aws:cloudwatch/logGroup:LogGroup twip-prod-app-group":                                    "machines send their journal",
	"create aws:cloudwatch/logGroup:LogGroup twip-prod-edge-refused":                                 "whom the web ACL refused is written down",
	"create aws:cloudwatch/logGroup:LogGroup twip-prod-static-group":                                 "machines send their journal",
	"create aws:cloudwatch/logGroup:LogGroup twip-train-host":                                        "machines send their journal",
	"create aws:cloudwatch/logMetricFilter:LogMetricFilter twip-prod-watch-attackseconds":            "posts refused as attacks are seen",
	"create aws:cloudwatch/logMetricFilter:LogMetricFilter twip-prod-watch-snapshotsfailed":          "a snapshot that fails is noticed",
	"create aws:cloudwatch/logResourcePolicy:LogResourcePolicy twip-prod-edge-refused":               "whom the web ACL refused is written down",
	"create aws:cloudwatch/metricAlarm:MetricAlarm twip-prod-app-group-disk":                         "machines say how full they are",
	"create aws:cloudwatch/metricAlarm:MetricAlarm twip-prod-app-group-memory":                       "machines say how full they are",
	"create aws:cloudwatch/metricAlarm:MetricAlarm twip-prod-static-group-disk":                      "machines say how full they are",
	"create aws:cloudwatch/metricAlarm:MetricAlarm twip-prod-static-group-memory":                    "machines say how full they are",
	"create aws:cloudwatch/metricAlarm:MetricAlarm twip-prod-watch-attacks":                          "posts refused as attacks are seen",
	"create aws:cloudwatch/metricAlarm:MetricAlarm twip-prod-watch-snapshots":                        "a snapshot that fails is noticed",
	"create aws:cloudwatch/queryDefinition:QueryDefinition twip-prod-edge-refused":                   "whom the web ACL refused is written down",
	"create aws:cloudwatch/queryDefinition:QueryDefinition twip-prod-watch-attacks":                  "posts refused as attacks are seen",
	"create aws:cloudwatch/queryDefinition:QueryDefinition twip-prod-watch-machines":                 "machines send their journal",
	"create aws:sns/topic:Topic twip-prod-alerts-morning":                                            "what can wait until the morning wakes nobody",
	"create aws:sns/topicPolicy:TopicPolicy twip-prod-alerts-morning":                                "what can wait until the morning wakes nobody",
	"create aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration twip-prod-edge-refused":  "whom the web ACL refused is written down",
	"create twip:stacks:Protection twip-prod-protection":                                             "a destroy is refused before it deletes anything",
	"create twip:stacks:Protection twip-train-protection":                                            "a destroy is refused before it deletes anything",
	"delete aws:cloudwatch/logMetricFilter:LogMetricFilter twip-prod-watch-refused":                  "keepers report their metrics themselves",
	"delete aws:cloudwatch/logMetricFilter:LogMetricFilter twip-prod-watch-takeovers":                "keepers report their metrics themselves",
	"update aws:cloudwatch/metricAlarm:MetricAlarm .alarmActions[0]":                                 "what can wait until the morning wakes nobody",
	"update aws:cloudwatch/metricAlarm:MetricAlarm .alarmDescription":                                "one takeover refuses some answers and wakes nobody",
	"update aws:cloudwatch/metricAlarm:MetricAlarm .datapointsToAlarm":                               "one takeover refuses some answers and wakes nobody",
	"update aws:cloudwatch/metricAlarm:MetricAlarm .dimensions":                                      "keepers report their metrics themselves",
	"update aws:cloudwatch/metricAlarm:MetricAlarm .evaluationPeriods":                               "one takeover refuses some answers and wakes nobody",
	"update aws:cloudwatch/metricAlarm:MetricAlarm .namespace":                                       "keepers report their metrics themselves",
	"update aws:cloudwatch/metricAlarm:MetricAlarm .okActions[0]":                                    "what can wait until the morning wakes nobody",
	"update aws:cloudwatch/metricAlarm:MetricAlarm .treatMissingData":                                "a group that is not measured yet is no alarm",
}

// content are the changes that follow whatever is in images, user data and the rollout function: a new image, and the
// machine or the launch template that names it. The volume is attached to the new machine, and the address leads there.
var content = []string{
	"update docker:index/image:Image .imageName",
	"update aws:ec2/launchTemplate:LaunchTemplate .userData",
	"update aws:lambda/function:Function .code",
	"replace aws:ec2/instance:Instance .userData", "replace aws:ec2/instance:Instance twip-train-host",
	"replace aws:ec2/volumeAttachment:VolumeAttachment twip-train-host",
	"replace aws:ec2/eipAssociation:EipAssociation twip-train-host",
	"replace aws:lambda/invocation:Invocation .input", "replace aws:lambda/invocation:Invocation twip-prod-app-group",
	"replace aws:lambda/invocation:Invocation twip-prod-static-group",
}

// told writes a step as the lists above do: with each property that differs, up to its first dot, or with the resource's
// name when none is told. A preview tells a replacement in up to three steps; here they are one kind.
func told(s engine.Step) (lines []string) {
	op := strings.NewReplacer("create-replacement", "replace", "delete-replaced", "replace").Replace(s.Op)
	for _, path := range s.Changed {
		property, _, _ := strings.Cut(path, ".")
		lines = append(lines, fmt.Sprintf("%s %s .%s", op, s.Type, property))
	}
	if lines == nil {
		lines = []string{fmt.Sprintf("%s %s %s", op, s.Type, s.Name)}
	}
	return lines
}

// Environments that earlier versions of the program made are adopted: nothing that lasts is replaced or deleted, and what
// else changes has a reason that stands here. A fixture is the state of a stack and of the local cloud, as the program of a
// commit left them after `up`: testdata/<commit>/<stack>.tar.gz.
func TestStatesOfEarlierProgramsAreAdopted(t *testing.T) {
	met := map[string]bool{}
	for stack, start := range map[string]func(*testing.T) *run{"train": train, "prod": prod} {
		r := start(t)
		unpack(t, filepath.Join("testdata", "18e77df", stack+".tar.gz"), r.state)
		summary, err := r.preview()
		require.NoError(t, err, stack)
		require.Empty(t, losses(summary), stack)
		for _, step := range summary.Steps {
			for _, line := range told(step) {
				met[line] = true
				assert.True(t, changes[line] != "" || slices.Contains(content, line),
					"%s of %s: nothing says why; undo it, or give the reason in changes", line, step.Name)
			}
		}
		require.NotZero(t, summary.Changes["same"], "%s: the fixture was not found", stack)
	}
	for line := range changes {
		assert.True(t, met[line], "%s: no stack has this change any more: take it out of changes", line)
	}
}

// unpack lays a fixture where an engine looks for its state.
func unpack(t *testing.T, archive, into string) {
	t.Helper()
	file, err := os.Open(archive)
	require.NoError(t, err)
	defer file.Close()
	plain, err := gzip.NewReader(file)
	require.NoError(t, err)
	for entries := tar.NewReader(plain); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		path := filepath.Join(into, entry.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		content, err := io.ReadAll(entries)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, content, 0o600))
	}
}
