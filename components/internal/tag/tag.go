// Package tag has the one tag that components set themselves.
package tag

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Named is the tag that AWS consoles show as a resource's name. The rest comes from the provider's default tags.
func Named(name string) pulumi.StringMap { return pulumi.StringMap{"Name": pulumi.String(name)} }
