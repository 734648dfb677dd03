package guardrails

import (
	"fmt"
	"slices"
	"strings"
)

// Rule is one thing that must hold.
type Rule struct {
	ID     string   // "EFS.1": of AWS's control, or TWIP-…
	CIS    string   // number in the CIS AWS Foundations Benchmark, "v3.0.0/2.4.1"; empty: it has none
	Title  string   // what must hold
	Source string   // where that is written
	Types  []string // resources that it looks at; none: all that belong to a provider

	check check // by the resource alone; nil: it cannot be told
	whole check // by the resource among all others, once they are all there; nil: there is no need
}

// check returns what is wrong with a resource. Only a rule's whole may look at the graph.
type check func(r *Resource, g *Graph) []finding

// finding is a value that breaks a rule, and what to do about it.
type finding struct {
	value
	wayOut string
}

// Violation is a rule that a resource breaks.
type Violation struct {
	Rule     *Rule
	Resource *Resource
	Property string
	Value    string
	WayOut   string
}

func (v Violation) Error() string {
	return fmt.Sprintf(
		"guardrail %s (%s): %s %q: %s is %s: %s; if it has to be like that, declare guardrails.Except(ctx, %q, "+
			"reason) beside it; see %s",
		v.Rule.ID, v.Rule.Title, v.Resource.Type, v.Resource.Name, v.Property, v.Value, v.WayOut, v.Rule.ID,
		v.Rule.Source)
}

// Rules returns all rules, in the order of their names.
func Rules() []*Rule { return slices.Clone(rules) }

var rules = func() []*Rule {
	all := slices.Concat(networkRules, machineRules, balancerRules, distributionRules, storeRules, bucketRules,
		identityRules, imageRules, watchRules, programRules, documentRules)
	slices.SortFunc(all, func(a, b *Rule) int { return strings.Compare(a.ID, b.ID) })
	return all
}()

func ruleOf(id string) *Rule {
	for _, rule := range rules {
		if rule.ID == id {
			return rule
		}
	}
	return nil
}

func (rule *Rule) appliesTo(r *Resource) bool {
	if len(rule.Types) == 0 {
		return r.Custom && !strings.HasPrefix(r.Type, "pulumi:")
	}
	return slices.Contains(rule.Types, r.Type)
}

// alone returns what can be told from the resource by itself.
func (rule *Rule) alone(r *Resource) []Violation { return rule.violations(rule.check, r, nil) }

// among returns what can be told only among all resources.
func (rule *Rule) among(r *Resource, g *Graph) []Violation { return rule.violations(rule.whole, r, g) }

func (rule *Rule) violations(asks check, r *Resource, g *Graph) (found []Violation) {
	if asks == nil || !rule.appliesTo(r) {
		return nil
	}
	for _, f := range asks(r, g) {
		found = append(found, Violation{Rule: rule, Resource: r, Property: f.path, Value: f.shown(), WayOut: f.wayOut})
	}
	return found
}

// Check holds every rule against every resource of a complete program. It returns what is left when the exceptions are
// taken away, and an error for each exception that there is no need for.
func Check(g *Graph, exceptions []Exception) (violations []Violation, needless []error) {
	needed := make([]bool, len(exceptions))
	for _, rule := range rules {
		for _, r := range g.Resources {
			for _, v := range append(rule.alone(r), rule.among(r, g)...) {
				i := slices.IndexFunc(exceptions, func(e Exception) bool { return e.covers(v) })
				if i < 0 {
					violations = append(violations, v)
				} else {
					needed[i] = true
				}
			}
		}
	}
	for i, e := range exceptions {
		if !needed[i] && !g.undecided(e) {
			needless = append(needless, e.needless())
		}
	}
	return violations, needless
}

// undecided says whether the need for an exception may depend on what only a deployment knows.
func (g *Graph) undecided(e Exception) bool {
	return slices.ContainsFunc(g.Resources, func(r *Resource) bool {
		return r.Type == e.Type && r.Name == e.Name && r.Properties.ContainsUnknowns()
	})
}
