package boot

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The script on a machine whose journal, metadata service and region answer what a case says. It sends what matters of the
// journal, in order, with how full the machine is, tries again until it is taken, and sends the last words when it is stopped.
func TestJournal(t *testing.T) {
	entry := func(at, name, text string) string {
		line, err := json.Marshal(map[string]any{"__REALTIME_TIMESTAMP": at, "SYSLOG_IDENTIFIER": name, "MESSAGE": text})
		require.NoError(t, err)
		return string(line)
	}
	dir := newMachine(t, map[string]string{
		"journalctl": `cat "$DIR/journal"
while [ ! -e "$DIR/stopping" ]; do sleep 0.05; done
echo '` + entry("1700000009000000", "twip-give-up", "powering off") + `'
touch "$DIR/last"
exec sleep 60`,
		"curl": `case "$*" in
*/api/token*) echo pass ;;
*security-credentials/) echo machine ;;
*security-credentials/machine) echo '{ "AccessKeyId" : "KEY", "SecretAccessKey" : "SEC/RET+=", "Token" : "TO/KEN==" }' ;;
*CreateLogStream*logs.eu-central-1.amazonaws.com*) cat >"$DIR/config"; echo '{"__type":"ResourceAlreadyExistsException"} 400' ;;
*PutLogEvents*logs.eu-central-1.amazonaws.com*)
	case "$*" in *SEC/RET*) exit 1 ;; esac
	if [ ! -e "$DIR/refused" ]; then touch "$DIR/refused"; echo '{"__type":"ServiceUnavailable"} 503'; exit 0; fi
	n=$(ls "$DIR" | grep -c '^sent' || true) && cp "$RUNTIME_DIRECTORY/request" "$DIR/new" && mv "$DIR/new" "$DIR/sent.$n"
	echo '{} 200' ;;
*) echo "nobody expected $*" >&2; exit 1 ;;
esac`,
	}).dir
	require.NoError(t, os.WriteFile(filepath.Join(dir, "journal"), []byte(strings.Join([]string{
		entry("1700000000000000", "kernel", "Linux version 6.12"),
		entry("1700000003000000", "docker", "GET /Read.action 200, of a container"),
		entry("1700000002000000", "docker", "docker: Error response from daemon: manifest unknown"),
		entry("1700000004000000", "twip-journal", "2 lines cannot be sent yet"),
		`{"__REALTIME_TIMESTAMP":"1700000005000000","SYSLOG_IDENTIFIER":"x","MESSAGE":[255,254]}`,
		entry("1700000001000000", "cloud-init", "E: Unable to locate package"),
	}, "\n")+"\n"), 0o644))
	script, err := os.ReadFile("scripts/twip-journal")
	require.NoError(t, err)
	// A test does not wait for seconds that a machine waits.
	quick := strings.NewReplacer("stopped.wait(5)", "stopped.wait(0.2)", "stopped.wait(15)", "stopped.wait(0.1)").Replace(string(script))
	require.NotEqual(t, string(script), quick)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "twip-journal.py"), []byte(quick), 0o755))

	said, err := os.Create(filepath.Join(dir, "said"))
	require.NoError(t, err)
	defer said.Close()
	command := exec.Command("python3", filepath.Join(dir, "twip-journal.py"), "eu-central-1", "twip-prod-app", "/", "/nowhere")
	command.Env = []string{"DIR=" + dir, "RUNTIME_DIRECTORY=" + dir, "PATH=" + dir + ":/usr/bin:/bin"}
	command.Stderr = said
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, command.Start())
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // journalctl with it, as systemd does
		<-ended
	})

	type event struct {
		Timestamp int64
		Message   string
	}
	var sent struct {
		LogGroupName, LogStreamName string
		LogEvents                   []event
	}
	arrived := func(name string) func() bool {
		return func() bool {
			text, err := os.ReadFile(filepath.Join(dir, name))
			sent.LogEvents = nil
			return err == nil && json.Unmarshal(text, &sent) == nil
		}
	}
	require.Eventually(t, arrived("sent.0"), 20*time.Second, 50*time.Millisecond)
	host, err := os.Hostname()
	require.NoError(t, err)
	require.Equal(t, "twip-prod-app", sent.LogGroupName)
	require.Equal(t, host, sent.LogStreamName)
	require.Equal(t, []event{
		{1700000000000, "kernel: Linux version 6.12"},
		{1700000001000, "cloud-init: E: Unable to locate package"},
		{1700000002000, "docker: docker: Error response from daemon: manifest unknown"},
	}, sent.LogEvents[:3], "CloudWatch takes events in their order only")
	require.Len(t, sent.LogEvents, 4)

	var full map[string]any
	require.NoError(t, json.Unmarshal([]byte(sent.LogEvents[3].Message), &full))
	directive := full["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
	require.Equal(t, MetricsNamespace, directive["Namespace"])
	require.Equal(t, []any{[]any{JournalDimension}}, directive["Dimensions"])
	require.Equal(t, "twip-prod-app", full[JournalDimension])
	for _, metric := range []string{MemoryMetric, DiskMetric} {
		require.Contains(t, directive["Metrics"], map[string]any{"Name": metric, "Unit": "Percent"})
		require.Greater(t, full[metric], 0.0)
		require.LessOrEqual(t, full[metric], 100.0)
	}
	config, err := os.ReadFile(filepath.Join(dir, "config"))
	require.NoError(t, err)
	require.Equal(t, "user = \"KEY:SEC/RET+=\"\nheader = \"X-Amz-Security-Token: TO/KEN==\"\n", string(config))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "stopping"), nil, 0o644))
	require.Eventually(t, func() bool { _, err := os.Stat(filepath.Join(dir, "last")); return err == nil }, 20*time.Second, 20*time.Millisecond)
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, arrived("sent.1"), 20*time.Second, 50*time.Millisecond)
	require.Equal(t, []event{{1700000009000, "twip-give-up: powering off"}}, sent.LogEvents)
	err = <-ended
	ended <- err
	require.NoError(t, err)
	printed, err := os.ReadFile(said.Name())
	require.NoError(t, err)
	require.Contains(t, string(printed), "twip-journal: 4 lines cannot be sent yet: ")
	require.NotContains(t, string(printed), "SEC/RET")
}
