package graph

import (
	"context"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// engine keeps what the program says to the person who runs it.
type engine struct {
	pulumirpc.UnimplementedEngineServer
	graph *Graph
}

// Log keeps one message.
func (e *engine) Log(_ context.Context, in *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	e.graph.mu.Lock()
	defer e.graph.mu.Unlock()
	e.graph.Messages = append(e.graph.Messages, strings.ToLower(in.GetSeverity().String())+": "+in.GetMessage())
	return &emptypb.Empty{}, nil
}
