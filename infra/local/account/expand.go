package account

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

var placeholder = regexp.MustCompile(`\{([A-Za-z.]+)([0-9]*)\}`)

// expand fills in a template. What a placeholder means is told at the type kind.
func (s subject) expand(template string) string {
	nth := 0 // among the template's digits
	return placeholder.ReplaceAllStringFunc(template, func(p string) string {
		m := placeholder.FindStringSubmatch(p)
		count, _ := strconv.Atoi(m[2]) // 0 for the placeholders without a number
		what, path, _ := strings.Cut(m[1], ".")
		switch what {
		case "name":
			return s.physical
		case "id":
			return s.id
		case "region":
			return s.cloud.region()
		case "account":
			return s.cloud.account()
		case "in":
			return text(at(s.inputs, path))
		case "of":
			return s.of(path)
		case "repository":
			return Repository(text(at(s.inputs, "imageName")))
		case "content":
			return s.content()
		case "octet":
			return strconv.FormatInt(1+s.number(0).Int64()%254, 10)
		case "num":
			return fmt.Sprintf("%0*d", count, new(big.Int).Mod(s.number(0), pow10(count)))
		case "hex":
			nth++
			return s.digits(nth, count)
		case "HEX":
			nth++
			return strings.ToUpper(s.digits(nth, count))
		}
		panic(fmt.Sprintf("kinds.go: %s: there is no placeholder %s", s.typ, p))
	})
}

// of is {of.x.y}: an output of the resource that an input names.
func (s subject) of(path string) string {
	input, output, _ := strings.Cut(path, ".")
	if s.cloud.Lookup != nil {
		if found, ok := s.cloud.Lookup(text(at(s.inputs, input))); ok {
			if v := text(at(found, output)); v != "" {
				return v
			}
		}
	}
	if strings.HasPrefix(output, "availabilityZone") {
		return s.cloud.region() + "a"
	}
	return ""
}

// hash is what all made-up digits of a resource come from.
func (s subject) hash(nth int) [sha256.Size]byte {
	return sha256.Sum256(
		fmt.Appendf(nil, "%s|%s|%s|%s|%s|%d", s.cloud.account(), s.cloud.region(), s.cloud.Seed, s.typ, s.name, nth))
}

func (s subject) digits(nth, count int) string {
	h := s.hash(nth)
	return hex.EncodeToString(h[:])[:count]
}

func (s subject) number(nth int) *big.Int {
	h := s.hash(nth)
	return new(big.Int).SetBytes(h[:7]) // fits an int64
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// content stands for the digest of the image that these inputs build.
func (s subject) content() string {
	relevant := []any{text(at(s.inputs, "imageName"))}
	if b := plain(s.inputs["build"]); b.IsObject() && !b.ContainsUnknowns() {
		relevant = append(relevant, b.ObjectValue().Mappable())
	}
	b, err := json.Marshal(relevant) // sorts the keys
	if err != nil {
		panic(fmt.Sprintf("an image's build inputs are plain data: %v", err))
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// Repository is an image's name without its tag: "host:5000/a/b" of "host:5000/a/b:v1".
func Repository(image string) string {
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		return image[:i]
	}
	return image
}

// at follows a path of property names.
func at(m resource.PropertyMap, path string) resource.PropertyValue {
	v := resource.NewObjectProperty(m)
	for _, name := range strings.Split(path, ".") {
		if v = plain(v); !v.IsObject() {
			return resource.NewNullProperty()
		}
		v = v.ObjectValue()[resource.PropertyKey(name)]
	}
	return plain(v)
}

func text(v resource.PropertyValue) string {
	switch {
	case v.IsString():
		return v.StringValue()
	case v.IsNumber():
		return strconv.FormatFloat(v.NumberValue(), 'f', -1, 64)
	case v.IsBool():
		return strconv.FormatBool(v.BoolValue())
	}
	return ""
}
