package edge

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/policy"
	"twip/components/internal/tag"
	"twip/infra/guardrails"
)

// accessLogs is a private bucket for access logs: closed to the public, encrypted with keys of S3 itself, emptied by
// age.
type accessLogs struct {
	name      string
	days      int             // how long an object is kept
	ownership string          // ownedByPolicy, or BucketOwnerPreferred for a service that still hands objects over by ACL
	policy    policy.Document // {0} stands for the bucket's ARN
}

// ownedByPolicy is a bucket without access control lists.
const ownedByPolicy = "BucketOwnerEnforced"

// register also returns what must be there before a service is pointed at the bucket.
func (l accessLogs) register(ctx *pulumi.Context, parent pulumi.ResourceOption) (*s3.BucketV2, pulumi.Resource, error) {
	name := l.name
	// Logs must not stop an environment's removal; what is worth keeping longer is worth copying elsewhere.
	bucket, err := s3.NewBucketV2(ctx, name, &s3.BucketV2Args{ForceDestroy: pulumi.Bool(true), Tags: tag.Named(name)},
		parent, guardrails.Except(ctx, "S3.9",
			"it holds access logs itself; logging who reads them would need a bucket that logs who reads that"))
	if err != nil {
		return nil, nil, fmt.Errorf("log bucket: %w", err)
	}
	closed, err := s3.NewBucketPublicAccessBlock(ctx, name, &s3.BucketPublicAccessBlockArgs{
		Bucket:          bucket.ID(),
		BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true),
		IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}, parent)
	if err != nil {
		return nil, nil, fmt.Errorf("log bucket: public access: %w", err)
	}
	owned, err := s3.NewBucketOwnershipControls(ctx, name, &s3.BucketOwnershipControlsArgs{
		Bucket: bucket.ID(),
		Rule:   &s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String(l.ownership)},
	}, parent, guardrails.ExceptWhen(ctx, l.ownership != ownedByPolicy, "S3.12", "CloudFront's standard logs are "+
		"handed over by access control list"))
	if err != nil {
		return nil, nil, fmt.Errorf("log bucket: ownership: %w", err)
	}
	type byDefault = s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs
	_, err = s3.NewBucketServerSideEncryptionConfigurationV2(ctx, name,
		&s3.BucketServerSideEncryptionConfigurationV2Args{
			Bucket: bucket.ID(),
			Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{
				&s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
					ApplyServerSideEncryptionByDefault: &byDefault{SseAlgorithm: pulumi.String("AES256")},
				},
			},
		}, parent)
	if err != nil {
		return nil, nil, fmt.Errorf("log bucket: encryption: %w", err)
	}
	if _, err = s3.NewBucketVersioningV2(ctx, name, &s3.BucketVersioningV2Args{
		Bucket:                  bucket.ID(),
		VersioningConfiguration: &s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, parent); err != nil {
		return nil, nil, fmt.Errorf("log bucket: versioning: %w", err)
	}
	if _, err = s3.NewBucketLifecycleConfigurationV2(ctx, name, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules: s3.BucketLifecycleConfigurationV2RuleArray{&s3.BucketLifecycleConfigurationV2RuleArgs{
			Id:         pulumi.String("expire"),
			Status:     pulumi.String("Enabled"),
			Filter:     &s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
			Expiration: &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(l.days)},
			NoncurrentVersionExpiration: &s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
				NoncurrentDays: pulumi.Int(l.days),
			},
			AbortIncompleteMultipartUpload: &s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
				DaysAfterInitiation: pulumi.Int(1),
			},
		}},
	}, parent); err != nil {
		return nil, nil, fmt.Errorf("log bucket: lifecycle: %w", err)
	}
	// S3 answers with a conflict when two of these are set at once; and whoever writes to the bucket waits for the
	// policy, while CloudFront, which checks that access control lists are on, needs the ownership too.
	allow, err := s3.NewBucketPolicy(ctx, name,
		&s3.BucketPolicyArgs{Bucket: bucket.ID(), Policy: policy.Rendered(l.policy, bucket.Arn)}, parent,
		pulumi.DependsOn([]pulumi.Resource{closed, owned}))
	if err != nil {
		return nil, nil, fmt.Errorf("log bucket: policy: %w", err)
	}
	return bucket, allow, nil
}

// tlsOnly refuses plain HTTP.
var tlsOnly = policy.EncryptedOnly([]string{"s3:*"}, []string{"{0}", "{0}/*"})
