package fake

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const anyName = "debian-13-amd64-20251117-2299"

func TestInvoke(t *testing.T) {
	filtered := func(owner, name string) map[string]any {
		return map[string]any{"owners": []any{owner}, "filters": []any{map[string]any{"name": "name", "values": []any{name}}}}
	}
	for name, c := range map[string]struct {
		tok     string
		args    map[string]any
		output  string
		pattern string
		err     string
	}{
		"ami":              {"aws:ec2/getAmi:getAmi", filtered(debianOwner, anyName), "id", `^ami-[0-9a-f]{17}$`, ""},
		"ami of others":    {"aws:ec2/getAmi:getAmi", filtered("amazon", anyName), "", "", `add its owner id "136693071363"`},
		"ami by pattern":   {"aws:ec2/getAmi:getAmi", filtered(debianOwner, "debian-13-*"), "", "", "no image has this name"},
		"token":            {"aws:ecr/getAuthorizationToken:getAuthorizationToken", nil, "authorizationToken", `^QVdTOm`, ""},
		"identity":         {"aws:index/getCallerIdentity:getCallerIdentity", nil, "accountId", `^000000000000$`, ""},
		"region":           {"aws:index/getRegion:getRegion", nil, "name", `^us-east-1$`, ""},
		"partition":        {"aws:index/getPartition:getPartition", nil, "partition", `^aws$`, ""},
		"log account":      {"aws:elb/getServiceAccount:getServiceAccount", nil, "arn", `^arn:aws:iam::127311923021:root$`, ""},
		"cache policy":     {"aws:cloudfront/getCachePolicy:getCachePolicy", map[string]any{"name": "Managed-CachingDisabled"}, "id", `^4135ea2d-`, ""},
		"no such policy":   {"aws:cloudfront/getCachePolicy:getCachePolicy", map[string]any{"name": "Mine"}, "", "", "known are Managed-CachingDisabled"},
		"no such function": {"aws:ec2/getTeapot:getTeapot", nil, "", "", "is not described: add it to"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := Cloud{}.Invoke(c.tok, values(c.args))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Regexp(t, c.pattern, text(at(out, c.output)))
		})
	}
}

func TestZonesAreOfTheRegion(t *testing.T) {
	out, err := Cloud{Region: "eu-west-1"}.Invoke("aws:index/getAvailabilityZones:getAvailabilityZones", nil)
	require.NoError(t, err)
	require.Equal(t, []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"}, texts(out["names"]))
}

func TestPolicyDocument(t *testing.T) {
	out, err := Cloud{}.Invoke("aws:iam/getPolicyDocument:getPolicyDocument", values(map[string]any{"statements": []any{map[string]any{
		"sid": "Pull", "actions": []any{"ecr:BatchGetImage"}, "resources": []any{"arn:b", "arn:a"},
		"principals": []any{map[string]any{"type": "Service", "identifiers": []any{"ec2.amazonaws.com"}}},
		"conditions": []any{map[string]any{"test": "Bool", "variable": "aws:SecureTransport", "values": []any{"true"}}},
	}}}))
	require.NoError(t, err)
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"Pull","Effect":"Allow","Action":"ecr:BatchGetImage","Resource":["arn:b","arn:a"],
		"Principal":{"Service":"ec2.amazonaws.com"},"Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`, out["json"].StringValue())
}
