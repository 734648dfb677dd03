package components

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/edge"
)

// EdgeProxy is what the internet meets. The field of the form that was asked for is set.
type EdgeProxy struct {
	Proxy        *edge.Proxy        // one host: a public address and HAProxy; see edge/proxy.go
	LoadBalancer *edge.LoadBalancer // several zones: an application load balancer; see edge/load_balancer.go
}

// EdgeProxyArgs describe an EdgeProxy: exactly one of the forms.
type EdgeProxyArgs struct {
	Proxy        *edge.ProxyArgs
	LoadBalancer *edge.LoadBalancerArgs
}

// NewEdgeProxy creates the edge in the form that its args describe. It refuses bad args before it registers anything.
func NewEdgeProxy(
	ctx *pulumi.Context, name string, args *EdgeProxyArgs, opts ...pulumi.ResourceOption,
) (e *EdgeProxy, err error) {
	e = &EdgeProxy{}
	switch {
	case args.Proxy != nil && args.LoadBalancer == nil:
		e.Proxy, err = edge.NewProxy(ctx, name, args.Proxy, opts...)
	case args.Proxy == nil && args.LoadBalancer != nil:
		e.LoadBalancer, err = edge.NewLoadBalancer(ctx, name, args.LoadBalancer, opts...)
	default:
		err = fmt.Errorf("edge proxy %q: give exactly one of Proxy (one host) and LoadBalancer (several zones)", name)
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}
