package provider

import (
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"twip/infra/local/account"
)

// Operation is what an engine asks of a provider that changes a resource.
type Operation string

// The operations that Options.Fault is asked about.
const (
	Create Operation = "create"
	Update Operation = "update"
	Delete Operation = "delete"
)

// Options of a Server.
type Options struct {
	// State is the directory of the file that tells what exists. Required.
	State string

	// Dir is the directory that the program runs in: relative build contexts start from it. Required with a Computer.
	Dir string

	// Computer gives bodies to what can have one. Nil: everything is recorded only.
	Computer Computer

	// Account is the account that resources belong to; "" for account.DefaultAccount. The region is the provider's own.
	Account string

	// Ports are an instance's ports that can be reached from this computer, once its security groups open them; nil for
	// 80 (the site) and 1936 (the proxy's statistics).
	Ports []int

	// Fault is asked before every operation and fails it with the error that it returns. For tests; nil fails nothing.
	Fault func(op Operation, typ, name string) error
}

// Server serves the providers on ports of 127.0.0.1 until it is closed.
type Server struct {
	options    Options
	state      *stateFile
	publishing sync.Mutex
	servers    []*grpc.Server
	addresses  map[string]int // port by package
}

// packages are what the engine looks for a provider of.
var packages = []string{"aws", "docker"}

// Start begins to serve.
func Start(o Options) (*Server, error) {
	if o.State == "" {
		return nil, errors.New("no state directory: set Options.State")
	}
	if o.Computer != nil && o.Dir == "" {
		return nil, errors.New("no program directory: set Options.Dir, build contexts are relative to it")
	}
	if o.Account == "" {
		o.Account = account.DefaultAccount
	}
	if o.Ports == nil {
		o.Ports = []int{80, 1936}
	}
	w, err := openStateFile(o.State)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, state: w, addresses: map[string]int{}}
	for _, pkg := range packages {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("provider %s: %w", pkg, err)
		}
		// An engine opens a connection for each provider that the program declares; what one is configured with must
		// not reach another.
		g := grpc.NewServer(grpc.StatsHandler(connections{}), grpc.MaxRecvMsgSize(maxMessage))
		pulumirpc.RegisterResourceProviderServer(g, plugin.NewProviderServer(newProvider(s, pkg)))
		s.servers = append(s.servers, g)
		s.addresses[pkg] = listener.Addr().(*net.TCPAddr).Port
		go g.Serve(listener) //nolint:errcheck // ends, with nothing to tell, when the server is closed
	}
	return s, nil
}

// maxMessage is the engine's own limit for a message, in bytes.
const maxMessage = 400 << 20

// Environment makes an engine attach to these providers rather than start plugins.
func (s *Server) Environment() map[string]string {
	var list string
	for _, pkg := range packages {
		if list != "" {
			list += ","
		}
		list += fmt.Sprintf("%s:%d", pkg, s.addresses[pkg])
	}
	return map[string]string{"PULUMI_DEBUG_PROVIDERS": list}
}

// Close stops serving. Operations that are under way end first.
func (s *Server) Close() {
	for _, g := range s.servers {
		g.GracefulStop()
	}
}
