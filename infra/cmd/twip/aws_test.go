package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stand puts scripts in the place of programs, first on PATH, and returns the file in which each notes how it was
// called.
func stand(t *testing.T, scripts map[string]string) (log string) {
	t.Helper()
	bin := t.TempDir()
	log = filepath.Join(bin, "log")
	for program, script := range scripts {
		text := "#!/bin/sh\necho " + program + " \"$*\" >>" + log + "\n" + script + "\n"
		require.NoError(t, os.WriteFile(filepath.Join(bin, program), []byte(text), 0o755))
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	return log
}

func calls(t *testing.T, log string) string {
	t.Helper()
	text, err := os.ReadFile(log)
	if os.IsNotExist(err) {
		return ""
	}
	require.NoError(t, err)
	return string(text)
}

// On AWS the verbs go through the commands that people use; these stand in for them and answer what the test wrote.
func TestStatusOnAWS(t *testing.T) {
	const outputs = `{"url": "http://127.0.0.1:1", "groups": {"app": "twip-app-1"}, ` +
		`"journals": {"host": "/the/host", "app": "/the/group"}}`
	for _, tc := range []struct{ machine, credits, out, err string }{
		{`["i-1", "running", "eu-central-1a", "t2.micro", null]`, "[31.2, 30.4]", "CPU credits  30 left", "/the/host"},
		{`["i-1", "running", "eu-central-1a", "t2.micro", null]`, "[31.2, 2.4]", "CPU credits  2 left", "has 2 CPU credits left"},
		{`["i-1", "running", "eu-central-1a", "t2.micro", null]`, "[]", "machine i-1  running  eu-central-1a t2.micro",
			"  aws logs tail /the/host --since 1h --region eu-central-1"},
		{`["i-1", "running", "eu-central-1a", "m7i.large", "twip-app-1"]`, "none are asked for", "machine i-1", "/the/group"},
	} {
		stand(t, map[string]string{
			"pulumi": `case "$*" in "config get aws:region --stack train") echo eu-central-1 ;; *) echo '` + outputs + `' ;; esac`,
			"aws": `case "$*" in *describe-instances*Values=train*eu-central-1*) echo '[` + tc.machine + `]' ;; ` +
				`*CPUCreditBalance*Value=i-1*eu-central-1*) echo '` + tc.credits + `' ;; ` +
				`*) echo "unexpected: $*" >&2; exit 1 ;; esac`,
		})
		var out bytes.Buffer
		err := run(t.Context(), []string{"-cloud", "aws", "status"}, strings.NewReader(""), &out)
		require.ErrorContains(t, err, "connection refused", "nothing serves the site here")
		require.ErrorContains(t, err, tc.err)
		require.Contains(t, out.String(), tc.out)
	}
}

func TestScaleOnAWS(t *testing.T) {
	for topology, want := range map[string]string{
		"single-host": "pulumi config set twip:appContainers 3 --stack train\npulumi up --stack train\n",
		"multi-zone":  "pulumi config set --path twip:appServers.min 3 --stack train\npulumi up --stack train\n",
	} {
		t.Run(topology, func(t *testing.T) {
			log := stand(t, map[string]string{"pulumi": `case "$*" in "config get"*) echo ` + topology + ` ;; esac`})
			require.NoError(t, try(t, "-cloud aws scale -app 3"))
			require.Contains(t, calls(t, log), want)
		})
	}
}

func TestAWSWithoutItsCommands(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	require.ErrorContains(t, try(t, "-cloud aws up"), "docker is not on PATH: install it")
	require.ErrorContains(t, try(t, "-cloud aws preview"), "pulumi is not on PATH: install it")
	require.ErrorContains(t, try(t, "-cloud aws outputs"), "pulumi is not on PATH: install it")
}

// exported is a stack's state as `pulumi stack export` prints it, with a volume that is protected or not.
func exported(protect string) string {
	return `{"deployment": {"resources": [
  {"type": "pulumi:pulumi:Stack", "urn": "urn:pulumi:train::twip::pulumi:pulumi:Stack::twip-train"},
  {"type": "pulumi:providers:aws", "urn": "urn:pulumi:train::twip::pulumi:providers:aws::aws", "id": "1",
   "custom": true},
  {"type": "aws:ebs/volume:Volume", "urn": "urn:pulumi:train::twip::aws:ebs/volume:Volume::twip-data", "id": "vol-1",
   "custom": true, "protect": ` + protect + `},
  {"type": "aws:ec2/instance:Instance", "urn": "urn:pulumi:train::twip::aws:ec2/instance:Instance::twip", "id": "i-1",
   "custom": true}
]}}`
}

func TestDestroyOnAWS(t *testing.T) {
	const destroyed, untouched = "pulumi destroy --yes --stack train", `"prod" is not its name, nothing was changed`
	for name, tc := range map[string]struct {
		line, typed, protect string
		err                  string // empty: it is destroyed
	}{
		"typed":               {line: "destroy", typed: "train\n"},
		"given":               {line: "destroy -confirm train"},
		"typed wrong":         {line: "destroy", typed: "prod\n", err: untouched},
		"given wrong":         {line: "destroy -confirm prod", typed: "train\n", err: untouched},
		"yes is no name":      {line: "destroy", typed: "y\n", err: `"y" is not its name`},
		"nothing typed":       {line: "destroy", typed: "\n", err: "not confirmed, nothing was changed"},
		"nobody there":        {line: "destroy", err: "give CONFIRM=train"},
		"protected":           {line: "destroy -confirm train", protect: "true", err: "twip-data (aws:ebs/volume:Volume)"},
		"how to lift it":      {line: "destroy -confirm train", protect: "true", err: "twip:protectData false"},
		"protected and typed": {line: "destroy", typed: "train\n", protect: "true", err: "nothing was changed"},
	} {
		t.Run(name, func(t *testing.T) {
			protect := tc.protect
			if protect == "" {
				protect = "false"
			}
			log := stand(t, map[string]string{"pulumi": `case "$*" in "stack export"*) cat <<'END'
` + exported(protect) + `
END
;; esac`})
			var out bytes.Buffer
			err := run(t.Context(), strings.Fields("-cloud aws "+tc.line), strings.NewReader(tc.typed), &out)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				require.NotContains(t, calls(t, log), "destroy")
				return
			}
			require.NoError(t, err)
			require.Contains(t, calls(t, log), destroyed)
			require.Contains(t, out.String(), "deletes 2 resources")
			require.Contains(t, out.String(), "the data volume: all articles (vol-1)")
		})
	}
}

// Nothing of ours reaches the data in AWS; the error says how a person does, and nothing is asked or changed.
func TestRestoreOnAWSSaysWhatToDo(t *testing.T) {
	for outputs, want := range map[string]string{
		`{"url": "http://x", "dataVolumeId": "vol-1", "instanceId": "i-1"}`: "stop-instances --instance-ids i-1",
		`{"url": "http://x", "fileSystemId": "fs-1"}`:                       "aws ssm start-session",
	} {
		for _, verb := range []string{"restore-points", "restore -point 3 -confirm train", "restore-drill"} {
			log := stand(t, map[string]string{"pulumi": "echo '" + outputs + "'"})
			require.ErrorContains(t, try(t, "-cloud aws "+verb), want)
			require.Equal(t, "pulumi stack output --json --stack train\n", calls(t, log))
		}
	}
}
