package components

import (
	"encoding/json"
	"fmt"
)

// policy is an IAM policy document:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type policy struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Principal map[string]string            `json:"Principal,omitempty"`
	Action    []string                     `json:"Action"`
	Resource  []string                     `json:"Resource,omitempty"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

func (p policy) render() (string, error) {
	p.Version = "2012-10-17"
	text, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("IAM policy: %w", err)
	}
	return string(text), nil
}

// assumedByEC2 lets instances, and nothing else, take a role.
func assumedByEC2() policy {
	return policy{Statement: []statement{{
		Sid: "Instances", Effect: "Allow", Principal: map[string]string{"Service": "ec2.amazonaws.com"}, Action: []string{"sts:AssumeRole"},
	}}}
}

// machinePolicy lets a machine pull from exactly these repositories and write to exactly these log groups. Logging in to
// the registry is the one action that IAM cannot narrow:
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
func machinePolicy(repositories, logGroups []string) policy {
	streams := make([]string, len(logGroups))
	for i, group := range logGroups {
		streams[i] = group + ":*"
	}
	return policy{Statement: []statement{
		{Sid: "LogIn", Effect: "Allow", Action: []string{"ecr:GetAuthorizationToken"}, Resource: []string{"*"}},
		{Sid: "Pull", Effect: "Allow", Action: []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, Resource: repositories},
		{Sid: "Log", Effect: "Allow", Action: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resource: streams},
	}}
}
