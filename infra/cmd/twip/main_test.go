package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want options
		err  string
	}{
		"defaults":            {args: []string{"up"}, want: options{stack: "train", cloud: "local", verb: "up"}},
		"stack and cloud":     {args: []string{"-stack", "prod", "-cloud", "aws", "status"}, want: options{stack: "prod", cloud: "aws", verb: "status"}},
		"scale":               {args: []string{"scale", "-app", "2"}, want: options{stack: "train", cloud: "local", verb: "scale", app: 2}},
		"bench":               {args: []string{"bench", "-n", "50", "-c", "5"}, want: options{stack: "train", cloud: "local", verb: "bench", requests: 50, concurrency: 5}},
		"no verb":             {err: "no verb given: use one of bench, clean"},
		"unknown verb":        {args: []string{"fly"}, err: `verb "fly" is unknown: use one of bench`},
		"another verb's flag": {args: []string{"up", "-app", "2"}, err: "flag provided but not defined: -app"},
		"left over":           {args: []string{"up", "train"}, err: `argument "train" is not understood`},
		"scale to nothing":    {args: []string{"scale"}, err: "make scale APP=2"},
		"bench of nothing":    {args: []string{"bench", "-n", "0"}, err: "use 1 <= c <= n"},
		"bench too wide":      {args: []string{"bench", "-n", "2", "-c", "3"}, err: "use 1 <= c <= n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse(tc.args)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestUnknownCloud(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), []string{"-cloud", "moon", "status"}, &bytes.Buffer{}), `cloud "moon" is unknown: use local or aws`)
}

func TestOutsideTheCheckout(t *testing.T) {
	t.Chdir(t.TempDir())
	require.ErrorContains(t, run(t.Context(), []string{"status"}, &bytes.Buffer{}), "run this inside the checkout")
}

// On AWS the verbs go through the commands that people use; these stand in for them and answer what the test wrote.
func TestStatusOnAWS(t *testing.T) {
	bin := t.TempDir()
	for program, script := range map[string]string{
		"pulumi": `case "$*" in "config get aws:region --stack train") echo eu-central-1 ;; *) echo "{\"url\": \"http://127.0.0.1:1\"}" ;; esac`,
		"aws":    `case "$*" in *Values=train*eu-central-1*|*eu-central-1*Values=train*) echo '[["i-1", "running", "eu-central-1a", "t2.micro"]]' ;; *) echo "unexpected: $*" >&2; exit 1 ;; esac`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, program), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	var out bytes.Buffer
	err := run(context.Background(), []string{"-cloud", "aws", "status"}, &out)
	require.ErrorContains(t, err, "connection refused", "nothing serves the site here")
	require.Contains(t, out.String(), "machine i-1  running  eu-central-1a t2.micro")
}

func TestScaleOnAWS(t *testing.T) {
	for topology, want := range map[string]string{
		"single-host": "config set twip:appContainers 3 --stack train\nup --stack train\n",
		"multi-zone":  "config set --path twip:appServers.min 3 --stack train\nup --stack train\n",
	} {
		t.Run(topology, func(t *testing.T) {
			bin := t.TempDir()
			script := `#!/bin/sh
case "$*" in "config get"*) echo ` + topology + ` ;; *) echo "$*" ;; esac
`
			require.NoError(t, os.WriteFile(filepath.Join(bin, "pulumi"), []byte(script), 0o755))
			t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
			var out bytes.Buffer
			require.NoError(t, run(t.Context(), []string{"-cloud", "aws", "scale", "-app", "3"}, &out))
			require.Equal(t, want, out.String())
		})
	}
}

func TestAWSWithoutItsCommands(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	require.ErrorContains(t, run(t.Context(), []string{"-cloud", "aws", "prepare"}, &bytes.Buffer{}), "pulumi is not on PATH")
	require.ErrorContains(t, run(t.Context(), []string{"-cloud", "aws", "outputs"}, &bytes.Buffer{}), "are you logged in")
}
