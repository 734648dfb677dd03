package bake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/boot"
)

const debian = "debian-13-amd64-20251117-2299"

// account answers each command in turn, the last answer again and again; no answer is a refusal.
type account struct {
	answers map[string][]string
	asked   []string
	data    string // user data of the machine
}

func healthy() *account {
	return &account{answers: map[string][]string{
		"describe-images --owners": {`{"Images": [{"ImageId": "ami-1", "RootDeviceName": "/dev/xvda"}]}`},
		"run-instances":            {`{"Instances": [{"InstanceId": "i-1"}]}`},
		"describe-instances":       {`"pending"`, `"running"`, `"stopping"`, `"stopped"`},
		"create-image":             {`{"ImageId": "ami-2"}`},
		"describe-images --image":  {`"pending"`, `"available"`},
		"terminate-instances":      {`{}`},
	}}
}

func (a *account) answer(_ context.Context, into any, arguments ...string) error {
	question := strings.TrimPrefix(strings.Join(arguments, " "), "ec2 ")
	a.asked = append(a.asked, question)
	for _, argument := range arguments {
		if file, ok := strings.CutPrefix(argument, "file://"); ok {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			a.data = string(text)
		}
	}
	for begin, answers := range a.answers {
		if !strings.HasPrefix(question, begin) {
			continue
		}
		if len(answers) == 0 {
			return errors.New("refused")
		}
		if len(answers) > 1 {
			a.answers[begin] = answers[1:]
		}
		return json.Unmarshal([]byte(answers[0]), into)
	}
	return errors.New("nobody expected " + question)
}

func TestImage(t *testing.T) {
	for name, tc := range map[string]struct {
		from    string
		change  map[string][]string
		subnet  string
		err     string
		started bool // and so has to be terminated
	}{
		"made":                   {started: true},
		"in a subnet":            {subnet: "subnet-1", started: true},
		"from one of one's own":  {from: "twip-" + debian + "-202611241200", err: "bake from one of Debian's"},
		"no such image":          {change: map[string][]string{"describe-images --owners": {`{"Images": []}`}}, err: "Debian has none of this name in eu-central-1"},
		"no default VPC":         {change: map[string][]string{"run-instances": nil}, err: "wants SUBNET=subnet-"},
		"the archive stays away": {change: map[string][]string{"describe-instances": {`"running"`}}, err: "does its subnet lead to Debian's archive?", started: true},
		"the machine is taken":   {change: map[string][]string{"describe-instances": {`"terminated"`}}, err: "it is terminated instead of stopped", started: true},
		"no right to an image":   {change: map[string][]string{"create-image": nil}, err: "machine image twip-" + debian, started: true},
		"the image fails":        {change: map[string][]string{"describe-images --image": {`"failed"`}}, err: "it is failed instead of available", started: true},
		"it cannot be removed":   {change: map[string][]string{"terminate-instances": nil}, err: "machine i-1 is still there", started: true},
	} {
		t.Run(name, func(t *testing.T) {
			a := healthy()
			for begin, answers := range tc.change {
				a.answers[begin] = answers
			}
			o := Options{AWS: a.answer, Region: "eu-central-1", From: debian, Subnet: tc.subnet, Every: time.Millisecond,
				Patience: time.Minute, Now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
			if name == "the archive stays away" {
				o.Patience = 50 * time.Millisecond
			}
			if tc.from != "" {
				o.From = tc.from
			}
			var out bytes.Buffer
			made, err := Image(t.Context(), o, &out)
			asked := strings.Join(a.asked, "\n")
			require.Equal(t, tc.started, strings.Contains(asked, "terminate-instances --instance-ids i-1"), asked)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "twip-"+debian+"-202611241200", made)
			require.Contains(t, asked, "create-image --instance-id i-1 --name "+made)
			require.Equal(t, tc.subnet != "", strings.Contains(asked, "--subnet-id "+tc.subnet+" ") && tc.subnet != "")
			require.Contains(t, asked, "HttpTokens=required")
			require.Contains(t, asked, "Encrypted=true")
			for _, p := range boot.Packages() {
				require.Contains(t, a.data, p)
			}
			require.Contains(t, out.String(), "stopping")
		})
	}
}
