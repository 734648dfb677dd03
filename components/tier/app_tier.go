package tier

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/components/internal/problem"
	"twip/components/network"
	"twip/components/store"
	"twip/infra/boot"
	"twip/infra/keeper"
)

// AppTierArgs describe the servers of the dynamic pages.
type AppTierArgs struct {
	Common

	// Containers is how many app containers one machine has, 1 to MaxAppContainers. The default is 1.
	Containers int

	// ExpectData has servers refuse an empty store, instead of beginning there.
	ExpectData bool
	// Uploads lets requests in that send files; Outbound lets the application open connections. The default is neither.
	Uploads, Outbound bool

	// Group places the servers in a group behind a load balancer; nil: on one host, behind the proxy there.
	Group *AppGroup
}

// AppGroup is what app servers need in several zones.
type AppGroup struct {
	Network *network.Private  // required; servers stand in its private subnets
	Store   *store.FileSystem // required; keeps what people post
}

// MaxAppContainers bounds the app servers of one host: its user data has to hold a unit for each.
const MaxAppContainers = 4

// AppTier runs companyNews in Jetty. Each server is a container whose keeper lets one of them at a time be the writer;
// the others forward to it, so all of them can answer.
type AppTier struct {
	pulumi.ResourceState
	Tier
	Store   *store.FileSystem // mounted by every machine of the group; nil on a host, which has a volume
	Service string            // what the metrics of its keepers belong to; on a host they write none
}

// NewAppTier creates the image and the log group, and in a group the target group and the ways to the store and to the
// leader. It refuses bad args before it registers anything.
func NewAppTier(ctx *pulumi.Context, name string, args *AppTierArgs, opts ...pulumi.ResourceOption) (*AppTier, error) {
	if err := args.validate(name).Err("app tier", name); err != nil {
		return nil, err
	}
	t := &AppTier{Service: name}
	if err := ctx.RegisterComponentResource("twip:components:AppTier", name, t, opts...); err != nil {
		return nil, err
	}
	var specs []boot.Container
	for number := range max(args.Containers, 1) {
		specs = append(specs, args.container(name, fmt.Sprintf("app-%d", number+1)))
	}
	if err := t.register(ctx, name, args.Common, specs, t); err != nil {
		return nil, fmt.Errorf("app tier %q: %w", name, err)
	}
	if args.Group != nil {
		if err := t.registerGroup(ctx, name, args.Group); err != nil {
			return nil, fmt.Errorf("app tier %q: %w", name, err)
		}
	}
	return t, ctx.RegisterResourceOutputs(t, t.outputs())
}

// registerGroup creates the target group, and opens the ways from each server to the store and to the leader.
func (t *AppTier) registerGroup(ctx *pulumi.Context, name string, group *AppGroup) (err error) {
	child := pulumi.Parent(t)
	t.Store = group.Store
	t.TargetGroup, err = newTargetGroup(ctx, name, group.Network, appCheck, appDrainSeconds, child)
	if err != nil {
		return err
	}
	servers := t.TargetGroup.SecurityGroup
	for _, flow := range []network.Connection{
		{Name: name + "-store", From: servers, To: group.Store.SecurityGroup, Port: store.NFSPort},
		{Name: name + "-leader", From: servers, To: servers, Port: HTTPPort},
	} {
		rules, err := flow.Register(ctx, child)
		if err != nil {
			return err
		}
		t.TargetGroup.Ready = append(t.TargetGroup.Ready, rules...)
	}
	return nil
}

const (
	// adminPort is where a keeper answers questions about itself. Only the load balancer's check reaches it.
	adminPort = 8082
	// appDrainSeconds covers the longest honest request: one that arrives during a change of the leader and is held
	// until the successor has replayed the journal.
	appDrainSeconds = 60
	// socketMount is where a keeper on a host makes its sockets.
	socketMount = "/sockets"
	// addressEnv tells the keeper under which address other machines reach this one: a container sees only its own.
	addressEnv = keeper.AddressEnv
)

// appCheck sends requests only to servers that can answer them, by their own JVM or through the leader; when none can,
// the load balancer sends to all. It does not replace servers: what keeps a keeper from answering is, as a rule, the
// store, and a group that threw its servers away while the store is slow would still be booting when the store is back.
// A server whose machine fails is replaced, a keeper that hangs is restarted on its machine, and a machine where even
// that does not help powers itself off (infra/boot/scripts/twip-give-up).
var appCheck = HealthCheck{Port: adminPort, Path: "/health", Replaces: false}

func (a *AppTierArgs) container(tier, name string) boot.Container {
	c := boot.Container{
		Name:       name,
		MemoryMiB:  a.MemoryMiB,
		PIDs:       512, // a thread counts as one; Jetty's pool has up to 200
		Tmpfs:      []string{"/run:size=16m,mode=1777", "/tmp:size=64m,mode=1777"},
		Env:        map[string]string{},
		StoreMount: "/store",
		// A container that fails this is restarted, which is no help when the store is away: it asks only for the
		// process.
		Health: []string{"/usr/local/bin/keeper", "health", "--live"},
		// Prevayler takes its snapshot only when it is stopped in an orderly way; the snapshot grows with the data.
		StopSeconds: 75,
	}
	if a.Group == nil {
		// The proxy comes by a socket: a connection between two containers' networks costs it more than all else it does.
		c.SocketMount, c.Env[keeper.SocketsEnv] = socketMount, socketMount
	} else {
		c.Ports = []boot.Port{{Host: HTTPPort, Container: HTTPPort}, {Host: adminPort, Container: adminPort}}
		c.AddressEnv = addressEnv
		c.Env[keeper.ServiceEnv] = tier
	}
	if a.ExpectData {
		c.Env[keeper.ExpectEnv] = keeper.Present
	}
	if a.Uploads {
		c.Env["TWIP_UPLOADS"] = "true" // read by infra/images/app/guard
	}
	if a.Outbound {
		c.Env[keeper.OutboundEnv] = "true"
	}
	return c
}

func (a *AppTierArgs) validate(name string) problem.List {
	p := a.Common.Validate()
	p.Unless(a.Containers >= 0 && a.Containers <= MaxAppContainers, "containers", a.Containers,
		fmt.Sprintf("use 1 to %d", MaxAppContainers))
	if a.Group != nil {
		p = append(p, CheckName(name)...)
		p.Unless(a.Containers <= 1, "containers", a.Containers, "use 1: in a group, add machines")
		p.Unless(a.Group.Network != nil, "group: network", nil, "give it the private network to stand in")
		p.Unless(a.Group.Store != nil, "group: store", nil, "give it the file system that keeps its data")
	}
	return p
}
