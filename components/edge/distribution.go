package edge

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/policy"
	"twip/components/internal/problem"
	"twip/components/internal/tag"
	"twip/infra/guardrails"
)

// CDNArgs put CloudFront between visitors and the load balancer: static files are answered near the visitor, everything
// else is passed on, and the load balancer answers nobody else.
//
// CloudFront proves itself by a secret and not by a VPC origin: those want an internal load balancer, and the one that
// the world knows already cannot become internal without being replaced; a second one would cost as much as the first,
// and the first could only go after its protection was lifted. A secret is changed in three updates, in each of which
// the load balancer accepts what CloudFront's edges, which take minutes to follow, send before and after it: accept the
// new one as well (AlsoAccepted), exchange the two, take the old one away.
type CDNArgs struct {
	// Secret is sent to the load balancer with every request, and asked for there.
	Secret pulumi.StringInput
	// AlsoAccepted is a second secret that the load balancer takes while the first is changed; nil: none.
	AlsoAccepted pulumi.StringInput
	// Open has the load balancer go on answering those who come to it directly, behind a web ACL of its own: resolvers
	// and browsers lead visitors there for a while after CloudFront was put in front.
	Open bool
	// USEast1 is a provider of us-east-1, where CloudFront looks for its certificate and its web ACL.
	USEast1 pulumi.ProviderResource
}

const (
	// originHeader carries CDNArgs.Secret.
	originHeader = "X-Twip-Origin"
	// originSeconds is the longest that CloudFront waits for the load balancer without asking Amazon for more.
	originSeconds = 60
	// staticSeconds is how long an edge keeps a static file whose name stays over releases, as nginx tells it.
	staticSeconds = 60
)

// Policies that Amazon keeps, by the ids that it publishes:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html and its neighbours
const (
	cacheNothing    = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" // Managed-CachingDisabled
	passEverything  = "216adef6-5c7f-47e4-b989-5492eafa07d3" // Managed-AllViewer
	securityHeaders = "67f7725c-6f97-4210-82d7-5512b31e9d03" // Managed-SecurityHeadersPolicy
)

// newDistribution also returns the ARN of its certificate.
func newDistribution(
	ctx *pulumi.Context, name string, args *LoadBalancerArgs, account string, child pulumi.ResourceOption,
) (*cloudfront.Distribution, pulumi.StringInput, error) {
	name += "-cdn"
	cdn, there := args.CDN, pulumi.Provider(args.CDN.USEast1)
	certificate, err := newCertificate(ctx, name, args.Domain, []string{args.Domain.Name}, true, child, there)
	if err != nil {
		return nil, nil, err
	}
	// CloudFront hands its logs over by ACL:
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html
	logs, mayLog, err := accessLogs{
		name:      name + "-logs",
		days:      args.LogRetentionDays,
		ownership: "BucketOwnerPreferred",
		policy:    policy.Document{Statement: []policy.Statement{tlsOnly}},
	}.register(ctx, child)
	if err != nil {
		return nil, nil, err
	}
	webACL := pulumi.String("").ToStringOutput()
	if args.WebACL != nil {
		acl, err := newWebACL(ctx, name, args.WebACL, webACLPlace{scope: global, account: account}, child, there)
		if err != nil {
			return nil, nil, err
		}
		webACL = acl.Arn
	}
	cache, err := newStaticCache(ctx, name, child)
	if err != nil {
		return nil, nil, err
	}
	static := cloudfront.DistributionOrderedCacheBehaviorArray{}
	for _, path := range StaticPaths {
		static = append(static, &cloudfront.DistributionOrderedCacheBehaviorArgs{
			PathPattern:             pulumi.String(path),
			TargetOriginId:          pulumi.String("site"),
			AllowedMethods:          pulumi.ToStringArray([]string{"GET", "HEAD"}),
			CachedMethods:           pulumi.ToStringArray([]string{"GET", "HEAD"}),
			CachePolicyId:           cache.ID(),
			ResponseHeadersPolicyId: pulumi.String(securityHeaders),
			Compress:                pulumi.Bool(true),
			ViewerProtocolPolicy:    pulumi.String("redirect-to-https"),
		})
	}
	distribution, err := cloudfront.NewDistribution(ctx, name, &cloudfront.DistributionArgs{
		Enabled:       pulumi.Bool(true),
		Comment:       pulumi.String(args.Domain.Name),
		Aliases:       pulumi.ToStringArray([]string{args.Domain.Name}),
		HttpVersion:   pulumi.String("http2and3"),
		IsIpv6Enabled: pulumi.Bool(true),
		WebAclId:      webACL,
		Origins: cloudfront.DistributionOriginArray{&cloudfront.DistributionOriginArgs{
			OriginId:   pulumi.String("site"),
			DomainName: pulumi.String(originName(args.Domain)),
			CustomHeaders: cloudfront.DistributionOriginCustomHeaderArray{
				&cloudfront.DistributionOriginCustomHeaderArgs{
					Name: pulumi.String(originHeader), Value: cdn.Secret,
				},
			},
			CustomOriginConfig: &cloudfront.DistributionOriginCustomOriginConfigArgs{
				HttpPort: pulumi.Int(sitePort), HttpsPort: pulumi.Int(tlsPort),
				OriginProtocolPolicy: pulumi.String("https-only"),
				OriginSslProtocols: pulumi.ToStringArray(
					[]string{"TLSv1.2"}), // the newest that CloudFront can be held to
				OriginReadTimeout: pulumi.Int(originSeconds),
			},
		}},
		DefaultCacheBehavior: &cloudfront.DistributionDefaultCacheBehaviorArgs{
			TargetOriginId:          pulumi.String("site"),
			AllowedMethods:          pulumi.ToStringArray([]string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}),
			CachedMethods:           pulumi.ToStringArray([]string{"GET", "HEAD"}),
			CachePolicyId:           pulumi.String(cacheNothing),
			OriginRequestPolicyId:   pulumi.String(passEverything),
			ResponseHeadersPolicyId: pulumi.String(securityHeaders),
			Compress:                pulumi.Bool(true),
			ViewerProtocolPolicy:    pulumi.String("redirect-to-https"),
		},
		OrderedCacheBehaviors: static,
		LoggingConfig:         &cloudfront.DistributionLoggingConfigArgs{Bucket: logs.BucketDomainName},
		Restrictions: &cloudfront.DistributionRestrictionsArgs{
			GeoRestriction: &cloudfront.DistributionRestrictionsGeoRestrictionArgs{
				RestrictionType: pulumi.String("none"),
			},
		},
		ViewerCertificate: &cloudfront.DistributionViewerCertificateArgs{
			AcmCertificateArn:      certificate,
			SslSupportMethod:       pulumi.String("sni-only"),
			MinimumProtocolVersion: pulumi.String("TLSv1.2_2021"),
		},
		Tags: tag.Named(name),
	}, child, pulumi.DependsOn([]pulumi.Resource{mayLog}),
		guardrails.Except(ctx, "CloudFront.1", "the origin is the application, which answers / itself"))
	if err != nil {
		return nil, nil, fmt.Errorf("distribution: %w", err)
	}
	return distribution, certificate, nil
}

// newStaticCache says what CloudFront's edges know a static file by, and for how long they keep it. The query belongs
// to the name, since pages ask for site.css?v=42: Amazon's own policy would give them version 41. Names that stay the
// same over releases are asked for again soon: nginx says how long an edge may keep each (s-maxage in
// infra/images/static/nginx.conf), and a rollout of the static tier has the edges forget them all.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
func newStaticCache(
	ctx *pulumi.Context, name string, child pulumi.ResourceOption,
) (*cloudfront.CachePolicy, error) {
	type args = cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginArgs
	policy, err := cloudfront.NewCachePolicy(ctx, name+"-static", &cloudfront.CachePolicyArgs{
		Comment:    pulumi.String("Static files: a version in the query belongs to the name"),
		MinTtl:     pulumi.Int(0),
		DefaultTtl: pulumi.Int(staticSeconds), // of what says nothing about its age
		MaxTtl:     pulumi.Int(365 * 24 * 3600),
		ParametersInCacheKeyAndForwardedToOrigin: &args{
			CookiesConfig: &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginCookiesConfigArgs{
				CookieBehavior: pulumi.String("none"),
			},
			HeadersConfig: &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginHeadersConfigArgs{
				HeaderBehavior: pulumi.String("none"),
			},
			QueryStringsConfig: &cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginQueryStringsConfigArgs{
				QueryStringBehavior: pulumi.String("all"),
			},
			EnableAcceptEncodingGzip:   pulumi.Bool(true),
			EnableAcceptEncodingBrotli: pulumi.Bool(true),
		},
	}, child)
	if err != nil {
		return nil, fmt.Errorf("cache of static files: %w", err)
	}
	return policy, nil
}

// accepted are the secrets that the load balancer takes.
func (a *CDNArgs) accepted() pulumi.StringArray {
	if a.AlsoAccepted == nil {
		return pulumi.StringArray{a.Secret}
	}
	return pulumi.StringArray{a.Secret, a.AlsoAccepted}
}

// onlyCDN says whether the load balancer answers nobody but our distribution.
func (a *LoadBalancerArgs) onlyCDN() bool { return a.CDN != nil && !a.CDN.Open }

func (a *CDNArgs) validate() (p problem.List) {
	p.Unless(a.Secret != nil, "CDN: secret", nil, "give it a secret that only CloudFront and the load balancer know")
	p.Unless(a.USEast1 != nil, "CDN: usEast1", nil, "give it a provider of us-east-1")
	return p
}
