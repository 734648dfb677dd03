package local

import (
	"maps"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/cost"
	"twip/infra/local/account"
	"twip/stacks"
)

// Declared are the resources of an environment by the values of its configuration, by full key. No engine runs, nothing
// is built, and no account is asked.
func Declared(stack string, values map[string]string) ([]cost.Resource, error) {
	values = maps.Clone(values)
	secrets := []string{}
	for _, key := range stacks.Keys {
		if key.Secret { // any right value costs the same
			secrets, values["twip:"+key.Name] = append(secrets, "twip:"+key.Name), key.Example
		}
	}
	if !strings.Contains(values["twip:cdn"], "true") {
		delete(values, "twip:cdnSecret")
	}
	values["twip:release"] = stacks.AnyRelease(stacks.Topology(values["twip:topology"]))
	d := &declared{model: account.Model{Region: values["aws:region"], Account: "000000000000"}}
	err := pulumi.RunErr(stacks.Declare, pulumi.WithMocks("twip", stack, d), func(i *pulumi.RunInfo) {
		i.Config, i.ConfigSecretKeys = values, secrets
	})
	return d.resources, err
}

// declared notes what is registered.
type declared struct {
	model     account.Model
	mu        sync.Mutex
	resources []cost.Resource
}

// NewResource notes a resource, and answers as the cloud would.
func (d *declared) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if !strings.HasPrefix(args.TypeToken, "aws:") {
		return args.Name + "-id", args.Inputs, nil
	}
	id, outputs, err := d.model.Create(args.TypeToken, args.Name, args.Inputs)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.resources = append(d.resources, cost.Resource{
		URN: args.TypeToken + "::" + args.Name, Type: args.TypeToken, Name: args.Name, Properties: args.Inputs,
		Dependencies: shortened(args.RegisterRPC.GetDependencies()),
	})
	return id, outputs, err
}

// Call answers data sources.
func (d *declared) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return d.model.Invoke(args.Token, args.Args)
}

// shortened leaves the types of parents out of URNs, which a mock is not told of its own.
func shortened(urns []string) (short []string) {
	for _, urn := range urns {
		u := resource.URN(urn)
		short = append(short, string(u.Type())+"::"+u.Name())
	}
	return short
}
