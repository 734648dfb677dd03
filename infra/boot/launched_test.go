package boot

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The script on a machine whose server, metadata service and region answer what a case says.
func TestLaunched(t *testing.T) {
	const ready, busy = `echo '{"healthy":true}'`, `if [ -e "$DIR/asked" ]; then echo ok; else touch "$DIR/asked"; echo starting; exit 22; fi`
	const unfit = `echo '{"healthy":false,"reason":"rehearsal of release ab failed, so it does not lead: the JVM has ended"}'; exit 22`
	for name, tc := range map[string]struct {
		server, region, metadata string
		said, printed            string
		fails                    bool
	}{
		"it can serve":             {server: ready, region: "echo '<ok/> 200'", said: "CONTINUE", printed: "twip-launched: CONTINUE"},
		"it can after a while":     {server: busy, region: "echo '<ok/> 200'", said: "CONTINUE"},
		"it is not fit":            {server: unfit, region: "echo '<ok/> 200'", said: "ABANDON", printed: "the JVM has ended"},
		"nobody waits":             {server: ready, region: "echo 'No active Lifecycle Action found 400'", said: "CONTINUE"},
		"the region refuses":       {server: ready, region: "echo 'AccessDenied 403'", said: "CONTINUE", printed: "could not be said: AccessDenied 403", fails: true},
		"there is no metadata yet": {server: ready, region: "echo '<ok/> 200'", metadata: "exit 7", printed: "could not be said", fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			program := func(name, text string) {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
			}
			program("sleep", "")
			program("curl", `case "$*" in
*127.0.0.1:8082/health*) `+tc.server+` ;;
*/api/token*) `+tc.metadata+`
	echo token ;;
*tags/instance/aws:autoscaling:groupName*) echo app-group ;;
*instance-id*) echo i-1 ;;
*security-credentials/) echo machine ;;
*security-credentials/machine*) echo '{ "AccessKeyId" : "KEY", "SecretAccessKey" : "SEC/RET+=", "Token" : "TO/KEN==" }' ;;
*autoscaling.eu-central-1.amazonaws.com*) { echo "$*"; cat; } >"$DIR/said"; `+tc.region+` ;;
*) echo "nobody expected $*" >&2; exit 1 ;;
esac`)
			command := exec.Command("/bin/sh", "scripts/twip-launched", "eu-central-1", "launch", "http://127.0.0.1:8082/health")
			command.Env = []string{"DIR=" + dir, "PATH=" + dir + ":/usr/bin:/bin"}
			output, err := command.CombinedOutput()
			require.Equal(t, tc.fails, err != nil, "%s", output)
			require.Contains(t, string(output), tc.printed)
			require.NotContains(t, string(output), "SEC/RET")
			if tc.said == "" {
				return
			}
			said, err := os.ReadFile(filepath.Join(dir, "said"))
			require.NoError(t, err)
			for _, part := range []string{"AutoScalingGroupName=app-group", "LifecycleHookName=launch", "InstanceId=i-1",
				"LifecycleActionResult=" + tc.said + " ", "--aws-sigv4 aws:amz:eu-central-1:autoscaling",
				"user = \"KEY:SEC/RET+=\"\nheader = \"X-Amz-Security-Token: TO/KEN==\""} {
				require.Contains(t, string(said), part)
			}
		})
	}
}
