package store

import (
	"fmt"
	"slices"

	"twip/components/internal/policy"
	"twip/components/internal/tag"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// keyDeletionDays is how long a deleted key can still be brought back: the longest that KMS offers, since what it
// encrypted is lost with it.
const keyDeletionDays = 30

// NewKey creates a key that KMS rotates every year, and that the account's own IAM policies and these services may use.
func NewKey(
	ctx *pulumi.Context, name, purpose string, services []string, protect bool,
	parent pulumi.ResourceOrInvokeOption, more ...pulumi.ResourceOption,
) (*kms.Key, error) {
	options := append([]pulumi.ResourceOption{parent}, more...)
	self, err := aws.GetCallerIdentity(ctx, nil, parent)
	if err != nil {
		return nil, fmt.Errorf("key: whose account this is: %w", err)
	}
	document, err := keyPolicy(self.AccountId, services).Render()
	if err != nil {
		return nil, err
	}
	key, err := kms.NewKey(ctx, name, &kms.KeyArgs{
		Description:          pulumi.String(purpose),
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(keyDeletionDays),
		Policy:               pulumi.String(document),
		Tags:                 tag.Named(name),
	}, append(slices.Clone(options), pulumi.Protect(protect))...)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	if _, err = kms.NewAlias(ctx, name, &kms.AliasArgs{TargetKeyId: key.KeyId}, options...); err != nil {
		return nil, fmt.Errorf("key: alias: %w", err)
	}
	return key, nil
}

// keyPolicy leaves the account in charge of its key (without that statement nobody could ever change the policy), and
// lets services use it on the account's behalf only:
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func keyPolicy(account string, services []string) policy.Document {
	p := policy.Document{Statement: []policy.Statement{{
		Sid: "Account", Effect: "Allow", Principal: map[string]string{"AWS": "arn:aws:iam::" + account + ":root"},
		Action: []string{"kms:*"}, Resource: []string{"*"}, // of a key policy: this one key
	}}}
	for _, service := range services {
		p.Statement = append(p.Statement,
			policy.ForService(service, account, []string{"kms:Decrypt", "kms:GenerateDataKey*"}, []string{"*"}))
	}
	return p
}
