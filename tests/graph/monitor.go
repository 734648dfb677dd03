package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"twip/infra/local/account"
)

// monitor is the engine's side of a program's registrations.
type monitor struct {
	pulumirpc.UnimplementedResourceMonitorServer
	graph   *Graph
	stack   string
	preview bool
	fails   string // type of which no resource can be made

	transforms []transform
}

const providerPrefix = "pulumi:providers:"

// SupportsFeature says yes to what the engine of this version does and this double does too.
func (m *monitor) SupportsFeature(
	_ context.Context, in *pulumirpc.SupportsFeatureRequest,
) (*pulumirpc.SupportsFeatureResponse, error) {
	features := []string{"secrets", "resourceReferences", "aliasSpecs", "deletedWith", "transforms"}
	return &pulumirpc.SupportsFeatureResponse{HasSupport: slices.Contains(features, in.GetId())}, nil
}

// RegisterResource keeps the resource and answers as the cloud would.
func (m *monitor) RegisterResource(
	ctx context.Context, in *pulumirpc.RegisterResourceRequest,
) (*pulumirpc.RegisterResourceResponse, error) {
	urn := m.urn(in.GetParent(), in.GetType(), in.GetName())
	if in.GetType() == string(resource.RootStackType) {
		return &pulumirpc.RegisterResourceResponse{Urn: urn}, nil
	}
	if err := m.transformed(ctx, in); err != nil {
		return nil, err
	}
	inputs, err := unmarshal(in.GetObject())
	if err != nil {
		return nil, fmt.Errorf("%s: inputs: %w", urn, err)
	}
	node := &Node{
		URN: urn, Type: in.GetType(), Name: in.GetName(), Custom: in.GetCustom(), Inputs: inputs,
		Provider:            urnOf(in.GetProvider()),
		Protect:             in.GetProtect(),
		RetainOnDelete:      in.GetRetainOnDelete(),
		DeleteBeforeReplace: in.GetDeleteBeforeReplace(),
		IgnoreChanges:       in.GetIgnoreChanges(),
		Dependencies:        slices.Compact(slices.Sorted(slices.Values(in.GetDependencies()))),
	}
	if resource.URN(in.GetParent()).QualifiedType() != resource.RootStackType {
		node.Parent = in.GetParent()
	}
	if node.Type == m.fails {
		return nil, fmt.Errorf("%s: the cloud has failed", urn)
	}
	if node.ID, node.Outputs, err = m.create(node); err != nil {
		return nil, err
	}
	if err := m.graph.add(node); err != nil {
		return nil, err
	}
	state, err := marshal(node.Outputs)
	if err != nil {
		return nil, fmt.Errorf("%s: outputs: %w", urn, err)
	}
	return &pulumirpc.RegisterResourceResponse{Urn: urn, Id: node.ID, Object: state}, nil
}

// create finds out what the resource is known by once it exists.
func (m *monitor) create(node *Node) (string, resource.PropertyMap, error) {
	switch {
	case !node.Custom:
		return "", node.Inputs, nil
	case strings.HasPrefix(node.Type, providerPrefix):
		return node.Name + "-id", node.Inputs, nil
	}
	cloud, err := m.graph.cloud(node.Provider, node.Type)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", node.URN, err)
	}
	if m.preview {
		outputs, err := cloud.Preview(node.Type, node.Name, node.Inputs)
		return "", outputs, err
	}
	return cloud.Create(node.Type, node.Name, node.Inputs)
}

// RegisterResourceOutputs keeps the outputs of components and of the stack.
func (m *monitor) RegisterResourceOutputs(
	_ context.Context, in *pulumirpc.RegisterResourceOutputsRequest,
) (*emptypb.Empty, error) {
	outputs, err := unmarshal(in.GetOutputs())
	if err != nil {
		return nil, fmt.Errorf("%s: outputs: %w", in.GetUrn(), err)
	}
	m.graph.mu.Lock()
	defer m.graph.mu.Unlock()
	if node, ok := m.graph.nodes[in.GetUrn()]; ok {
		node.Outputs = outputs
	} else {
		m.graph.Outputs = outputs
	}
	return &emptypb.Empty{}, nil
}

// Invoke answers data sources.
func (m *monitor) Invoke(_ context.Context, in *pulumirpc.ResourceInvokeRequest) (*pulumirpc.InvokeResponse, error) {
	args, err := unmarshal(in.GetArgs())
	if err != nil {
		return nil, fmt.Errorf("%s: arguments: %w", in.GetTok(), err)
	}
	provider := urnOf(in.GetProvider())
	cloud, err := m.graph.cloud(provider, in.GetTok())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.GetTok(), err)
	}
	m.graph.mu.Lock()
	m.graph.Invokes = append(m.graph.Invokes, Invoke{Token: in.GetTok(), Provider: provider, Args: args})
	m.graph.mu.Unlock()
	answer, err := cloud.Invoke(in.GetTok(), args)
	if err != nil {
		return nil, err
	}
	result, err := marshal(answer)
	return &pulumirpc.InvokeResponse{Return: result}, err
}

// RegisterPackage is how newer SDKs name the provider's version; versions do not matter here.
func (m *monitor) RegisterPackage(
	context.Context, *pulumirpc.RegisterPackageRequest,
) (*pulumirpc.RegisterPackageResponse, error) {
	return &pulumirpc.RegisterPackageResponse{Ref: "graph"}, nil
}

// urn is built as the engine builds it: it holds the types of all parents, but none of their names.
func (m *monitor) urn(parent, typ, name string) string {
	var parentType tokens.Type
	if p := resource.URN(parent); p != "" && p.QualifiedType() != resource.RootStackType {
		parentType = p.QualifiedType()
	}
	return string(resource.NewURN(tokens.QName(m.stack), Project, parentType, tokens.Type(typ), name))
}

// add refuses a URN that exists, as the engine does.
func (g *Graph) add(node *Node) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, taken := g.nodes[node.URN]; taken {
		return fmt.Errorf(
			"duplicate resource URN %q: two children of one type of parent have one name; begin theirs with the "+
				"parent's",
			node.URN)
	}
	g.nodes[node.URN] = node
	return nil
}

// cloud is the account model as the provider of this URN is configured.
func (g *Graph) cloud(provider, asker string) (account.Model, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	node, ok := g.nodes[provider]
	if !ok {
		return account.Model{}, fmt.Errorf(
			"default providers are disabled, %q needs an explicit one: hand it down with pulumi.Parent", asker)
	}
	if pkg, _, _ := strings.Cut(asker, ":"); node.Type != providerPrefix+pkg {
		return account.Model{}, fmt.Errorf("%q has the provider %s, which is another package's", asker, node.URN)
	}
	tags := map[string]string{}
	if value, ok := node.at("defaultTags.tags"); ok {
		for key, tag := range value.ObjectValue() {
			tags[string(key)] = tag.StringValue()
		}
	}
	region, _ := node.at("region")
	cloud := account.Model{DefaultTags: tags, Lookup: g.lookup}
	if region.IsString() {
		cloud.Region = region.StringValue()
	}
	return cloud, nil
}

func (g *Graph) lookup(id string) (resource.PropertyMap, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, node := range g.nodes {
		if node.Custom && node.ID == id {
			return node.Outputs, true
		}
	}
	return nil, false
}

// urnOf takes the identifier off a reference to a provider, which is written urn::id.
func urnOf(reference string) string {
	if i := strings.LastIndex(reference, "::"); i >= 0 {
		return reference[:i]
	}
	return reference
}

func unmarshal(object *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(object,
		plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepResources: true})
}

func marshal(object resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(object,
		plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepResources: true})
}
