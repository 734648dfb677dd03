package account

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// ownIPv6 is the range that a VPC gets of Amazon's when it asks for one; here it is of those kept for documentation.
func ownIPv6(s subject) resource.PropertyValue {
	if asked := plain(s.inputs["assignGeneratedIpv6CidrBlock"]); !asked.IsBool() || !asked.BoolValue() {
		return resource.NewNullProperty()
	}
	return resource.NewStringProperty(fmt.Sprintf("2001:db8:%s:%s00::/56", s.digits(1, 4), s.digits(2, 2)))
}
