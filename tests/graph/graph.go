package graph

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"twip/stacks"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// Graph is what a program asked the engine for. Read it only after Run has returned: by then the program and all its
// Applies are done, so no test sleeps, waits or asserts inside one.
type Graph struct {
	Nodes    []*Node              // in the order of their URNs
	Outputs  resource.PropertyMap // of the stack
	Messages []string             // what the program told the person who runs it, "severity: text"
	Invokes  []Invoke             // data sources that were asked, sorted by their tokens

	mu    sync.Mutex
	nodes map[string]*Node
}

// Node is one resource as it was registered.
type Node struct {
	URN, Type, Name string
	Parent          string // URN; empty for what the stack holds directly
	Custom          bool   // it belongs to a provider; components do not
	Provider        string // URN of the provider
	ID              string
	Inputs          resource.PropertyMap
	Outputs         resource.PropertyMap
	Dependencies    []string // URNs of all it waits for, sorted: named by DependsOn or used in its inputs

	Protect             bool
	RetainOnDelete      bool
	DeleteBeforeReplace bool
	IgnoreChanges       []string
}

// Invoke is one question to a data source.
type Invoke struct {
	Token, Provider string
	Args            resource.PropertyMap
}

// Project and Stack are what programs under test run as.
const (
	Project = "twip"
	Stack   = "test"
)

// Run runs a program as an update does. It returns the graph beside the error, so that a test of a refusal can show
// that nothing was registered. Configuration keys are full ("twip:domain"), values as Pulumi hands them over.
func Run(config map[string]string, program pulumi.RunFunc) (*Graph, error) {
	return run(config, program, &monitor{stack: Stack})
}

// RunFailing is Run in a cloud that fails to make any resource of one type.
func RunFailing(typ string, config map[string]string, program pulumi.RunFunc) (*Graph, error) {
	return run(config, program, &monitor{stack: Stack, fails: typ})
}

// Preview runs a program as a preview of a new stack does: what only a deployment can know stays unknown.
func Preview(config map[string]string, program pulumi.RunFunc) (*Graph, error) {
	return PreviewStack(Stack, config, program)
}

// PreviewStack is Preview under another stack's name.
func PreviewStack(stack string, config map[string]string, program pulumi.RunFunc) (*Graph, error) {
	return run(config, program, &monitor{stack: stack, preview: true})
}

// RunStack is Run under another stack's name.
func RunStack(stack string, config map[string]string, program pulumi.RunFunc) (*Graph, error) {
	return run(config, program, &monitor{stack: stack})
}

func run(config map[string]string, program pulumi.RunFunc, m *monitor) (*Graph, error) {
	g := &Graph{nodes: map[string]*Node{}, Outputs: resource.PropertyMap{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return g, fmt.Errorf("graph: listening for the program: %w", err)
	}
	server := grpc.NewServer()
	m.graph = g
	pulumirpc.RegisterResourceMonitorServer(server, m)
	pulumirpc.RegisterEngineServer(server, &engine{graph: g})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	err = pulumi.RunErr(program, func(i *pulumi.RunInfo) {
		i.Project, i.Stack, i.Config, i.DryRun = Project, m.stack, config, m.preview
		i.ConfigSecretKeys = secretKeys()
		i.MonitorAddr, i.EngineAddr = listener.Addr().String(), listener.Addr().String()
	})
	server.GracefulStop() // RunErr has closed its connections: this waits for the last handlers only
	err = errors.Join(err, m.close())
	if stopped := <-served; err == nil && stopped != nil {
		err = fmt.Errorf("graph: serving the program: %w", stopped)
	}
	g.settle()
	return g, err
}

// secretKeys are those that Pulumi keeps encrypted.
func secretKeys() (keys []string) {
	for _, key := range stacks.Keys {
		if key.Secret {
			keys = append(keys, Project+":"+key.Name)
		}
	}
	return keys
}

// settle puts everything that the program's concurrency may have shuffled in order.
func (g *Graph) settle() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, node := range g.nodes {
		g.Nodes = append(g.Nodes, node)
	}
	slices.SortFunc(g.Nodes, func(a, b *Node) int { return strings.Compare(a.URN, b.URN) })
	slices.Sort(g.Messages)
	slices.SortFunc(g.Invokes, func(a, b Invoke) int {
		return strings.Compare(a.Token+fmt.Sprint(a.Args), b.Token+fmt.Sprint(b.Args))
	})
}
