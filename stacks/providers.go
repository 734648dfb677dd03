package stacks

import (
	"fmt"
	"maps"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newProviders makes the only providers of the program and returns the option that hands them to a component and all
// that is in it. Default providers are switched off in Pulumi.yaml, so nothing can slip into another region or account.
func newProviders(ctx *pulumi.Context, c *Config) (pulumi.ResourceOption, error) {
	cloud, err := newRegionalProvider(ctx, c, "aws", c.Region)
	if err != nil {
		return nil, err
	}
	builder, err := docker.NewProvider(ctx, "docker", &docker.ProviderArgs{})
	if err != nil {
		return nil, fmt.Errorf("provider docker: %w", err)
	}
	return pulumi.Providers(cloud, builder), nil
}

// newRegionalProvider makes a provider of a region. With credentials of another account it fails before it reads
// anything.
func newRegionalProvider(ctx *pulumi.Context, c *Config, name, region string) (*aws.Provider, error) {
	args := &aws.ProviderArgs{
		Region:      pulumi.String(region),
		DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(c.allTags())},
	}
	if c.Account != "" {
		args.AllowedAccountIds = pulumi.ToStringArray([]string{c.Account})
	}
	provider, err := aws.NewProvider(ctx, name, args)
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", name, err)
	}
	return provider, nil
}

// allTags are the tags that every resource gets.
func (c *Config) allTags() map[string]string {
	tags := map[string]string{"Project": c.Project, "Stack": c.Stack, "ManagedBy": "pulumi"}
	maps.Copy(tags, c.Tags)
	return tags
}
