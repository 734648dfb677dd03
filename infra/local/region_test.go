package local

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/local/region"
)

// seen is the environment that a controller tells about.
func seen(t *testing.T, status region.Status) *Region {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(status) // a test that ended needs no answer
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "control"), []byte(server.Listener.Addr().String()), 0o600))
	return &Region{Client: region.Open(dir), Tiers: map[string]string{"app": "app-1", "static": "static-1"}}
}

func machine(id, group string, change func(*region.MachineStatus)) region.MachineStatus {
	m := region.MachineStatus{ID: id, Group: group, Lifecycle: region.InService, Target: "healthy", Running: true}
	if change != nil {
		change(&m)
	}
	return m
}

func TestTheWriterHasTheNewestEpoch(t *testing.T) {
	leads := func(epoch uint64) func(*region.MachineStatus) {
		return func(m *region.MachineStatus) { m.Role, m.Epoch = "leader", epoch }
	}
	r := seen(t, region.Status{Machines: []region.MachineStatus{machine("a", "app-1", leads(3)), machine("b", "app-1", leads(4)),
		machine("c", "app-1", nil), machine("s", "static-1", nil)}})
	writer, err := r.Writer(t.Context())
	require.NoError(t, err)
	require.Equal(t, "b", writer.ID)
	require.Equal(t, "static", r.Tier("static-1"))
	static, err := r.Machines(t.Context(), "static")
	require.NoError(t, err)
	require.Len(t, static, 1)

	_, err = seen(t, region.Status{Machines: []region.MachineStatus{machine("c", "app-1", nil)}}).Writer(t.Context())
	require.ErrorContains(t, err, "no server says that it leads")
}

func TestSettledMeansAllAnswerAndNobodyLeaves(t *testing.T) {
	for name, tc := range map[string]struct {
		second func(*region.MachineStatus)
		err    string
	}{
		"all well":     {nil, ""},
		"one fails":    {func(m *region.MachineStatus) { m.Target = "unhealthy" }, "app: 1 of 2 servers answer, 0 are on their way out"},
		"one comes":    {func(m *region.MachineStatus) { m.Lifecycle = region.Pending }, "app: 1 of 2 servers answer"},
		"one leaves":   {func(m *region.MachineStatus) { m.Lifecycle = region.Terminating }, "1 are on their way out"},
		"one is ended": {func(m *region.MachineStatus) { m.Lifecycle = region.Ending }, "1 are on their way out"},
	} {
		t.Run(name, func(t *testing.T) {
			r := seen(t, region.Status{Groups: []region.GroupStatus{{Name: "app-1", Desired: 2}},
				Machines: []region.MachineStatus{machine("a", "app-1", nil), machine("b", "app-1", tc.second)}})
			err := r.Await(t.Context(), time.Millisecond, func(string) {})
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
			require.ErrorContains(t, err, "not settled after 1ms")
		})
	}
}
