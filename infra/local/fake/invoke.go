package fake

import (
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// debianOwner is the account that publishes Debian's machine images (https://wiki.debian.org/Cloud/AmazonEC2Image).
const debianOwner = "136693071363"

// debianName is how Debian names them: release, architecture, build date and number.
var debianName = regexp.MustCompile(`^debian-\d+-(amd64|arm64)-\d{8}-\d+$`)

// Managed names of CloudFront and VPC, with the ids that AWS documents for them.
var (
	cachePolicies  = map[string]string{"Managed-CachingOptimized": "658327ea-f89d-4fab-a63d-7e88639e58f6", "Managed-CachingDisabled": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"}
	originPolicies = map[string]string{"Managed-AllViewer": "216adef6-5c7f-47e4-b989-5492eafa07d3", "Managed-AllViewerExceptHostHeader": "b689b0a8-53d0-40ab-baf2-68738e2966ac"}
	headerPolicies = map[string]string{"Managed-SecurityHeadersPolicy": "67f7725c-6f97-4210-82d7-5512b31e9d03"}
	prefixLists    = map[string]string{"com.amazonaws.global.cloudfront.origin-facing": "pl-3b927c52"}
)

// logAccounts own the load balancers that write access logs, by region, as AWS documents them. Newer regions have none.
var logAccounts = map[string]string{
	"us-east-1": "127311923021", "us-east-2": "033677994240", "us-west-1": "027434742980", "us-west-2": "797873946194",
	"eu-central-1": "054676820928", "eu-west-1": "156460612806", "eu-west-2": "652711504416", "eu-west-3": "009996457667",
	"eu-north-1": "897822967062", "ap-southeast-1": "114774131450", "ap-southeast-2": "783225319266", "ap-northeast-1": "582318560864",
}

// functions are the data sources that the fake answers.
var functions = map[string]func(Cloud, resource.PropertyMap) (map[string]any, error){
	"aws:ec2/getAmi:getAmi":                                            ami,
	"aws:ec2/getManagedPrefixList:getManagedPrefixList":                managed("ec2 managed prefix list", prefixLists),
	"aws:ecr/getAuthorizationToken:getAuthorizationToken":              authorizationToken,
	"aws:elb/getServiceAccount:getServiceAccount":                      logAccount,
	"aws:iam/getPolicyDocument:getPolicyDocument":                      policyDocument,
	"aws:index/getAvailabilityZones:getAvailabilityZones":              zones,
	"aws:index/getCallerIdentity:getCallerIdentity":                    identity,
	"aws:index/getPartition:getPartition":                              partition,
	"aws:index/getRegion:getRegion":                                    region,
	"aws:cloudfront/getCachePolicy:getCachePolicy":                     managed("cloudfront cache policy", cachePolicies),
	"aws:cloudfront/getOriginRequestPolicy:getOriginRequestPolicy":     managed("cloudfront origin request policy", originPolicies),
	"aws:cloudfront/getResponseHeadersPolicy:getResponseHeadersPolicy": managed("cloudfront response headers policy", headerPolicies),
}

// Functions lists every data source that the fake can answer, sorted.
func Functions() []string { return slices.Sorted(maps.Keys(functions)) }

// Invoke answers a data source. One that is not described, or asks for what the cloud does not have, is an error.
func (c Cloud) Invoke(tok string, args resource.PropertyMap) (resource.PropertyMap, error) {
	f, ok := functions[tok]
	if !ok {
		return nil, fmt.Errorf("data source %q is not described: add it to infra/local/fake/invoke.go, or use one of %s",
			tok, strings.Join(Functions(), ", "))
	}
	answer, err := f(c, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", tok, err)
	}
	out := resource.NewPropertyMapFromMap(answer)
	for k, v := range args {
		if _, has := out[k]; !has {
			out[k] = v
		}
	}
	return out, nil
}

func ami(c Cloud, args resource.PropertyMap) (map[string]any, error) {
	var owners []string
	if v := at(args, "owners"); v.IsArray() {
		for _, o := range v.ArrayValue() {
			owners = append(owners, text(plain(o)))
		}
	}
	if !slices.Contains(owners, debianOwner) {
		return nil, fmt.Errorf("owners %q: only Debian's images are known, add its owner id %q", owners, debianOwner)
	}
	name := filter(args, "name")
	if !debianName.MatchString(name) {
		return nil, fmt.Errorf("filter name %q: no image has this name; Debian's are called like %q", name, "debian-13-amd64-20251117-2299")
	}
	s := subject{cloud: c, typ: "ami", name: name}
	id := "ami-" + s.digits(1, 17)
	arch := map[bool]string{true: "arm64", false: "x86_64"}[strings.Contains(name, "-arm64-")]
	return map[string]any{"id": id, "imageId": id, "name": name, "architecture": arch, "ownerId": debianOwner,
		"arn": "arn:aws:ec2:" + c.region() + "::image/" + id, "rootDeviceName": "/dev/xvda", "rootDeviceType": "ebs",
		"virtualizationType": "hvm", "state": "available", "public": true, "creationDate": createdAt}, nil
}

// filter is the one value that an EC2 filter asks for.
func filter(args resource.PropertyMap, name string) string {
	v := at(args, "filters")
	if !v.IsArray() {
		return ""
	}
	for _, f := range v.ArrayValue() {
		if f = plain(f); !f.IsObject() || text(at(f.ObjectValue(), "name")) != name {
			continue
		}
		if values := at(f.ObjectValue(), "values"); values.IsArray() && len(values.ArrayValue()) == 1 {
			return text(plain(values.ArrayValue()[0]))
		}
	}
	return ""
}

func authorizationToken(c Cloud, _ resource.PropertyMap) (map[string]any, error) {
	const user, password = "AWS", "local"
	return map[string]any{"id": c.region(), "userName": user, "password": password,
		"authorizationToken": base64.StdEncoding.EncodeToString([]byte(user + ":" + password)),
		"expiresAt":          createdAt, "proxyEndpoint": fmt.Sprintf("https://%s.dkr.ecr.%s.amazonaws.com", c.account(), c.region())}, nil
}

func logAccount(c Cloud, _ resource.PropertyMap) (map[string]any, error) {
	id, ok := logAccounts[c.region()]
	if !ok {
		return nil, fmt.Errorf("region %q: its load balancers' account is not known here: add it to logAccounts, "+
			"or name the service principal logdelivery.elasticloadbalancing.amazonaws.com", c.region())
	}
	return map[string]any{"id": id, "arn": "arn:aws:iam::" + id + ":root", "region": c.region()}, nil
}

func zones(c Cloud, _ resource.PropertyMap) (map[string]any, error) {
	var names, ids []any
	for i, letter := range []string{"a", "b", "c"} {
		names, ids = append(names, c.region()+letter), append(ids, fmt.Sprintf("use1-az%d", i+1))
	}
	return map[string]any{"id": c.region(), "names": names, "zoneIds": ids, "groupNames": []any{c.region()}}, nil
}

func identity(c Cloud, _ resource.PropertyMap) (map[string]any, error) {
	return map[string]any{"id": c.account(), "accountId": c.account(), "userId": "AIDALOCAL", "arn": "arn:aws:iam::" + c.account() + ":user/local"}, nil
}

func partition(Cloud, resource.PropertyMap) (map[string]any, error) {
	return map[string]any{"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}, nil
}

func region(c Cloud, _ resource.PropertyMap) (map[string]any, error) {
	return map[string]any{"id": c.region(), "name": c.region(), "description": c.region(), "endpoint": "ec2." + c.region() + ".amazonaws.com"}, nil
}

// managed answers for things that AWS itself made and that are found by name.
func managed(what string, ids map[string]string) func(Cloud, resource.PropertyMap) (map[string]any, error) {
	return func(c Cloud, args resource.PropertyMap) (map[string]any, error) {
		name := text(at(args, "name"))
		id, ok := ids[name]
		if !ok {
			return nil, fmt.Errorf("name %q: no %s is known by it; known are %s", name, what, strings.Join(slices.Sorted(maps.Keys(ids)), ", "))
		}
		return map[string]any{"id": id, "name": name}, nil
	}
}
