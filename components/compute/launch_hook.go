package compute

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/policy"
)

const (
	// launchHook is the hook's name. Machines say it when they can serve (infra/boot/scripts/twip-launched).
	launchHook = "launch"
	// launchSeconds is how long a new machine may take until it can serve: a boot (see bootSeconds), and a rehearsal of
	// the application, for whose start the keeper waits two minutes.
	launchSeconds = 600
)

// registerLaunchHook has the group wait for each new machine to say that it can serve, before the load balancer sends
// it requests and before the one that it replaces may go. One that says that it cannot, or nothing in time, is given
// up. It answers what a refresh has to wait for.
//
// The machines of a new group do not wait: nobody serves yet. The hook that a group is created with replaces the group
// whenever it changes, so it is a resource of its own.
func registerLaunchHook(
	ctx *pulumi.Context, name string, group *autoscaling.Group, machine *role, parent pulumi.ResourceOption,
) ([]pulumi.Resource, error) {
	hook, err := autoscaling.NewLifecycleHook(ctx, name, &autoscaling.LifecycleHookArgs{
		Name:                 pulumi.String(launchHook),
		AutoscalingGroupName: group.Name,
		LifecycleTransition:  pulumi.String("autoscaling:EC2_INSTANCE_LAUNCHING"),
		DefaultResult:        pulumi.String("ABANDON"),
		HeartbeatTimeout:     pulumi.Int(launchSeconds),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("launch hook: %w", err)
	}
	allow, err := iam.NewRolePolicy(ctx, name+"-launch", &iam.RolePolicyArgs{
		Role: machine.name, Policy: policy.Rendered(policy.Document{Statement: []policy.Statement{{
			Sid: "SayThatItCanServe", Effect: "Allow", Action: []string{"autoscaling:CompleteLifecycleAction"},
			Resource: []string{"{0}"},
		}}}, group.Arn),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("launch hook: role policy: %w", err)
	}
	return []pulumi.Resource{hook, allow}, nil
}
