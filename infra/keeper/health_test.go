package keeper

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFollowsAfter(t *testing.T) {
	for name, tc := range map[string]struct {
		code int
		body string
		want string
	}{
		"a leader of a later epoch": {200, `{"healthy": true, "role": "standby", "epoch": 8, "leader": "a:1"}`, ""},
		"the leader of before":      {200, `{"healthy": true, "role": "leader", "epoch": 7, "leader": "a:1"}`, "the newest is 7"},
		"claimed, and nobody leads": {200, `{"healthy": true, "role": "standby", "epoch": 8}`, "no server leads"},
		"it cannot answer":          {503, `{"healthy": false, "epoch": 8, "leader": "a:1"}`, "cannot answer"},
		"another program":           {200, `ok`, "health: "},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.code)
				fmt.Fprint(w, tc.body)
			}))
			defer server.Close()
			err := FollowsAfter(server.Listener.Addr().String(), 7)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}
