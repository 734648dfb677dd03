package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/local"
)

func TestParse(t *testing.T) {
	for name, tc := range map[string]struct {
		args string
		want options
		err  string
	}{
		"defaults":            {args: "up", want: options{verb: "up"}},
		"stack and cloud":     {args: "-stack a -cloud aws status", want: options{stack: "a", cloud: "aws", verb: "status"}},
		"up unasked":          {args: "-cloud aws up -yes", want: options{stack: "train", cloud: "aws", verb: "up", yes: true}},
		"smoke, in a while":   {args: "smoke -wait 10m", want: options{verb: "smoke", wait: 10 * time.Minute}},
		"cost":                {args: "cost -visits 2.5", want: options{verb: "cost", visits: 2.5}},
		"cost of nobody":      {args: "cost -visits -1", err: "visits cannot be fewer than none"},
		"drift is on AWS":     {args: "drift", want: options{stack: "train", cloud: "aws", verb: "drift"}},
		"scale":               {args: "scale -app 2", want: options{verb: "scale", app: 2}},
		"bench":               {args: "bench -n 50 -c 5", want: options{verb: "bench", requests: 50, concurrency: 5}},
		"confirmed":           {args: "destroy -confirm a", want: options{verb: "destroy", confirm: "a"}},
		"restore":             {args: "restore -point 3", want: options{verb: "restore", point: 3}},
		"no verb":             {err: "no verb given: use one of prepare, local, local-destroy"},
		"unknown verb":        {args: "fly", err: `verb "fly" is unknown: use one of prepare, local`},
		"another verb's flag": {args: "up -app 2", err: "flag provided but not defined: -app"},
		"left over":           {args: "up train", err: `argument "train" is not understood`},
		"scale to nothing":    {args: "scale", err: "make scale APP=2"},
		"bench of nothing":    {args: "bench -n 0", err: "use 1 <= c <= n"},
		"bench too wide":      {args: "bench -n 2 -c 3", err: "use 1 <= c <= n"},
		"promote":             {args: "-stack b promote -from a", want: options{stack: "b", cloud: "local", verb: "promote", from: "a"}},
		"promote from itself": {args: "promote -from train", err: "make promote FROM=train STACK=prod"},
		"promote nothing":     {args: "promote", err: "name two stacks"},
		"restore to nothing":  {args: "restore", err: "make restore POINT=3"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse(strings.Fields(tc.args), &bytes.Buffer{})
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			if tc.want.stack == "" {
				tc.want.stack, tc.want.cloud = "train", "local"
			}
			require.Equal(t, tc.want, got)
		})
	}
}

// Whatever CLOUD says, what is named after this computer must never reach AWS.
func TestLocalVerbsMeanThisComputer(t *testing.T) {
	tried := 0
	for _, v := range verbs {
		if v.place != thisComputer {
			continue
		}
		o, err := parse([]string{"-cloud", "aws", v.name}, &bytes.Buffer{})
		require.NoError(t, err, v.name)
		where, err := newCloud(o, strings.NewReader(""), &bytes.Buffer{})
		require.NoError(t, err, v.name)
		require.IsType(t, &local.Cloud{}, where, v.name)
		tried++
	}
	require.Equal(t, 7, tried)
}

func TestUnknownCloud(t *testing.T) {
	require.ErrorContains(t, try(t, "-cloud moon status"), `cloud "moon" is unknown: use CLOUD=local or CLOUD=aws`)
}

func TestOutsideTheCheckout(t *testing.T) {
	t.Chdir(t.TempDir())
	require.ErrorContains(t, try(t, "status"), "run this inside the checkout")
}

// try runs a command line that nobody answers questions of.
func try(t *testing.T, line string) error {
	t.Helper()
	return run(t.Context(), strings.Fields(line), strings.NewReader(""), &bytes.Buffer{})
}
