package stacks

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// protection is what a destroy meets first. Pulumi refuses to delete a protected resource only when its turn has come:
// `pulumi destroy --skip-preview` would take the machines away, and then fail at their data (DeleteStep.Apply in
// Pulumi's step.go). What depends on everything has to go before everything: so this, which is protected as well, is
// refused while all the rest still stands. It is no resource of AWS's.
type protection struct {
	pulumi.ResourceState
}

// listed keeps a list of every resource of AWS's that is declared from now on.
func listed(ctx *pulumi.Context) (*[]pulumi.Resource, error) {
	var declared []pulumi.Resource
	err := ctx.RegisterStackTransformation(
		func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
			_, custom := args.Resource.(pulumi.CustomResource)
			if _, provider := args.Resource.(pulumi.ProviderResource); custom && !provider {
				declared = append(declared, args.Resource)
			}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("protection: %w", err)
	}
	return &declared, nil
}

// protect refuses to destroy an environment of which a part is protected. It is declared after everything, and always:
// who lifts the protection could not delete it. It names each resource: of a component it would wait for those children
// only that had been registered by chance (addDependency in Pulumi's rpc.go).
func (c *Config) protect(ctx *pulumi.Context, everything []pulumi.Resource) error {
	protected := c.ProtectData || c.Topology == MultiZone && c.MultiZone.ProtectEdge
	if err := ctx.RegisterComponentResource("twip:stacks:Protection", c.name("protection"), &protection{},
		pulumi.Protect(protected), pulumi.DependsOn(everything)); err != nil {
		return fmt.Errorf("protection: %w", err)
	}
	return nil
}
