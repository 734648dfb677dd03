package graph

import (
	"context"
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

// transform is a function of the program that sees every resource on its way to the engine and may change its inputs.
type transform struct {
	program *grpc.ClientConn
	token   string
}

// RegisterStackTransform keeps a transform for all resources to come.
func (m *monitor) RegisterStackTransform(_ context.Context, in *pulumirpc.Callback) (*emptypb.Empty, error) {
	program, err := grpc.NewClient(in.GetTarget(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("transform: %w", err)
	}
	m.graph.mu.Lock()
	defer m.graph.mu.Unlock()
	m.transforms = append(m.transforms, transform{program, in.GetToken()})
	return &emptypb.Empty{}, nil
}

// transformed calls all transforms, as the engine does before it looks at a resource.
func (m *monitor) transformed(ctx context.Context, in *pulumirpc.RegisterResourceRequest) error {
	m.graph.mu.Lock()
	transforms := m.transforms
	m.graph.mu.Unlock()
	for _, t := range transforms {
		request, err := proto.Marshal(&pulumirpc.TransformRequest{
			Type: in.GetType(), Name: in.GetName(), Custom: in.GetCustom(), Parent: in.GetParent(), Properties: in.GetObject(),
			Options: &pulumirpc.TransformResourceOptions{
				DependsOn: in.GetDependencies(),
				Provider:  in.GetProvider(),
				Protect:   in.Protect,
			},
		})
		if err != nil {
			return fmt.Errorf("transform of %s: %w", in.GetName(), err)
		}
		answer, err := pulumirpc.NewCallbacksClient(t.program).
			Invoke(ctx, &pulumirpc.CallbackInvokeRequest{Token: t.token, Request: request})
		if err != nil {
			return fmt.Errorf("invoke transform: %w", err)
		}
		var response pulumirpc.TransformResponse
		if err = proto.Unmarshal(answer.GetResponse(), &response); err != nil {
			return fmt.Errorf("transform of %s: %w", in.GetName(), err)
		}
		if response.GetProperties() != nil {
			in.Object = response.GetProperties()
		}
	}
	return nil
}

// close ends the connections to the program.
func (m *monitor) close() error {
	for _, t := range m.transforms {
		if err := t.program.Close(); err != nil {
			return fmt.Errorf("transform: %w", err)
		}
	}
	return nil
}
