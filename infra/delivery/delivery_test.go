package delivery

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/local/account"
)

var update = flag.Bool("update", false, "write the golden file")

var example = Account{Project: "twip", Repository: "example/news", Environments: []string{"prod", "train"}}

// The golden file is what the roles may do: read its difference before it is merged.
func TestTemplate(t *testing.T) {
	text, err := Template(example)
	require.NoError(t, err)
	var readable bytes.Buffer
	require.NoError(t, json.Indent(&readable, text, "", " "))
	got := readable.Bytes()
	const golden = "testdata/account.json"
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run the test with -update if the change is meant")
}

// A role can do what the program declares: every type has its rights, and none that nobody declares.
func TestEveryTypeHasItsRights(t *testing.T) {
	granted, err := parseRights(rightsFile)
	require.NoError(t, err)
	for _, typ := range account.Types() {
		require.Contains(t, granted.writes, typ, "say in infra/delivery/rights.txt which actions make, change and remove it")
	}
	action := regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z]+$`)
	for typ, actions := range granted.writes {
		require.Contains(t, account.Types(), typ, "no program declares it: take its rights away")
		for _, a := range actions {
			require.Regexp(t, action, a, "%s: what changes something is named, without a wildcard", typ)
		}
	}
	for _, a := range granted.reads {
		require.NotRegexp(t, `:(Create|Put|Delete|Update|Modify|Start|Run|Set|\*)`, a)
		require.NotContains(t, []string{"s3:GetObject", "logs:GetLogEvents", "ecr:BatchGetImage", "s3:Get*", "logs:Get*"}, a)
	}
}

// parsed is as much of a template as these rules look at.
type parsed struct {
	Resources map[string]struct {
		Type       string
		Properties struct {
			AssumeRolePolicyDocument, PolicyDocument struct {
				Statement []struct {
					Sid       string
					Action    any
					Resource  []any
					Condition map[string]map[string]any
				}
			}
			Roles []map[string]string
		}
	}
}

func template(t *testing.T) (p parsed) {
	t.Helper()
	text, err := Template(example)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &p))
	return p
}

// Only jobs of this repository, in the environment that has a rule for who approves, can deploy; pull requests look.
func TestWhoAssumesRoles(t *testing.T) {
	for role, subjects := range map[string][]any{
		"PreviewRole":     {"repo:example/news:pull_request", "repo:example/news:ref:refs/heads/main"},
		"ProdDeployRole":  {"repo:example/news:environment:prod"},
		"TrainDeployRole": {"repo:example/news:environment:train"},
	} {
		trust := template(t).Resources[role].Properties.AssumeRolePolicyDocument.Statement
		require.Len(t, trust, 1, role)
		require.Equal(t, "sts:AssumeRoleWithWebIdentity", trust[0].Action, role)
		require.Equal(t, map[string]map[string]any{"StringEquals": {
			"token.actions.githubusercontent.com:aud": "sts.amazonaws.com", "token.actions.githubusercontent.com:sub": subjects,
		}}, trust[0].Condition, role)
	}
}

// Nobody can write the state, or change the roles, of another environment.
func TestRolesKeepToTheirEnvironment(t *testing.T) {
	seen := map[string]int{}
	for name, r := range template(t).Resources {
		if r.Type != "AWS::IAM::ManagedPolicy" {
			continue
		}
		for _, s := range r.Properties.PolicyDocument.Statement {
			text, err := json.Marshal(s)
			require.NoError(t, err)
			role := r.Properties.Roles[0]["Ref"]
			seen[role]++
			require.NotContains(t, string(text), `"*:*"`)
			for _, action := range actionsOf(s.Action) {
				changes := !regexp.MustCompile(`:(Describe|Get|List|View|Batch(Get|Check)|Decrypt)`).MatchString(action)
				require.False(t, role == "PreviewRole" && changes, "%s: a preview may %s", name, action)
			}
			if other := map[string]string{"ProdDeployRole": "train", "TrainDeployRole": "prod"}[role]; other != "" {
				require.NotRegexp(t, `twip[-/]`+other, string(text), name)
			}
			if slices.Contains([]string{"Iam", "Lambda", "Sns", "Ecr", "S3", "State"}, s.Sid) {
				require.NotContains(t, s.Resource, "*", "%s: %s", name, s.Sid)
			}
		}
	}
	require.Len(t, seen, 3)
}

func actionsOf(raw any) (actions []string) {
	for _, action := range raw.([]any) {
		actions = append(actions, action.(string))
	}
	return actions
}

func TestTemplateRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		account Account
		err     string
	}{
		"no repository":  {Account{Project: "twip", Environments: []string{"train"}}, "make account REPOSITORY=owner/name"},
		"a url":          {Account{Project: "twip", Repository: "https://github.com/a/b", Environments: []string{"train"}}, "name it as GitHub does"},
		"no environment": {Account{Project: "twip", Repository: "a/b"}, "there is none to deploy"},
		"too many":       {Account{Project: "twip", Repository: "a/b", Environments: []string{"a", "b", "c", "d", "e"}}, "write one for fewer"},
		"a wildcard":     {Account{Project: "twip", Repository: "a/b", Environments: []string{"*"}}, `environment "*"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Template(tc.account)
			require.ErrorContains(t, err, tc.err)
		})
	}
	for text, want := range map[string]string{
		"grant x y:Z":                "begins with write or read",
		"write":                      "begins with write or read",
		"write aws:x CreateX":        "needs its service before it",
		strings.Repeat("write a", 1): "",
	} {
		_, err := parseRights(text)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
	}
}
