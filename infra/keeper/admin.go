package keeper

import (
	"encoding/json"
	"net/http"
	"time"
)

// healthGrace is how long a server stays healthy without anyone to send requests to: they are held meanwhile,
// and a load balancer that dropped every server during a switch would lose what the keepers hold.
const healthGrace = 6 * time.Second

// status is the body of /health.
type status struct {
	Healthy bool   `json:"healthy"`
	Role    string `json:"role"`
	Epoch   uint64 `json:"epoch"`
	Leader  string `json:"leader,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

func (k *Keeper) status() status {
	now := k.env.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	s := status{
		Healthy: now-k.answered <= healthGrace,
		Role:    "standby",
		Epoch:   k.route.Epoch,
		Leader:  k.route.Address,
		Reason:  k.reason,
	}
	if k.route.Self {
		s.Role, s.Leader = "leader", k.address
	}
	return s
}

// admin serves /health, /live and /metrics, for the network of the servers and not for the public.
func (k *Keeper) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		s := k.status()
		w.Header().Set("Content-Type", "application/json")
		if !s.Healthy {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		// The status line has been sent; a client that is gone needs no answer.
		_ = json.NewEncoder(w).Encode(s)
	})
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		k.metrics.write(w)
	})
	return mux
}
