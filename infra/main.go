// Command infra is the Pulumi program: Pulumi.yaml names this directory, everything else is in packages.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/stacks"
)

func main() { pulumi.Run(stacks.Program) }
