package tier

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"

	"twip/components/network"
	"twip/infra/boot"
)

// Workload is what a tier asks of the machine that runs it.
type Workload struct {
	Containers []Container    // started in this order
	Ingress    []network.Flow // what may reach the machine because of them
}

// Container is a container whose image and log group are known only once they exist.
type Container struct {
	Spec     boot.Container // its Image and LogGroup stay empty: they are filled in from the two below
	Image    *Image
	LogGroup *cloudwatch.LogGroup
}
