package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/local/provider"
)

// Options of an Engine. All fields without a default are required.
type Options struct {
	// Checkout is the directory with Pulumi.yaml and the stacks' files. It is read only. While the program runs, the
	// process' working directory is where Pulumi.yaml's "main" says, as it is under the CLI.
	Checkout string
	Stack    string // names Pulumi.<stack>.yaml, which has to exist
	// StackFiles is the directory of Pulumi.<stack>.yaml. The default is Checkout.
	StackFiles string
	State      string         // directory of the engine's state; made if need be, for one stack
	Config     map[string]any // local values, which win over the stack's file; keys have the form namespace:name
	Program    pulumi.RunFunc

	// Providers are what resources are made by. The caller starts and closes them.
	Providers *provider.Server

	// CLI finds, or builds, the Pulumi command. The default is FindCLI.
	CLI func(ctx context.Context, progress func(string)) (auto.PulumiCommand, error)

	// Sweep removes what the stack has on this computer, also what no record tells of. Destroy calls it once nothing
	// protected forbids that; deleting what is gone is no error then. The default does nothing.
	Sweep func(ctx context.Context) error

	// Progress receives a line for everything that a person waits for. The default drops them.
	Progress func(line string)
}

// Engine runs one stack.
type Engine struct {
	options   Options
	workspace workspace
	cli       func() (auto.PulumiCommand, error)
}

// New checks the options. It touches nothing yet.
func New(o Options) (*Engine, error) {
	var errs []error
	require := func(given bool, field, hint string) {
		if !given {
			errs = append(errs, fmt.Errorf("local engine: %s is missing: %s", field, hint))
		}
	}
	require(o.Checkout != "", "Checkout", "name the directory that holds Pulumi.yaml")
	require(o.Stack != "", "Stack", "name the stack, such as train")
	require(o.State != "", "State", "name a directory outside the checkout")
	require(o.Program != nil, "Program", "pass the program to run")
	require(o.Providers != nil, "Providers", "start them with provider.Start")
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if o.StackFiles == "" {
		o.StackFiles = o.Checkout
	}
	if o.CLI == nil {
		o.CLI = FindCLI
	}
	if o.Sweep == nil {
		o.Sweep = func(context.Context) error { return nil }
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	e := &Engine{options: o, workspace: workspace{
		checkout: o.Checkout, stackFiles: o.StackFiles, stack: o.Stack, state: o.State,
	}}
	e.cli = sync.OnceValues(func() (auto.PulumiCommand, error) { return o.CLI(context.Background(), o.Progress) })
	return e, nil
}

// Summary says what a command did, or in a preview would do.
type Summary struct {
	Changes map[string]int // resources by operation: create, same …; by Refresh, delete is what is gone
	Steps   []Step         // everything but "same", in the order of their ends
	Outputs map[string]any // the stack's outputs after Up; secrets as they are
}

// Changed counts the resources that are not the same as before.
func (s Summary) Changed() int {
	n := 0
	for op, count := range s.Changes {
		if op != string(apitype.OpSame) && op != string(apitype.OpRead) {
			n += count
		}
	}
	return n
}

// Step is one operation on one resource.
type Step struct {
	Op, Type, Name string
	Replace        []string // for a replacement: the properties that force it
	Changed        []string // for an update or a replacement: the paths of what differs (a.b, a[0].b), sorted
}

// Up makes what the program declares. What vanished from this computer meanwhile is found out first and made again, and
// what a killed run left is cleared away.
func (e *Engine) Up(ctx context.Context) (Summary, error) {
	return e.run(ctx, func(ctx context.Context, s auto.Stack, p *progress) error {
		if err := e.reconcile(ctx, s); err != nil {
			return err
		}
		result, err := s.Up(ctx, optup.Refresh(), optup.EventStreams(p.events),
			optup.ProgressStreams(p.out), optup.SuppressOutputs(), optup.Color("never"))
		if err != nil {
			return err
		}
		p.summary.Outputs = plain(result.Outputs)
		return nil
	})
}

// Preview says what Up would do. It changes nothing.
func (e *Engine) Preview(ctx context.Context) (Summary, error) {
	return e.run(ctx, func(ctx context.Context, s auto.Stack, p *progress) error {
		_, err := s.Preview(ctx, optpreview.EventStreams(p.events), optpreview.ProgressStreams(p.out),
			optpreview.Color("never"))
		return err
	})
}

// Refresh compares the recorded state with what is there, and records the difference.
func (e *Engine) Refresh(ctx context.Context) (Summary, error) {
	return e.run(ctx, func(ctx context.Context, s auto.Stack, p *progress) error {
		if err := e.reconcile(ctx, s); err != nil {
			return err
		}
		_, err := s.Refresh(ctx, optrefresh.EventStreams(p.events), optrefresh.ProgressStreams(p.out),
			optrefresh.ClearPendingCreates(), optrefresh.Color("never"))
		return err
	})
}

// Destroy deletes every resource. If one is protected, the engine refuses before anything is deleted: stacks.Program
// sees to that.
func (e *Engine) Destroy(ctx context.Context) (Summary, error) {
	return e.run(ctx, func(ctx context.Context, s auto.Stack, p *progress) error {
		if err := e.reconcile(ctx, s); err != nil {
			return err
		}
		if err := e.options.Sweep(ctx); err != nil {
			return err
		}
		_, err := s.Destroy(ctx, optdestroy.EventStreams(p.events), optdestroy.ProgressStreams(p.out),
			optdestroy.Color("never"))
		return err
	})
}

// Outputs are the stack's, of the last Up that ended well; empty before one.
func (e *Engine) Outputs(ctx context.Context) (map[string]any, error) {
	s, err := e.open(ctx)
	if err != nil {
		return nil, err
	}
	outputs, err := s.Outputs(ctx)
	if err != nil {
		return nil, fmt.Errorf("stack %s: outputs: %w", e.options.Stack, err)
	}
	return plain(outputs), nil
}

// Export is the stack's state, as `pulumi stack export` prints it.
func (e *Engine) Export(ctx context.Context) ([]byte, error) {
	s, err := e.open(ctx)
	if err != nil {
		return nil, err
	}
	state, err := s.Export(ctx)
	if err != nil {
		return nil, fmt.Errorf("stack %s: read the recorded state: %w", e.options.Stack, err)
	}
	return json.Marshal(state)
}

func plain(outputs auto.OutputMap) map[string]any {
	out := map[string]any{}
	for name, v := range outputs {
		out[name] = v.Value
	}
	return out
}

// Status is the stack's latest command and what exists of it.
type Status struct {
	Kind, Result string // such as "update" and "succeeded"; empty if none ran yet
	At           time.Time
	Resources    int
}

// Status reads what is recorded; it asks no provider.
func (e *Engine) Status(ctx context.Context) (Status, error) {
	s, err := e.open(ctx)
	if err != nil {
		return Status{}, err
	}
	resources, err := exported(ctx, s)
	if err != nil {
		return Status{}, err
	}
	out := Status{Resources: len(resources)}
	history, err := s.History(ctx, 1, 1)
	if err != nil {
		return out, fmt.Errorf("stack %s: history: %w", e.options.Stack, err)
	}
	if len(history) > 0 {
		out.Kind, out.Result = history[0].Kind, history[0].Result
		if out.At, err = time.Parse(time.RFC3339, history[0].StartTime); err != nil {
			return out, fmt.Errorf("stack %s: history: %w", e.options.Stack, err)
		}
	}
	return out, nil
}

// run does a command under the lock, with the working directory that the program expects.
func (e *Engine) run(
	ctx context.Context, do func(context.Context, auto.Stack, *progress) error,
) (_ Summary, err error) {
	release, err := e.workspace.lock()
	if err != nil {
		return Summary{}, err
	}
	defer release()
	s, err := e.open(ctx)
	if err != nil {
		return Summary{}, err
	}
	if err := e.workspace.breakLock(ctx); err != nil {
		return Summary{}, err
	}
	back, err := enter(e.workspace.programDir())
	if err != nil {
		return Summary{}, err
	}
	defer func() { err = errors.Join(err, back()) }()
	p := newProgress(e.options.Progress)
	err = do(ctx, s, p)
	summary := p.end()
	if err != nil {
		return summary, p.explain(err)
	}
	return summary, nil
}

// enter changes the process' working directory, until the returned function is called.
func enter(dir string) (back func() error, err error) {
	before, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if err := os.Chdir(dir); err != nil {
		return nil, fmt.Errorf("the program's directory: %w: Pulumi.yaml's main names it", err)
	}
	return func() error { return os.Chdir(before) }, nil
}

// open selects the stack, and makes it when it is new.
func (e *Engine) open(ctx context.Context) (auto.Stack, error) {
	if err := e.workspace.mendAttributes(); err != nil {
		return auto.Stack{}, fmt.Errorf("stack %s: state: %w", e.options.Stack, err)
	}
	cli, err := e.cli()
	if err != nil {
		return auto.Stack{}, err
	}
	project, secrets, err := e.workspace.write(e.options.Config)
	if err != nil {
		return auto.Stack{}, err
	}
	environment, err := e.workspace.environment()
	if err != nil {
		return auto.Stack{}, err
	}
	for k, v := range e.options.Providers.Environment() {
		environment[k] = v
	}
	s, err := auto.UpsertStackInlineSource(ctx, e.options.Stack, project, e.options.Program,
		auto.WorkDir(e.workspace.dir()), auto.Pulumi(
			cli), auto.PulumiHome(filepath.Join(e.options.State, "home")), auto.SecretsProvider("passphrase"),
		auto.EnvVars(environment))
	if err != nil {
		return auto.Stack{}, fmt.Errorf("stack %s: %w", e.options.Stack, err)
	}
	if len(secrets) > 0 {
		if err := s.SetAllConfig(ctx, secrets); err != nil {
			return auto.Stack{}, fmt.Errorf("stack %s: secret configuration: %w", e.options.Stack, err)
		}
	}
	return s, nil
}

// recorded is one resource of a stack's state.
type recorded struct {
	URN     string `json:"urn"`
	Type    string `json:"type"`
	ID      string `json:"id"`
	Protect bool   `json:"protect"`
}

func exported(ctx context.Context, s auto.Stack) ([]recorded, error) {
	state, err := s.Export(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the recorded state: %w", err)
	}
	var deployment struct {
		Resources []recorded `json:"resources"`
	}
	if err := json.Unmarshal(state.Deployment, &deployment); err != nil {
		return nil, fmt.Errorf("read the recorded state: %w", err)
	}
	return deployment.Resources, nil
}

// reconcile clears away what exists and is not recorded.
func (e *Engine) reconcile(ctx context.Context, s auto.Stack) error {
	resources, err := exported(ctx, s)
	if err != nil {
		return err
	}
	var known []provider.Known
	for _, r := range resources {
		known = append(known, provider.Known{Type: r.Type, ID: r.ID})
	}
	lines, err := e.options.Providers.Reconcile(ctx, known)
	for _, line := range lines {
		e.options.Progress(line)
	}
	return err
}
