package guardrails

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"
)

// Guard sees every resource of a program on its way to the engine.
type Guard struct {
	project, stack string
	preview        bool

	mu         sync.Mutex
	made       []pulumi.Resource // whatever was constructed, to know when all of it has been registered
	graph      Graph
	exceptions []Exception
}

type guardKey struct{}

// Enforce runs a program under the rules. A preview shows everything that breaks a rule at once; an update refuses a
// resource that breaks a rule by itself before it is made, and what can be seen only in the whole at the end.
func Enforce(ctx *pulumi.Context, program pulumi.RunFunc) error {
	ctx, guard, err := Watch(ctx)
	if err != nil {
		return err
	}
	if err := program(ctx); err != nil {
		return err
	}
	return guard.finish(ctx)
}

// Watch begins to collect a program's resources, and returns the context that the program has to go on with. Enforce
// calls it; whoever wants to see the graph afterwards calls it first. A second call finds what the first one began.
func Watch(ctx *pulumi.Context) (*pulumi.Context, *Guard, error) {
	if guard, watched := ctx.Value(guardKey{}).(*Guard); watched {
		return ctx, guard, nil
	}
	guard := &Guard{project: ctx.Project(), stack: ctx.Stack(), preview: ctx.DryRun()}
	// The local transformation runs when a resource is constructed, and so knows of all of them when the program is
	// through; the engine's runs when its properties are known, but at any time.
	err := ctx.RegisterStackTransformation(
		func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
			guard.mu.Lock()
			defer guard.mu.Unlock()
			guard.made = append(guard.made, args.Resource)
			return nil
		})
	if err != nil {
		return nil, nil, err
	}
	err = ctx.RegisterResourceTransform(
		func(background context.Context, args *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
			err := guard.see(background, args)
			if err == nil {
				return nil
			}
			// A transform has no error to return, but what it returns instead of the properties can fail.
			refused, _, refuse := ctx.NewOutput()
			refuse(err)
			return &pulumi.ResourceTransformResult{Props: pulumi.Map{"guardrails": refused}, Opts: args.Opts}
		})
	if err != nil {
		return nil, nil, err
	}
	return ctx.WithValue(guardKey{}, guard), guard, nil
}

// Graph returns the resources that the program has declared. Call it when the program has run.
func (g *Guard) Graph() *Graph {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.graph.sort()
	return &g.graph
}

// Exceptions returns those that the program has declared, in the order of rules and names. Call it when the program has
// run.
func (g *Guard) Exceptions() []Exception {
	g.mu.Lock()
	defer g.mu.Unlock()
	slices.SortFunc(g.exceptions, func(a, b Exception) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
	})
	return slices.Clone(g.exceptions)
}

func (g *Guard) except(e Exception) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.exceptions = append(g.exceptions, e)
}

// see keeps a resource that is about to be registered. In an update it says what is wrong with it.
func (g *Guard) see(ctx context.Context, args *pulumi.ResourceTransformArgs) error {
	r, err := g.resource(ctx, args)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.graph.Resources = append(g.graph.Resources, r)
	if g.preview {
		return nil
	}
	var problems []error
	for _, rule := range rules {
		for _, v := range rule.alone(r) {
			if !slices.ContainsFunc(g.exceptions, func(e Exception) bool { return e.covers(v) }) {
				problems = append(problems, v)
			}
		}
	}
	return errors.Join(problems...)
}

func (g *Guard) resource(ctx context.Context, args *pulumi.ResourceTransformArgs) (*Resource, error) {
	properties, err := propertyMap(ctx, args.Props)
	if err != nil {
		return nil, err
	}
	r := &Resource{
		Type:       args.Type,
		Name:       args.Name,
		Custom:     args.Custom,
		Protect:    args.Opts.Protect,
		Properties: properties,
	}
	var parent tokens.Type
	if args.Opts.Parent != nil {
		urn, err := urnOf(ctx, args.Opts.Parent)
		if err != nil {
			return nil, err
		}
		if typ := resource.URN(urn).QualifiedType(); typ != resource.RootStackType {
			parent = typ
		}
	}
	r.URN = string(resource.NewURN(tokens.QName(g.stack), tokens.PackageName(g.project), parent, tokens.Type(args.Type),
		args.Name))
	if args.Opts.Provider != nil {
		if r.Provider, err = urnOf(ctx, args.Opts.Provider); err != nil {
			return nil, err
		}
	}
	for _, other := range args.Opts.DependsOn {
		urn, err := urnOf(ctx, other)
		if err != nil {
			return nil, err
		}
		r.Dependencies = append(r.Dependencies, urn)
	}
	return r, nil
}

// finish waits until every resource is registered and judges the whole. It is silent when a registration has failed:
// the engine says why, and half a program would only be blamed for what it lacks.
func (g *Guard) finish(ctx *pulumi.Context) error {
	for _, r := range g.constructed() {
		if _, err := urnOf(ctx.Context(), r); err != nil {
			return nil //nolint:nilerr // the engine has reported it
		}
	}
	violations, needless := Check(g.Graph(), g.Exceptions())
	problems := needless
	for _, e := range g.Exceptions() {
		problems = append(problems, e.check())
	}
	for _, v := range violations {
		problems = append(problems, v)
	}
	return errors.Join(problems...)
}

func (g *Guard) constructed() []pulumi.Resource {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.made)
}

func urnOf(ctx context.Context, r pulumi.Resource) (string, error) {
	urn, err := internals.UnsafeAwaitOutput(ctx, r.URN())
	if err != nil {
		return "", err
	}
	text, _ := urn.Value.(pulumi.URN)
	return string(text), nil
}
