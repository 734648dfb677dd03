package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"twip/infra/local/account"
)

// provider answers an engine for one package. The wire format, unknown values and secrets are the SDK's part: secrets
// arrive marked, and leave marked because outputs are inputs and more.
type provider struct {
	plugin.UnimplementedProvider
	server  *Server
	pkg     string
	configs configurations
}

var _ plugin.GrpcProvider = (*provider)(nil)

func newProvider(s *Server, pkg string) *provider { return &provider{server: s, pkg: pkg} }

func (p *provider) Handshake(
	context.Context, plugin.ProviderHandshakeRequest,
) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: true}, nil
}

// Attach is the engine's first call to a provider that runs already. Nothing is asked of the engine in return.
func (p *provider) Attach(string) error { return nil }

// GetPluginInfo gives the version of the provider that this one stands in for.
func (p *provider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	v, err := semver.Parse(account.Version(p.pkg))
	return plugin.PluginInfo{Version: &v}, err
}

func (p *provider) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	return plugin.GetSchemaResponse{Schema: fmt.Appendf(nil, `{"name":%q}`, p.pkg)}, nil
}

func (p *provider) SignalCancellation(context.Context) error { return nil }

func (p *provider) Close() error { return nil }

func (p *provider) CheckConfig(_ context.Context, r plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	out := plugin.CheckConfigResponse{Properties: r.News}
	if p.pkg == "aws" && text(r.News, "region") == "" && !value(r.News, "region").IsComputed() {
		out.Failures = append(out.Failures, plugin.CheckFailure{
			Property: "region",
			Reason:   "the provider needs a region: set the configuration key aws:region",
		})
	}
	return out, nil
}

func (p *provider) DiffConfig(_ context.Context, r plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	if r.OldInputs.DeepEquals(r.NewInputs) {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	out := plugin.DiffResult{Changes: plugin.DiffSome}
	if !value(r.OldInputs, "region").DeepEquals(value(r.NewInputs, "region")) {
		out.ReplaceKeys = []resource.PropertyKey{"region"} // resources cannot move
	}
	return out, nil
}

func (p *provider) Configure(ctx context.Context, r plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	c, err := configure(r.Inputs)
	if err != nil {
		return plugin.ConfigureResponse{}, err
	}
	p.configs.set(ctx, c)
	return plugin.ConfigureResponse{}, nil
}

// cloud is AWS as the connection's provider sees it.
func (p *provider) cloud(ctx context.Context) (account.Model, error) {
	c, err := p.server.state.read()
	if err != nil {
		return account.Model{}, err
	}
	return account.Model{
		Region:  p.configs.get(ctx).region,
		Account: p.server.options.Account,
		Lookup: func(id string) (resource.PropertyMap, bool) {
			t, ok := c.byID(id)
			return resource.NewPropertyMapFromMap(t.Facts), ok
		},
	}, nil
}

// Check refuses what the real provider refuses. The provider's default tags become the resource's own here, as
// pulumi-aws v6 does it, so a change to them is a difference of every resource.
func (p *provider) Check(ctx context.Context, r plugin.CheckRequest) (plugin.CheckResponse, error) {
	cloud, err := p.cloud(ctx)
	if err != nil {
		return plugin.CheckResponse{}, err
	}
	out := plugin.CheckResponse{
		Properties: account.WithDefaultTags(string(r.Type), r.News, p.configs.get(ctx).defaultTags),
	}
	for _, f := range cloud.Check(string(r.Type), r.News) {
		out.Failures = append(out.Failures,
			plugin.CheckFailure{Property: resource.PropertyKey(f.Property), Reason: f.Reason})
	}
	return out, nil
}

func (p *provider) Diff(ctx context.Context, r plugin.DiffRequest) (plugin.DiffResponse, error) {
	cloud, err := p.cloud(ctx)
	if err != nil {
		return plugin.DiffResult{}, err
	}
	d := cloud.Diff(string(r.Type), r.OldInputs, r.NewInputs)
	if len(d.Changed) == 0 {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	out := plugin.DiffResult{
		Changes:             plugin.DiffSome,
		DetailedDiff:        map[string]plugin.PropertyDiff{},
		DeleteBeforeReplace: d.DeleteFirst,
	}
	for _, path := range d.Changed {
		change := plugin.PropertyDiff{Kind: plugin.DiffUpdate, InputDiff: true}
		if slices.Contains(d.Replace, path) {
			change = change.ToReplace()
		}
		out.DetailedDiff[path] = change
	}
	return out, nil
}

func (p *provider) Create(ctx context.Context, r plugin.CreateRequest) (plugin.CreateResponse, error) {
	typ := string(r.Type)
	cloud, err := p.cloud(ctx)
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	if r.Preview {
		out, err := cloud.Preview(typ, r.Name, r.Properties)
		return plugin.CreateResponse{Properties: out}, err
	}
	if err := p.fault(Create, typ, r.Name); err != nil {
		return plugin.CreateResponse{}, err
	}
	var serial int
	if err := p.server.state.change(func(c *contents) error {
		c.Serial++
		c.Made[string(r.URN)]++
		// A first creation has the same identifiers on every computer, whatever was created beside it; a replacement
		// others.
		serial, cloud.Seed = c.Serial, fmt.Sprint(c.Made[string(r.URN)])
		return nil
	}); err != nil {
		return plugin.CreateResponse{}, err
	}
	id, out, err := cloud.Create(typ, r.Name, r.Properties)
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	o := &operation{
		server:   p.server,
		computer: p.server.options.Computer,
		cloud:    cloud,
		name:     r.Name,
		id:       id,
		inputs:   r.Properties,
		outputs:  out,
	}
	t := recorded{Type: typ, ID: id, URN: string(r.URN), Serial: serial}
	if b := bodies[typ]; b.create != nil && o.computer != nil {
		// Written down first: if this process dies meanwhile, the next run finds what it has to remove.
		if err := p.server.state.change(func(c *contents) error { c.Resources[key(typ, id)] = t; return nil }); err != nil {
			return plugin.CreateResponse{}, err
		}
		if err := b.create(ctx, o); err != nil {
			return plugin.CreateResponse{}, errors.Join(err, p.undo(ctx, o, t))
		}
	}
	t.Facts = facts(out, bodies[typ].facts)
	return plugin.CreateResponse{ID: resource.ID(id), Properties: o.outputs}, p.server.remember(ctx, t)
}

// undo removes what a failed creation may have left, so that the next attempt starts afresh. The attempt's own context
// may have ended.
func (p *provider) undo(ctx context.Context, o *operation, t recorded) error {
	ctx = context.WithoutCancel(ctx)
	if discard := bodies[t.Type].discard; discard != nil {
		if err := discard(ctx, o); err != nil {
			return fmt.Errorf("%s %s is left half-made, the next run removes it: %w", t.Type, t.ID, err)
		}
	}
	return p.server.forget(ctx, t.Type, t.ID)
}

// Read says what is left of a resource. A record without a body is as it was recorded, unless the record is gone.
func (p *provider) Read(ctx context.Context, r plugin.ReadRequest) (plugin.ReadResponse, error) {
	typ, id := string(r.Type), string(r.ID)
	c, err := p.server.state.read()
	if err != nil {
		return plugin.ReadResponse{}, err
	}
	if _, ok := c.Resources[key(typ, id)]; !ok {
		return plugin.ReadResponse{}, nil
	}
	cloud, err := p.cloud(ctx)
	if err != nil {
		return plugin.ReadResponse{}, err
	}
	o := &operation{
		server:   p.server,
		computer: p.server.options.Computer,
		cloud:    cloud,
		name:     r.Name,
		id:       id,
		inputs:   r.Inputs,
		outputs:  r.State.Copy(),
	}
	if b := bodies[typ]; b.exists != nil && o.computer != nil {
		there, err := b.exists(ctx, o)
		if err != nil {
			return plugin.ReadResponse{}, fmt.Errorf("%s %s: look whether it is there: %w", typ, id, err)
		}
		if !there {
			return plugin.ReadResponse{}, p.server.forget(ctx, typ, id)
		}
	}
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: r.ID, Inputs: r.Inputs, Outputs: o.outputs}}, nil
}

func (p *provider) Update(ctx context.Context, r plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	typ := string(r.Type)
	cloud, err := p.cloud(ctx)
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	out, err := cloud.Update(typ, r.Name, r.OldInputs, r.OldOutputs, r.NewInputs, r.Preview)
	if err != nil || r.Preview {
		return plugin.UpdateResponse{Properties: out}, err
	}
	if err := p.fault(Update, typ, r.Name); err != nil {
		return plugin.UpdateResponse{}, err
	}
	o := &operation{
		server:   p.server,
		computer: p.server.options.Computer,
		cloud:    cloud,
		name:     r.Name,
		id:       string(r.ID),
		inputs:   r.NewInputs,
		outputs:  out,
		old:      r.OldInputs,
	}
	if b := bodies[typ]; b.update != nil && o.computer != nil {
		if err := b.update(ctx, o); err != nil {
			return plugin.UpdateResponse{}, err
		}
	}
	t := recorded{Type: typ, ID: string(r.ID), URN: string(r.URN), Facts: facts(o.outputs, bodies[typ].facts)}
	return plugin.UpdateResponse{Properties: o.outputs}, p.server.remember(ctx, t)
}

func (p *provider) Delete(ctx context.Context, r plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	typ, id := string(r.Type), string(r.ID)
	if err := p.fault(Delete, typ, r.Name); err != nil {
		return plugin.DeleteResponse{}, err
	}
	cloud, err := p.cloud(ctx)
	if err != nil {
		return plugin.DeleteResponse{}, err
	}
	o := &operation{
		server:   p.server,
		computer: p.server.options.Computer,
		cloud:    cloud,
		name:     r.Name,
		id:       id,
		inputs:   r.Inputs,
		outputs:  r.Outputs,
	}
	if b := bodies[typ]; b.remove != nil && o.computer != nil {
		if err := b.remove(ctx, o); err != nil {
			return plugin.DeleteResponse{}, fmt.Errorf("%s %s: %w", typ, id, err)
		}
	}
	return plugin.DeleteResponse{}, p.server.forget(ctx, typ, id)
}

func (p *provider) Invoke(ctx context.Context, r plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	cloud, err := p.cloud(ctx)
	if err != nil {
		return plugin.InvokeResponse{}, err
	}
	out, err := cloud.Invoke(string(r.Tok), r.Args)
	if err == nil && r.Tok == imageQuestion && p.server.options.Computer != nil {
		err = p.server.hasImage(ctx, r.Args)
	}
	return plugin.InvokeResponse{Properties: out}, err
}

func (p *provider) fault(op Operation, typ, name string) error {
	if p.server.options.Fault == nil {
		return nil
	}
	return p.server.options.Fault(op, typ, name)
}
