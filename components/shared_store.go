package components

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/store"
)

// SharedStore keeps what people post, and outlives every machine. The field of the form that was asked for is set.
type SharedStore struct {
	Volume     *store.Volume     // one host: an encrypted EBS volume; see store/volume.go
	FileSystem *store.FileSystem // several zones: an encrypted EFS file system; see store/file_system.go
}

// SharedStoreArgs describe a SharedStore: exactly one of the forms.
type SharedStoreArgs struct {
	Volume     *store.VolumeArgs
	FileSystem *store.FileSystemArgs
}

// NewSharedStore creates the store in the form that its args describe. It refuses bad args before it registers
// anything.
func NewSharedStore(
	ctx *pulumi.Context, name string, args *SharedStoreArgs, opts ...pulumi.ResourceOption,
) (s *SharedStore, err error) {
	s = &SharedStore{}
	switch {
	case args.Volume != nil && args.FileSystem == nil:
		s.Volume, err = store.NewVolume(ctx, name, args.Volume, opts...)
	case args.Volume == nil && args.FileSystem != nil:
		s.FileSystem, err = store.NewFileSystem(ctx, name, args.FileSystem, opts...)
	default:
		err = fmt.Errorf("shared store %q: give exactly one of Volume (one host) and FileSystem (several zones)", name)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}
