package components

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/boot"
)

const (
	// adminPort is where a keeper answers questions about itself. Only the load balancer's check reaches it.
	adminPort = 8082
	// appDrainSeconds covers the longest honest request: one that arrives during a change of the leader and is held until
	// the successor has replayed the journal.
	appDrainSeconds = 60
)

// appCheck sends requests only to servers that can answer them, by their own JVM or through the leader; when none can, the
// load balancer sends to all. It does not replace servers: what keeps a keeper from answering is, as a rule, the store,
// and a group that threw its servers away while the store is slow would still be booting when the store is back. A server
// whose machine fails is replaced, a keeper that hangs is restarted on its machine, and a machine where even that does not
// help powers itself off (infra/boot/scripts/twip-give-up).
var appCheck = healthCheck{port: adminPort, path: "/health", replaces: false}

// join places the tier's servers in a group: behind a load balancer, at the store, and in reach of each other.
func (t *AppTier) join(ctx *pulumi.Context, name string, args *AppTierArgs, place InGroup) error {
	child := pulumi.Parent(t)
	spec := &t.Workload.Containers[0].Spec
	spec.Ports = []boot.Port{{Host: httpPort, Container: httpPort}, {Host: adminPort, Container: adminPort}}
	spec.AddressEnv = addressEnv
	pool, err := newPool(ctx, name, place, appCheck, appDrainSeconds, child)
	if err != nil {
		return err
	}
	pool.store = args.Store
	for _, flow := range []connection{
		{name: name + "-store", from: pool.wall.group, to: args.Store.files.wall, port: nfsPort},
		{name: name + "-leader", from: pool.wall.group, to: pool.wall.group, port: httpPort},
	} {
		rules, err := flow.register(ctx, child)
		if err != nil {
			return err
		}
		pool.ready = append(pool.ready, rules...)
	}
	t.Pool = pool
	return nil
}

// addressEnv tells the keeper under which address other machines reach this one: a container sees only its own.
const addressEnv = "TWIP_ADDRESS"
