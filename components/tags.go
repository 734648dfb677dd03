package components

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// named is the tag that AWS consoles show as a resource's name. The rest comes from the provider's default tags.
func named(name string) pulumi.StringMap { return pulumi.StringMap{"Name": pulumi.String(name)} }
