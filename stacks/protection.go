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

// protect refuses to destroy an environment of which a part is protected. It is declared after those parts, and always:
// who lifts the protection could not delete it.
func (c *Config) protect(ctx *pulumi.Context, parts ...pulumi.Resource) error {
	protected := c.ProtectData || c.Topology == MultiZone && c.MultiZone.ProtectEdge
	if err := ctx.RegisterComponentResource("twip:stacks:Protection", c.name("protection"), &protection{},
		pulumi.Protect(protected), pulumi.DependsOn(parts)); err != nil {
		return fmt.Errorf("protection: %w", err)
	}
	return nil
}
