package boot

import (
	"maps"
	"slices"
	"strings"
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

// alike are families of machines that stand in for each other: the same sizes, and credits for CPU or none. The first
// is taken as long as there is one.
var alike = [][]string{{"t2", "t3", "t3a"}, {"t3", "t3a"}, {"t3a", "t3"}, {"m6i", "m7i"}, {"m7i", "m6i"}}

// Alike lists an instance type and those that may be taken in its place, in the order in which they are tried.
func Alike(instanceType string) (types []string) {
	family, size, _ := strings.Cut(instanceType, ".")
	for _, families := range alike {
		if families[0] != family {
			continue
		}
		for _, other := range families {
			if _, there := InstanceTypes[other+"."+size]; there {
				types = append(types, other+"."+size)
			}
		}
	}
	return types
}
