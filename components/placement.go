package components

import (
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Placement says where a component runs. It is sealed: the components decide by a type switch which resources exist, and
// a placement from outside could not be answered by it.
type Placement interface{ placement() }

// OnHost places a component on the one machine that NewHost makes in the same subnet.
type OnHost struct {
	Subnet Subnet // the data volume is made in this subnet's zone, since a volume cannot leave its zone
}

func (OnHost) placement() {}

// InGroup places a component in all zones of a network: servers in a group that NewGroup makes, the edge and the store
// with a foot in every zone.
type InGroup struct {
	Network *ZonedNetwork
}

func (InGroup) placement() {}

// Subnet is a range of addresses in one availability zone.
type Subnet struct {
	ID   pulumi.StringInput
	Zone string // full name, such as eu-central-1a
}

var errPlacement = errors.New("placement is missing or of an unknown kind: use components.OnHost or components.InGroup with a network")
