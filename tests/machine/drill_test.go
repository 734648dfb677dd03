package machine

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/drill"
	"twip/infra/ops"
)

// keepsItsPromises breaks the environment in some of the ways of `make drill`, under load.
func keepsItsPromises(e *environment) {
	e.eventually(2*time.Minute, e.bothServersHealthy)
	all, o, err := e.Drills(e.t.Context(), nil)
	require.NoError(e.t, err)
	chosen, err := drill.Choose(all, "app-removed,jvm-killed,proxy-killed,static-killed")
	require.NoError(e.t, err)
	outcomes, err := drill.Run(e.t.Context(), chosen, o)
	require.NoError(e.t, err)
	require.Len(e.t, outcomes, len(chosen))
}

// noticesBrokenPromises makes real harm of the two kinds that there are: a tier that stays away for longer than promised,
// and acknowledged posts that are lost, because the data is set back under the feet of people.
func noticesBrokenPromises(e *environment) {
	_, o, err := e.Drills(e.t.Context(), nil)
	require.NoError(e.t, err)
	env, host := e.operator()
	point := e.newestPoint()
	e.settle()
	unbound := drill.Bound{Away: drill.Any, Failed: drill.Any}
	for _, harm := range []struct {
		drill.Drill
		broken string
	}{
		{drill.Drill{Name: "static-away", Promise: drill.Promise{Pages: unbound, Posts: unbound, Static: drill.Bound{Away: 2 * time.Second}},
			Do: func(ctx context.Context, _ func(string)) error {
				_, err := host.Exec(ctx, "sh", "-c", "systemctl stop twip-static; sleep 4; systemctl start twip-static")
				return err
			}}, "static files: longest time without an answer"},
		{drill.Drill{Name: "set-back", Promise: drill.Promise{Pages: unbound, Posts: unbound, Static: unbound},
			Do: func(ctx context.Context, _ func(string)) error {
				return ops.Restore(ctx, env, host, point, io.Discard)
			}}, "acknowledged posts lost"},
	} {
		outcomes, err := drill.Run(e.t.Context(), []drill.Drill{harm.Drill}, o)
		require.ErrorContains(e.t, err, "did not keep their promises: "+harm.Name)
		require.Equal(e.t, "BROKEN", outcomes[0].Word())
		var broken []string
		for _, c := range outcomes[0].Checks {
			if !c.Kept {
				broken = append(broken, c.What)
			}
		}
		require.Contains(e.t, strings.Join(broken, "\n"), harm.broken)
	}
}
