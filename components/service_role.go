package components

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newServiceRole makes a role that one AWS service, and nothing else, can take.
func newServiceRole(ctx *pulumi.Context, name, service string, parent pulumi.ResourceOption) (*iam.Role, error) {
	trust, err := policy{Statement: []statement{{
		Sid: "Service", Effect: "Allow", Principal: map[string]string{"Service": service}, Action: []string{"sts:AssumeRole"},
	}}}.render()
	if err != nil {
		return nil, err
	}
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{AssumeRolePolicy: pulumi.String(trust), Tags: named(name)}, parent)
	if err != nil {
		return nil, fmt.Errorf("role for %s: %w", service, err)
	}
	return role, nil
}

// rendered is a policy document in which {0}, {1} and so on stand for values that are known only once what they name
// exists.
func rendered(p policy, values ...pulumi.StringInput) pulumi.StringOutput {
	inputs := make([]any, len(values))
	for i, value := range values {
		inputs[i] = value
	}
	return pulumi.All(inputs...).ApplyT(func(known []any) (string, error) {
		text, err := p.render()
		for i, value := range known {
			text = strings.ReplaceAll(text, "{"+strconv.Itoa(i)+"}", value.(string))
		}
		return text, err
	}).(pulumi.StringOutput)
}
