package provider

import (
	"context"

	"twip/infra/local/computer"
)

// Computer is what resources with a body need done. Every method may be called again after a failure, and again for
// what is already as it should be; removing what is gone is no error.
type Computer interface {
	// Build makes an image and pushes it, and answers its digest ("sha256:…"). A tag that is there is refused.
	Build(ctx context.Context, b computer.Build) (digest string, err error)
	HasImage(ctx context.Context, repository, digest string) (bool, error)
	DeleteRepository(ctx context.Context, name string) error

	// Launch returns when the machine's first process runs; Stop and Terminate when it has shut down in an orderly way.
	Launch(ctx context.Context, m computer.Machine) error
	Stop(ctx context.Context, id string) error
	Terminate(ctx context.Context, id string) error
	State(ctx context.Context, id string) (computer.State, error)

	// CreateVolume makes a blank volume, or grows one that exists and keeps its data.
	CreateVolume(ctx context.Context, id string, gib int) error
	DeleteVolume(ctx context.Context, id string) error
	HasVolume(ctx context.Context, id string) (bool, error)
	AttachVolume(ctx context.Context, volume, instance, device string) error
	DetachVolume(ctx context.Context, volume string) error

	// Publish makes exactly these ports of the instance reachable by the address, an Elastic IP's allocation id, and
	// takes the address from whoever had it.
	Publish(ctx context.Context, address, instance string, ports []int) error
	Unpublish(ctx context.Context, address string) error

	// CreateFileSystem makes a file system that machines share, or keeps the one there is with its data.
	CreateFileSystem(ctx context.Context, id string) error
	DeleteFileSystem(ctx context.Context, id string) error
	HasFileSystem(ctx context.Context, id string) (bool, error)

	// RunFunction runs a function to its end and answers its result in JSON.
	RunFunction(ctx context.Context, f computer.Function) (string, error)

	EnsureLogGroup(ctx context.Context, name string) error
	DeleteLogGroup(ctx context.Context, name string) error
}

var _ Computer = (*computer.Computer)(nil)
