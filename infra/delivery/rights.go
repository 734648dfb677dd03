package delivery

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed rights.txt
var rightsFile string

// rights are what rights.txt says.
type rights struct {
	writes map[string][]string // full actions by type of resource
	reads  []string            // full actions
}

// parseRights reads a file like rights.txt.
func parseRights(text string) (rights, error) {
	r := rights{writes: map[string][]string{}}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if len(words) < 2 || words[0] != "write" && words[0] != "read" {
			return r, fmt.Errorf("rights.txt: %q: a line begins with write or read, and what it is about", line)
		}
		service, found := "", []string{}
		for _, word := range words[2:] {
			if of, action, qualified := strings.Cut(word, ":"); qualified {
				service, word = of, action
			}
			if service == "" {
				return r, fmt.Errorf("rights.txt: %q: the first action needs its service before it", line)
			}
			found = append(found, service+":"+word)
		}
		if words[0] == "read" {
			r.reads = append(r.reads, found...)
			continue
		}
		r.writes[words[1]] = found
	}
	return r, nil
}

// named are the services whose resources have names, or ARNs, that begin with the environment's. {stack} is its prefix.
var named = map[string][]string{
	"cloudwatch": {"arn:aws:cloudwatch:*:${AWS::AccountId}:alarm:{stack}*",
		"arn:aws:cloudwatch::${AWS::AccountId}:dashboard/{stack}*"},
	"ecr":    {"arn:aws:ecr:*:${AWS::AccountId}:repository/{stack}*"},
	"iam":    {"arn:aws:iam::${AWS::AccountId}:role/{stack}*", "arn:aws:iam::${AWS::AccountId}:instance-profile/{stack}*"},
	"lambda": {"arn:aws:lambda:*:${AWS::AccountId}:function:{stack}*"},
	"s3":     {"arn:aws:s3:::{stack}*"},
	"sns":    {"arn:aws:sns:*:${AWS::AccountId}:{stack}*"},
}

// worldwide are the services that have no region.
var worldwide = []string{"budgets", "cloudfront", "iam", "route53"}

// byService are the writes of all types, each once and in order.
func (r rights) byService() map[string][]string {
	all := map[string][]string{}
	for _, actions := range r.writes {
		for _, action := range actions {
			service, _, _ := strings.Cut(action, ":")
			all[service] = append(all[service], action)
		}
	}
	for service, actions := range all {
		slices.Sort(actions)
		all[service] = slices.Compact(actions)
	}
	return all
}
