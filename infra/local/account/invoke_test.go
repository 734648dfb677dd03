package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const anyName = "debian-13-amd64-20251117-2299"

func TestInvoke(t *testing.T) {
	filtered := func(owner, name string) map[string]any {
		return map[string]any{
			"owners":  []any{owner},
			"filters": []any{map[string]any{"name": "name", "values": []any{name}}},
		}
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
		"ami of one's own": {"aws:ec2/getAmi:getAmi", filtered("self", "twip-"+anyName+"-202611241200"), "id", `^ami-[0-9a-f]{17}$`, ""},
		"own as Debian's":  {"aws:ec2/getAmi:getAmi", filtered(debianOwner, "twip-"+anyName+"-202611241200"), "", "", `add its owner id "self"`},
		"ami by pattern":   {"aws:ec2/getAmi:getAmi", filtered(debianOwner, "debian-13-*"), "", "", "no image has this name"},
		"token":            {"aws:ecr/getAuthorizationToken:getAuthorizationToken", nil, "authorizationToken", `^QVdTOm`, ""},
		"identity":         {"aws:index/getCallerIdentity:getCallerIdentity", nil, "accountId", `^000000000000$`, ""},
		"prefix list":      {"aws:ec2/getManagedPrefixList:getManagedPrefixList", map[string]any{"name": "com.amazonaws.global.cloudfront.origin-facing"}, "id", `^pl-`, ""},
		"no such list":     {"aws:ec2/getManagedPrefixList:getManagedPrefixList", map[string]any{"name": "mine"}, "", "", "known are com.amazonaws"},
		"no such function": {"aws:ec2/getTeapot:getTeapot", nil, "", "", "is not described: add it to the functions of"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := Model{}.Invoke(c.tok, values(c.args))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Regexp(t, c.pattern, text(at(out, c.output)))
		})
	}
}
