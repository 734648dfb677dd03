package guardrails

import (
	"encoding/json"
	"slices"
	"strings"
)

// statement is one of an IAM policy's, as far as rules look at it:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type statement struct {
	Effect    string
	Principal principals
	Action    texts
	NotAction texts
	Resource  texts
	Condition map[string]map[string]texts
}

// texts is one text or a list of them.
type texts []string

// UnmarshalJSON reads either.
func (t *texts) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(t))
}

// principals are by kind: AWS, Service, Federated.
type principals map[string]texts

// UnmarshalJSON reads "*", which is everybody, as well.
func (p *principals) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*p = principals{"AWS": {one}}
		return nil
	}
	return json.Unmarshal(raw, (*map[string]texts)(p))
}

// documents asks that a property is a policy whose statements are good.
func documents(path string, good func([]statement) bool, wayOut string) check {
	return text(path, func(got string) bool {
		var policy struct{ Statement []statement }
		return json.Unmarshal([]byte(got), &policy) == nil && good(policy.Statement)
	}, wayOut)
}

// each statement has to be good.
func eachStatement(good func(statement) bool) func([]statement) bool {
	return func(all []statement) bool {
		return !slices.ContainsFunc(all, func(s statement) bool { return !good(s) })
	}
}

func (s statement) allows() bool { return s.Effect == "Allow" }

func (s statement) everybody() bool { return slices.Contains(s.Principal["AWS"], "*") }

const (
	closedWayOut      = "name who may, or add a condition that does"
	deniesPlainWayOut = "deny every action when aws:SecureTransport is false"
)

// closed refuses everybody, unless a condition says who.
var closed = eachStatement(func(s statement) bool { return !s.allows() || !s.everybody() || len(s.Condition) > 0 })

// closedTo refuses everybody some actions, given by how they begin.
func closedTo(actions ...string) func([]statement) bool {
	return eachStatement(func(s statement) bool {
		return !s.allows() || !s.everybody() || !slices.ContainsFunc(actions, s.touches)
	})
}

// touches says whether a statement is about an action that begins like this.
func (s statement) touches(action string) bool {
	return len(s.NotAction) > 0 || slices.ContainsFunc(s.Action, func(named string) bool {
		prefix, wildcard := strings.CutSuffix(named, "*")
		return strings.HasPrefix(named, action) || wildcard && strings.HasPrefix(action, prefix)
	})
}

// deniesPlain asks for a statement that refuses everybody everything on a plain connection. Some services take no "*".
func deniesPlain(all []statement) bool {
	return slices.ContainsFunc(all, func(s statement) bool {
		return s.Effect == "Deny" && s.everybody() && len(s.Action) > 0 &&
			slices.Equal(s.Condition["Bool"]["aws:SecureTransport"], texts{"false"})
	})
}
