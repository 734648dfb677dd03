package guardrails

var bucketRules = []*Rule{
	{
		ID: "S3.1", CIS: "v3.0.0/2.1.4", Title: "the account blocks public access, where the program has a say in it",
		Source: securityHub("S3.1"), Types: []string{"aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"},
		check: blocked,
	},
	{
		ID: "S3.2", Title: "nobody reads buckets without being asked who they are",
		Source: securityHub("S3.2"), Types: []string{bucketPolicy, "aws:s3/bucketAclV2:BucketAclV2"},
		check: of(map[string]check{
			bucketPolicy:                     documents("policy", closedTo("s3:Get", "s3:List"), closedWayOut),
			"aws:s3/bucketAclV2:BucketAclV2": oneOf("acl", privateACLs...),
		}),
	},
	{
		ID: "S3.3", Title: "nobody writes to buckets without being asked who they are",
		Source: securityHub("S3.3"), Types: []string{bucketPolicy, "aws:s3/bucketAclV2:BucketAclV2"},
		check: of(map[string]check{
			bucketPolicy: documents("policy", closedTo("s3:Put", "s3:Delete", "s3:Abort", "s3:Restore", "s3:Replicate"),
				closedWayOut),
			"aws:s3/bucketAclV2:BucketAclV2": oneOf("acl", privateACLs...),
		}),
	},
	{
		ID: "S3.5", CIS: "v3.0.0/2.1.1", Title: "buckets refuse requests without TLS",
		Source: securityHub("S3.5"), Types: []string{bucket, bucketPolicy},
		check: of(map[string]check{bucketPolicy: documents("policy", deniesPlain, deniesPlainWayOut)}),
		whole: of(map[string]check{
			bucket: companion(bucketPolicy, "bucket policy", "add an s3.BucketPolicy that denies requests without TLS"),
		}),
	},
	{
		ID: "S3.8", CIS: "v3.0.0/2.1.4", Title: "buckets block public access",
		Source: securityHub("S3.8"), Types: []string{bucket, bucketBlock},
		check: of(map[string]check{bucketBlock: blocked}),
		whole: of(map[string]check{
			bucket: companion(bucketBlock, "public access block", "add an s3.BucketPublicAccessBlock"),
		}),
	},
	{
		ID: "S3.9", Title: "buckets log who asks them",
		Source: securityHub("S3.9"), Types: []string{bucket},
		whole: companion("aws:s3/bucketLoggingV2:BucketLoggingV2", "server access log", "add an s3.BucketLoggingV2"),
	},
	{
		ID: "S3.12", Title: "buckets have no access control lists",
		Source: securityHub("S3.12"), Types: []string{bucket, bucketOwner},
		check: of(map[string]check{bucketOwner: is("rule.objectOwnership", "BucketOwnerEnforced")}),
		whole: of(
			map[string]check{bucket: companion(bucketOwner, "ownership controls", "add an s3.BucketOwnershipControls")}),
	},
	{
		ID: "S3.13", Title: "buckets let go of what is old",
		Source: securityHub("S3.13"), Types: []string{bucket, bucketLife},
		check: of(map[string]check{
			bucketLife: all(is("rules[].status", "Enabled"), number("rules[].expiration.days", 1, 3653)),
		}),
		whole: of(
			map[string]check{bucket: companion(bucketLife, "lifecycle", "add an s3.BucketLifecycleConfigurationV2")}),
	},
	{
		ID: "S3.14", Title: "buckets keep versions",
		Source: securityHub("S3.14"), Types: []string{bucket, bucketVersion},
		check: of(map[string]check{bucketVersion: is("versioningConfiguration.status", "Enabled")}),
		whole: of(map[string]check{bucket: companion(bucketVersion, "versioning", "add an s3.BucketVersioningV2")}),
	},
	{
		ID: "TWIP-BUCKET-1", Title: "buckets say how they encrypt",
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html", Types: []string{bucket, bucketCrypt},
		check: of(map[string]check{
			bucketCrypt: oneOf("rules[].applyServerSideEncryptionByDefault.sseAlgorithm", "AES256", "aws:kms",
				"aws:kms:dsse"),
		}),
		whole: of(map[string]check{
			bucket: companion(bucketCrypt, "encryption", "add an s3.BucketServerSideEncryptionConfigurationV2"),
		}),
	},
}

var blocked = all(is("blockPublicAcls", "true"), is("blockPublicPolicy", "true"), is("ignorePublicAcls", "true"),
	is("restrictPublicBuckets", "true"))

var privateACLs = []string{"private", "log-delivery-write", "bucket-owner-full-control", "bucket-owner-read"}
