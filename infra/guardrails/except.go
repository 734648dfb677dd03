package guardrails

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Exception lets one resource break one rule.
type Exception struct {
	Rule       string // id
	Type, Name string // of the resource
	Reason     string // for whoever reads the list of exceptions
}

// Except is the option of a resource that has to break a rule. The reason stands in the README. An exception that
// excepts nothing fails the program, so that none outlives its need.
func Except(ctx *pulumi.Context, rule, reason string) pulumi.ResourceOption {
	guard, enforced := ctx.Value(guardKey{}).(*Guard)
	if !enforced { // a component on its own, which nobody holds against the rules
		return pulumi.Composite()
	}
	declared := false
	return pulumi.Transformations([]pulumi.ResourceTransformation{
		func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
			if !declared { // children inherit transformations, but not the exception
				declared = true
				guard.except(Exception{Rule: rule, Type: args.Type, Name: args.Name, Reason: reason})
			}
			return nil
		},
	})
}

// ExceptWhen is Except for a resource that has to break the rule only in some environments.
func ExceptWhen(ctx *pulumi.Context, has bool, rule, reason string) pulumi.ResourceOption {
	if !has {
		return pulumi.Composite()
	}
	return Except(ctx, rule, reason)
}

func (e Exception) covers(v Violation) bool {
	return e.Rule == v.Rule.ID && e.Type == v.Resource.Type && e.Name == v.Resource.Name
}

func (e Exception) needless() error {
	return fmt.Errorf(
		"guardrails: the exception from %s at %s %q excepts nothing: remove guardrails.Except(ctx, %q, …) there",
		e.Rule, e.Type, e.Name, e.Rule)
}

// check refuses an exception that nobody could understand.
func (e Exception) check() error {
	switch {
	case ruleOf(e.Rule) == nil:
		return fmt.Errorf(
			"guardrails: the exception at %s %q is from %q, which is no rule: use the id of one, as a violation "+
				"names it",
			e.Type, e.Name, e.Rule)
	case e.Reason == "":
		return fmt.Errorf("guardrails: the exception from %s at %s %q gives no reason: say why it has to be", e.Rule,
			e.Type, e.Name)
	}
	return nil
}
