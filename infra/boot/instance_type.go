package boot

import (
	"maps"
	"slices"
)

// InstanceTypes has the memory in MiB of each instance type that a machine can have. All are x86-64, as the images are,
// and general purpose: https://aws.amazon.com/ec2/instance-types/
var InstanceTypes = map[string]int{
	"t2.micro":   1024,
	"t2.small":   2048,
	"t2.medium":  4096,
	"t2.large":   8192,
	"t3.micro":   1024,
	"t3.small":   2048,
	"t3.medium":  4096,
	"t3.large":   8192,
	"t3a.micro":  1024,
	"t3a.small":  2048,
	"t3a.medium": 4096,
	"t3a.large":  8192,
	"m6i.large":  8192,
	"m7i.large":  8192,
}

// InstanceTypeNames lists the keys of InstanceTypes in order.
func InstanceTypeNames() []string { return slices.Sorted(maps.Keys(InstanceTypes)) }
