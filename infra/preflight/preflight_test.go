package preflight

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/stacks"
)

// healthy is what an account answers that lets everything be made, by how the question begins.
func healthy() map[string]string {
	return map[string]string{
		"sts get-caller-identity":             `{"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/me"}`,
		"ec2 describe-availability-zones":     `{"AvailabilityZones": [{"ZoneName": "eu-central-1a", "State": "available", "OptInStatus": "opt-in-not-required"}, {"ZoneName": "eu-central-1b", "State": "available"}]}`,
		"ec2 describe-instance-type-offering": `{"InstanceTypeOfferings": [{"Location": "eu-central-1b"}, {"Location": "eu-central-1a"}]}`,
		"ec2 describe-instance-types":         `{"InstanceTypes": [{"InstanceType": "t3.small", "VCpuInfo": {"DefaultVCpus": 2}}, {"InstanceType": "t3.micro", "VCpuInfo": {"DefaultVCpus": 2}}]}`,
		"ec2 describe-instances":              `{"Reservations": [{"Instances": [{"CpuOptions": {"CoreCount": 2, "ThreadsPerCore": 2}}]}]}`,
		"ec2 describe-addresses":              `{"Addresses": [{"PublicIp": "203.0.113.7"}]}`,
		"ec2 describe-vpcs":                   `{"Vpcs": [{"VpcId": "vpc-1"}]}`,
		"ec2 describe-images":                 `{"Images": [{"ImageId": "ami-1", "State": "available", "DeprecationTime": "2027-11-17"}]}`,
		"L-1216C47A":                          `{"Quota": {"Value": 64.0}}`,
		"L-0263D0A3":                          `{"Quota": {"Value": 5.0}}`,
		"L-F678F1CE":                          `{"Quota": {"Value": 5.0}}`,
		"route53 get-hosted-zone":             `{"HostedZone": {"Name": "example.com.", "Config": {"PrivateZone": false}}, "DelegationSet": {"NameServers": ["ns-1.awsdns-01.com", "ns-2.awsdns-02.net"]}}`,
	}
}

var prodValues = map[string]string{
	"aws:region": "eu-central-1", "twip:topology": "multi-zone", "twip:zones": `["a","b"]`, "twip:instanceType": "t3.small",
	"twip:memoryMiB": `{"app":1408,"static":256}`, "twip:domain": "news.example.com", "twip:hostedZone": "Z0123456789ABCDEFGHIJ",
	"twip:account": "123456789012",
}

func TestPreflight(t *testing.T) {
	for name, tc := range map[string]struct {
		values  map[string]string // over prod's
		answers map[string]string // over the healthy account's; "" is a refusal
		servers []string          // nil: those of the zone
		err     string            // "" if nothing stands in the way
	}{
		"everything is there":     {},
		"no credentials":          {answers: map[string]string{"sts get-caller-identity": ""}, err: "credentials: refused: log in first"},
		"another account":         {values: map[string]string{"twip:account": "999999999999"}, err: "is in account 123456789012, and twip:account is 999999999999"},
		"any account":             {values: map[string]string{"twip:account": ""}},
		"a zone that is not here": {values: map[string]string{"twip:zones": `["a","c"]`}, err: "zones: eu-central-1c cannot be used by this account: choose twip:zones among eu-central-1a, eu-central-1b"},
		"a zone not opted into":   {answers: map[string]string{"ec2 describe-availability-zones": `{"AvailabilityZones": [{"ZoneName": "eu-central-1a", "State": "available"}, {"ZoneName": "eu-central-1b", "State": "available", "OptInStatus": "not-opted-in"}]}`}, err: "eu-central-1b cannot be used"},
		"a type not offered":      {answers: map[string]string{"ec2 describe-instance-type-offering": `{"InstanceTypeOfferings": [{"Location": "eu-central-1a"}]}`}, err: "eu-central-1b does not offer t3.small"},
		"too few vCPUs":           {answers: map[string]string{"L-1216C47A": `{"Quota": {"Value": 32.0}}`}, err: "vCPUs: 4 of 32 are used and up to 32 more are needed: ask for 36 with aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-1216C47A --desired-value 36 --region eu-central-1"},
		"just enough vCPUs":       {answers: map[string]string{"L-1216C47A": `{"Quota": {"Value": 36.0}}`}},
		"too few addresses":       {answers: map[string]string{"L-0263D0A3": `{"Quota": {"Value": 2.0}}`}, err: "Elastic IPs: 1 of 2 are used and up to 2 more are needed"},
		"one NAT gateway":         {values: map[string]string{"twip:natGateways": "single"}, answers: map[string]string{"L-0263D0A3": `{"Quota": {"Value": 2.0}}`}},
		"too few VPCs":            {answers: map[string]string{"L-F678F1CE": `{"Quota": {"Value": 1.0}}`}, err: "VPCs: 1 of 1 are used"},
		"quotas cannot be read":   {answers: map[string]string{"L-F678F1CE": ""}, err: "VPCs: refused"},
		"an image of one's own":   {values: map[string]string{"twip:machineImage": "twip-debian-13-amd64-20251117-2299-202611241200"}, answers: map[string]string{"ec2 describe-images --owners self": `{"Images": [{"ImageId": "ami-2", "State": "available"}]}`, "ec2 describe-images": ""}},
		"no machine image":        {answers: map[string]string{"ec2 describe-images": `{"Images": []}`}, err: "machine image: debian-13-amd64-20251117-2299 is not to be had in eu-central-1: set twip:machineImage"},
		"no domain":               {values: map[string]string{"twip:domain": "", "twip:hostedZone": ""}, answers: map[string]string{"route53 get-hosted-zone": ""}},
		"no such zone":            {answers: map[string]string{"route53 get-hosted-zone": ""}, err: "is twip:hostedZone = Z0123456789ABCDEFGHIJ in this account?"},
		"another domain's zone":   {answers: map[string]string{"route53 get-hosted-zone": `{"HostedZone": {"Name": "ample.com."}}`}, err: "twip:domain = news.example.com is not in it"},
		"a private zone":          {answers: map[string]string{"route53 get-hosted-zone": `{"HostedZone": {"Name": "example.com.", "Config": {"PrivateZone": true}}}`}, err: "needs a public zone"},
		"not delegated":           {servers: []string{"ns.registrar.example."}, err: "ask whoever keeps the domain above it for NS records to ns-1.awsdns-01.com, ns-2.awsdns-02.net"},
	} {
		t.Run(name, func(t *testing.T) {
			values, answers := map[string]string{}, healthy()
			for _, m := range []map[string]string{prodValues, tc.values} {
				for key, value := range m {
					values[key] = value
				}
			}
			for question, answer := range tc.answers {
				answers[question] = answer
			}
			config, err := stacks.Read("prod", values)
			require.NoError(t, err)
			p := Preflight{Config: config, AWS: answering(t, answers), Servers: func(context.Context, string) ([]string, error) {
				if tc.servers != nil {
					return tc.servers, nil
				}
				return []string{"NS-1.awsdns-01.com.", "ns-2.awsdns-02.net."}, nil
			}}
			var out bytes.Buffer
			err = p.Run(t.Context(), &out)
			if tc.err == "" {
				require.NoError(t, err)
				require.Equal(t, len(checks), strings.Count(out.String(), "ok  "), out.String())
				return
			}
			require.ErrorContains(t, err, tc.err)
			require.ErrorContains(t, err, `preflight of stack "prod": `)
			require.Contains(t, out.String(), "NO  ")
		})
	}
}

// answering is an AWS command line that knows these answers, and is asked in the right region.
func answering(t *testing.T, answers map[string]string) AWS {
	return func(_ context.Context, into any, arguments ...string) error {
		line := strings.Join(arguments, " ")
		asked := "" // the longest that fits
		for question := range answers {
			fits := strings.HasPrefix(line, question) || strings.HasPrefix(question, "L-") && strings.Contains(line, question)
			if fits && len(question) > len(asked) {
				asked = question
			}
		}
		if asked == "" {
			return fmt.Errorf("unexpected: %s", line)
		}
		if answers[asked] == "" {
			return errors.New("refused")
		}
		global := strings.HasPrefix(line, "sts") || strings.HasPrefix(line, "route53")
		require.Equal(t, !global, strings.Contains(line, "--region eu-central-1"), line)
		return json.Unmarshal([]byte(answers[asked]), into)
	}
}

// One machine needs one of everything.
func TestPreflightOfASingleHost(t *testing.T) {
	config, err := stacks.Read("train", map[string]string{"aws:region": "eu-central-1", "twip:zones": `["a"]`})
	require.NoError(t, err)
	answers := healthy()
	answers["L-1216C47A"] = `{"Quota": {"Value": 5.0}}`
	answers["ec2 describe-instance-types"] = `{"InstanceTypes": [{"InstanceType": "t2.micro", "VCpuInfo": {"DefaultVCpus": 1}}]}`
	answers["L-0263D0A3"] = `{"Quota": {"Value": 2.0}}`
	var out bytes.Buffer
	require.NoError(t, Preflight{Config: config, AWS: answering(t, answers)}.Run(t.Context(), &out))
	require.Contains(t, out.String(), "vCPUs: 4 of 5 used, up to 1 more needed")
}
