package engine_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// changes are what today's program does to environments of commit 18e77df, by operation and type, each for a reason. What
// an environment of today has besides is not among them: it would have changes of its own.
var changes = map[string]string{
	"create aws:backup/restoreTestingPlan:RestoreTestingPlan":           "backups are restored by way of trial",
	"create aws:backup/restoreTestingSelection:RestoreTestingSelection": "backups are restored by way of trial",
	"create aws:cloudwatch/metricAlarm:MetricAlarm":                     "a backup that does not happen is noticed",
	"create aws:dlm/lifecyclePolicy:LifecyclePolicy":                    "train has nightly snapshots",
	"create aws:iam/role:Role":                                          "train has nightly snapshots",
	"create aws:iam/rolePolicy:RolePolicy":                              "train has nightly snapshots",
	"update aws:cloudwatch/dashboard:Dashboard":                         "it shows the new alarm",
	"update aws:cloudwatch/metricAlarm:MetricAlarm":                     "percentiles over a handful of requests say nothing",
	"update aws:wafv2/webAcl:WebAcl":                                    "All is a reserved metric name",
	"update aws:autoscaling/group:Group":                                "machines do not get older than a month",
}

// content are the changes that follow whatever is in images and user data: a new image, and the machine or the launch
// template that names it. The volume is attached to the new machine, and the address leads there.
var content = []string{
	"update docker:index/image:Image", "replace docker:index/image:Image", "update aws:ec2/launchTemplate:LaunchTemplate",
	"replace aws:ec2/instance:Instance", "replace aws:ec2/volumeAttachment:VolumeAttachment",
	"replace aws:ec2/eipAssociation:EipAssociation", "replace aws:lambda/invocation:Invocation",
}

// Environments that earlier versions of the program made are adopted: nothing that lasts is replaced or deleted, and what
// else changes has a reason that stands here. A fixture is the state of a stack and of the local cloud, as the program of a
// commit left them after `up`: testdata/<commit>/<stack>.tar.gz.
func TestStatesOfEarlierProgramsAreAdopted(t *testing.T) {
	for stack, start := range map[string]func(*testing.T) *run{"train": train, "prod": prod} {
		t.Run(stack, func(t *testing.T) {
			r := start(t)
			unpack(t, filepath.Join("testdata", "18e77df", stack+".tar.gz"), r.state)
			summary, err := r.preview()
			require.NoError(t, err)
			require.Empty(t, losses(summary))
			for _, step := range summary.Steps {
				what := step.Op + " " + step.Type
				// A preview tells a replacement in up to three steps.
				whole := strings.NewReplacer("create-replacement", "replace", "delete-replaced", "replace").Replace(what)
				_, known := changes[what]
				require.True(t, known || slices.Contains(content, whole), "%s %s: nothing says why", what, step.Name)
			}
			require.NotZero(t, summary.Changes["same"], "the fixture was not found")
		})
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
