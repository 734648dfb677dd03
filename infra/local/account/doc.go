// Package account is the repository's one description of AWS and of the Docker provider's images: which resource types
// and properties there are, what a change to a property does, which identifiers and outputs a created resource has, and
// what a data source answers. The mock tests answer from it, and the local providers do.
//
// It is pure: no clock, no randomness, no state, no I/O. The same question has the same answer, on every computer.
// What it knows of a type's properties comes from data files; README.md beside them says from where.
package account

import "github.com/pulumi/pulumi/sdk/v3/go/common/resource"

//go:generate go run ./schemagen aws-properties.json sdk-schema.json

// DefaultAccount is the account id of a Model that names none. AWS gives it to nobody.
const DefaultAccount = "000000000000"

// DefaultRegion is the region of a Model that names none.
const DefaultRegion = "us-east-1"

// Model answers for one account in one region. The zero value is usable.
type Model struct {
	Region  string // "" for DefaultRegion
	Account string // twelve digits; "" for DefaultAccount

	// DefaultTags are the provider's default tags. They appear in tagsAll, under the resource's own.
	DefaultTags map[string]string

	// Seed tells identifiers of the same type and name apart, so that a replacement gets others than what it replaces.
	Seed string

	// Lookup finds the outputs of an existing resource by its id, for outputs that derive from another resource (an
	// instance's zone is its subnet's). Nil, or false, leaves a believable constant.
	Lookup func(id string) (resource.PropertyMap, bool)
}

func (c Model) region() string {
	if c.Region == "" {
		return DefaultRegion
	}
	return c.Region
}

func (c Model) account() string {
	if c.Account == "" {
		return DefaultAccount
	}
	return c.Account
}
