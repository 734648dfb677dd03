package account

import (
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"twip/infra/images"
)

// debianOwner is the account that publishes Debian's machine images (https://wiki.debian.org/Cloud/AmazonEC2Image).
const debianOwner = "136693071363"

// debianName is how Debian names them: release, architecture, build date and number.
var debianName = regexp.MustCompile(`^debian-\d+-(amd64|arm64)-\d{8}-\d+$`)

// ownName is how make machine-image names what it makes of those.
var ownName = regexp.MustCompile(`^twip-debian-\d+-amd64-\d{8}-\d+-\d{12}$`)

// prefixLists are AWS's own, with believable ids.
var prefixLists = map[string]string{"com.amazonaws.global.cloudfront.origin-facing": "pl-3b927c52"}

// functions are the data sources that the model answers.
var functions = map[string]func(Model, resource.PropertyMap) (map[string]any, error){
	"aws:ec2/getAmi:getAmi":                               ami,
	"aws:ec2/getManagedPrefixList:getManagedPrefixList":   prefixList,
	"aws:ecr/getAuthorizationToken:getAuthorizationToken": authorizationToken,
	"aws:ecr/getImage:getImage":                           image,
	"aws:index/getCallerIdentity:getCallerIdentity":       identity,
}

// Functions lists every data source that the model can answer, sorted.
func Functions() []string { return slices.Sorted(maps.Keys(functions)) }

// Invoke answers a data source. One that is not described, or asks for what the cloud does not have, is an error.
func (c Model) Invoke(tok string, args resource.PropertyMap) (resource.PropertyMap, error) {
	f, ok := functions[tok]
	if !ok {
		return nil, fmt.Errorf(
			"data source %q is not described: add it to the functions of infra/local/account/invoke.go, or use one "+
				"of %s",
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

func ami(c Model, args resource.PropertyMap) (map[string]any, error) {
	var owners []string
	if v := at(args, "owners"); v.IsArray() {
		for _, o := range v.ArrayValue() {
			owners = append(owners, text(plain(o)))
		}
	}
	name := filter(args, "name")
	owner := debianOwner
	if ownName.MatchString(name) { // as if make machine-image had made it
		owner = "self"
	} else if !debianName.MatchString(name) {
		return nil, fmt.Errorf("filter name %q: no image has this name; Debian's are called like %q", name,
			"debian-13-amd64-20251117-2299")
	}
	if !slices.Contains(owners, owner) {
		return nil, fmt.Errorf("owners %q: image %s is not theirs, add its owner id %q", owners, name, owner)
	}
	s := subject{cloud: c, typ: "ami", name: name}
	id := "ami-" + s.digits(1, 17)
	arch := map[bool]string{true: "arm64", false: "x86_64"}[strings.Contains(name, "-arm64-")]
	return map[string]any{"id": id, "imageId": id, "name": name, "architecture": arch, "ownerId": owner,
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

func authorizationToken(c Model, _ resource.PropertyMap) (map[string]any, error) {
	const user, password = "AWS", "local"
	return map[string]any{"id": c.region(), "userName": user, "password": password,
		"authorizationToken": base64.StdEncoding.EncodeToString([]byte(user + ":" + password)),
		"expiresAt":          createdAt, "proxyEndpoint": fmt.Sprintf("https://%s.dkr.ecr.%s.amazonaws.com", c.account(), c.region())}, nil
}

// image answers for any digest that is one: which images there are, only the registry knows.
func image(_ Model, args resource.PropertyMap) (map[string]any, error) {
	repository, digest := text(at(args, "repositoryName")), text(at(args, "imageDigest"))
	if !images.IsDigest(digest) {
		return nil, fmt.Errorf("imageDigest %q of repository %q: an image is asked for by sha256: and 64 hexadecimal "+
			"digits", digest, repository)
	}
	return map[string]any{"id": digest}, nil
}

func identity(c Model, _ resource.PropertyMap) (map[string]any, error) {
	return map[string]any{
		"id":        c.account(),
		"accountId": c.account(),
		"userId":    "AIDALOCAL",
		"arn":       "arn:aws:iam::" + c.account() + ":user/local",
	}, nil
}

func prefixList(_ Model, args resource.PropertyMap) (map[string]any, error) {
	name := text(at(args, "name"))
	id, ok := prefixLists[name]
	if !ok {
		return nil, fmt.Errorf("name %q: no managed prefix list is known by it; known are %s",
			name, strings.Join(slices.Sorted(maps.Keys(prefixLists)), ", "))
	}
	return map[string]any{"id": id, "name": name}, nil
}
