// Package policy writes IAM policy documents, and makes the roles that AWS services take.
package policy

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Document is an IAM policy document:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type Document struct {
	Version   string      `json:"Version"` // set by Render
	Statement []Statement `json:"Statement"`
}

// Statement allows or denies actions. In documents for Rendered, {0}, {1} and so on stand for values that are known
// only once what they name exists.
type Statement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Principal map[string]string            `json:"Principal,omitempty"`
	Action    []string                     `json:"Action"`
	Resource  []string                     `json:"Resource,omitempty"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

// Render writes the document as JSON.
func (d Document) Render() (string, error) {
	d.Version = "2012-10-17"
	text, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("IAM policy: %w", err)
	}
	return string(text), nil
}

// Rendered writes the document once the values are known that {0}, {1} and so on stand for.
func Rendered(d Document, values ...pulumi.StringInput) pulumi.StringOutput {
	inputs := make([]any, len(values))
	for i, value := range values {
		inputs[i] = value
	}
	return pulumi.All(inputs...).ApplyT(func(known []any) (string, error) {
		text, err := d.Render()
		for i, value := range known {
			text = strings.ReplaceAll(text, "{"+strconv.Itoa(i)+"}", value.(string))
		}
		return text, err
	}).(pulumi.StringOutput)
}

// EncryptedOnly denies actions on resources to everyone who does not use TLS.
func EncryptedOnly(actions, resources []string) Statement {
	return Statement{
		Sid: "EncryptedOnly", Effect: "Deny", Principal: map[string]string{"AWS": "*"}, Action: actions, Resource: resources,
		Condition: map[string]map[string]string{"Bool": {"aws:SecureTransport": "false"}},
	}
}

// ForService allows a service to act on the account's behalf, and on no other's.
func ForService(service, account string, actions, resources []string) Statement {
	return Statement{
		Sid: sid(service), Effect: "Allow", Principal: map[string]string{"Service": service},
		Action: actions, Resource: resources,
		Condition: onBehalfOf(account),
	}
}

func onBehalfOf(account string) map[string]map[string]string {
	return map[string]map[string]string{"StringEquals": {"aws:SourceAccount": account}}
}

// sid makes a statement's name, which takes letters and digits only, of a service's.
func sid(service string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(service))
}
