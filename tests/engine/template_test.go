package engine_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"twip/infra/local/engine"
	"twip/stacks"
)

// A group that is made again starts the newest version of its template, and not the one that it was first made with; a
// template that is made again, and counts versions from 1, is brought to the group by a rollout like any other.
func TestReplacementsStartTheNewestVersion(t *testing.T) {
	r := prod(t)
	template, group := "", "" // names, a change of which replaces
	r.program = func(ctx *pulumi.Context) error {
		rename := func(_ context.Context, args *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
			switch {
			case args.Type == "aws:ec2/launchTemplate:LaunchTemplate" && template != "":
				args.Props["name"] = pulumi.String(args.Name + template)
			case args.Type == "aws:autoscaling/group:Group" && group != "":
				args.Props["name"] = pulumi.String(args.Name + group)
			}
			return &pulumi.ResourceTransformResult{Props: args.Props, Opts: args.Opts}
		}
		if err := ctx.RegisterResourceTransform(rename); err != nil {
			return err
		}
		return stacks.Program(ctx)
	}
	r.mustUp()
	first := r.recorded()
	require.Equal(t, "1", first.spec.Version)

	r.config["twip:rebuild"] = "r2"
	r.mustUp()
	second := r.recorded()
	require.Equal(t, first.spec, second.spec, "a rollout changes the version, not the program")
	require.EqualValues(t, 2, second.rollout.Version)

	t.Log("the template is made again")
	template = "-again"
	r.mustUp()
	third := r.recorded()
	require.NotEqual(t, second.rollout.Template, third.rollout.Template)
	require.EqualValues(t, 1, third.rollout.Version)
	require.Equal(t, first.spec, third.spec, "no version of the old template is asked of the new one")
	require.Zero(t, r.mustUp().Changed())

	t.Log("the group is made again")
	r.config["twip:rebuild"] = "r3"
	r.mustUp()
	group = "-again"
	r.mustUp()
	fourth := r.recorded()
	require.Equal(t, spec{third.rollout.Template, "2"}, fourth.spec)
	require.Equal(t, fourth.spec.LaunchTemplateID, fourth.rollout.Template)
	require.EqualValues(t, 2, fourth.rollout.Version)
}

// spec is the template that the program gives a group.
type spec struct {
	LaunchTemplateID string
	Version          string
}

// groupState is what the engine recorded of the app group, and of its last rollout.
type groupState struct {
	spec    spec
	rollout struct {
		Template string
		Version  float64
	}
}

func (r *run) recorded() (state groupState) {
	r.t.Helper()
	_, err := r.command(func(ctx context.Context, e *engine.Engine) (engine.Summary, error) {
		text, err := e.Export(ctx)
		if err != nil {
			return engine.Summary{}, err
		}
		var exported struct {
			Deployment struct {
				Resources []struct {
					URN    string
					Delete bool
					Inputs struct {
						MixedInstancesPolicy struct {
							LaunchTemplate struct{ LaunchTemplateSpecification spec }
						}
						Input json.RawMessage
					}
				}
			}
		}
		if err := json.Unmarshal(text, &exported); err != nil {
			return engine.Summary{}, err
		}
		for _, resource := range exported.Deployment.Resources {
			switch {
			case resource.Delete:
			case strings.HasSuffix(resource.URN, "aws:autoscaling/group:Group::twip-prod-app-group"):
				state.spec = resource.Inputs.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification
			case strings.HasSuffix(resource.URN, "aws:lambda/invocation:Invocation::twip-prod-app-group"):
				var input string
				if err := json.Unmarshal(resource.Inputs.Input, &input); err != nil {
					return engine.Summary{}, err
				}
				if err := json.Unmarshal([]byte(input), &state.rollout); err != nil {
					return engine.Summary{}, err
				}
			}
		}
		return engine.Summary{}, nil
	})
	require.NoError(r.t, err)
	require.NotEmpty(r.t, state.spec.LaunchTemplateID)
	require.NotEmpty(r.t, state.rollout.Template)
	return state
}
