package guardrails

import "strings"

var distributionRules = []*Rule{
	{
		ID: "CloudFront.1", Title: "distributions have a default root object",
		Source: securityHub("CloudFront.1"), Types: []string{distribution},
		check: some("defaultRootObject", "name one"),
	},
	{
		ID: "CloudFront.3", Title: "visitors meet distributions over TLS",
		Source: securityHub("CloudFront.3"), Types: []string{distribution},
		check: all(oneOf("defaultCacheBehavior.viewerProtocolPolicy", "redirect-to-https", "https-only"),
			isNot("orderedCacheBehaviors[].viewerProtocolPolicy", "allow-all", "use redirect-to-https")),
	},
	{
		ID: "CloudFront.5", Title: "distributions keep access logs",
		Source: securityHub("CloudFront.5"), Types: []string{distribution},
		check: some("loggingConfig.bucket", "name a bucket"),
	},
	{
		ID: "CloudFront.6", Title: "distributions have a web application firewall",
		Source: securityHub("CloudFront.6"), Types: []string{distribution},
		check: some("webAclId", "name a web ACL of us-east-1"),
	},
	{
		ID: "CloudFront.7", Title: "distributions have a certificate of their own",
		Source: securityHub("CloudFront.7"), Types: []string{distribution},
		check: all(some("viewerCertificate.acmCertificateArn", "name a certificate of us-east-1"),
			isNot("viewerCertificate.cloudfrontDefaultCertificate", "true", "leave it out")),
	},
	{
		ID: "CloudFront.8", Title: "distributions use SNI",
		Source: securityHub("CloudFront.8"), Types: []string{distribution},
		check: is("viewerCertificate.sslSupportMethod", "sni-only"),
	},
	{
		ID: "CloudFront.9", Title: "distributions reach their origin over TLS",
		Source: securityHub("CloudFront.9"), Types: []string{distribution},
		check: ofOrigins(false, is("customOriginConfig.originProtocolPolicy", "https-only")),
	},
	{
		ID: "CloudFront.10", Title: "distributions speak no deprecated protocol with their origin",
		Source: securityHub("CloudFront.10"), Types: []string{distribution},
		check: ofOrigins(false, is("customOriginConfig.originSslProtocols[]", "TLSv1.2")),
	},
	{
		ID: "CloudFront.12", Title: "distributions point to buckets that exist",
		Source: securityHub("CloudFront.12"), Types: []string{distribution},
		whole: ofOrigins(true,
			never("domainName", "serve it from the load balancer: this program keeps no bucket of pages")),
	},
	{
		ID: "CloudFront.13", Title: "only the distribution reads a bucket behind it",
		Source: securityHub("CloudFront.13"), Types: []string{distribution},
		check: ofOrigins(true, some("originAccessControlId", "add a cloudfront.OriginAccessControl")),
	},
	{
		ID: "TWIP-EDGE-3", Title: "visitors meet distributions over TLS 1.2 or newer",
		Source: "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html",
		Types:  []string{distribution},
		check:  oneOf("viewerCertificate.minimumProtocolVersion", "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"),
	},
	{
		ID: "TWIP-CDN-1", Title: "the CDN keeps versions of a file apart that differ in the query",
		Source: "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/QueryStringParameters.html",
		Types:  []string{distribution, cachePolicy},
		check:  queriesInKey,
	},
}

// queriesInKey refuses a cache policy without query strings, Amazon's own one among them.
func queriesInKey(r *Resource, g *Graph) []finding {
	if r.Type == cachePolicy {
		return is("parametersInCacheKeyAndForwardedToOrigin.queryStringsConfig.queryStringBehavior", "all")(r, g)
	}
	return isNot("orderedCacheBehaviors[].cachePolicyId", "658327ea-f89d-4fab-a63d-7e88639e58f6",
		"Managed-CachingOptimized takes site.css?v=2 for site.css?v=1; name a policy of ours")(r, g)
}

// ofOrigins asks something of every origin that is a bucket, or of every one that is not.
func ofOrigins(buckets bool, asks check) check {
	return func(r *Resource, g *Graph) (found []finding) {
		for _, origin := range r.each("origins[]") {
			if origin.state != known || !origin.v.IsObject() {
				continue
			}
			part := &Resource{Properties: origin.v.ObjectValue()}
			if host := part.at("domainName"); host.state == unknown || inS3(host.text()) != buckets {
				continue
			}
			for _, f := range asks(part, g) {
				f.path = origin.path + "." + f.path
				found = append(found, f)
			}
		}
		return found
	}
}

func inS3(host string) bool {
	return strings.HasSuffix(host, ".amazonaws.com") &&
		(strings.Contains(host, ".s3.") || strings.Contains(host, ".s3-"))
}
