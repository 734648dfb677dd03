package region

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

func declaredSite() Declared {
	check := HealthCheck{Path: "/health", Matcher: "200", Port: 8082, Interval: 5 * time.Second, Timeout: 4 * time.Second,
		Healthy: 2, Unhealthy: 2}
	d := Declared{
		Idle: time.Minute,
		TargetGroups: map[string]TargetGroup{
			"arn:app":    {ARN: "arn:app", Name: "app-1", Algorithm: "least_outstanding_requests", Port: 8080, Check: check},
			"arn:static": {ARN: "arn:static", Name: "static-1", Algorithm: "round_robin", Port: 8080, Check: check},
		},
	}
	d.Listeners = []Listener{{ARN: "arn:l", Protocol: "HTTP", Port: 80, Default: Forward{TargetGroup: "arn:app"},
		Rules: []Rule{{Priority: 100, Paths: []string{"/styles/*", "/images/*"}, Action: Forward{TargetGroup: "arn:static"}}}}}
	return d
}

func declaredDomain() Declared {
	d := declaredSite()
	d.Listeners[0].Port, d.Listeners[0].Protocol = 443, "HTTPS"
	d.Listeners[0].Default = Forward{Status: 403, Body: "Forbidden"}
	d.Listeners = append(d.Listeners, Listener{Protocol: "HTTP", Port: 80, Default: Forward{Redirect: 443}})
	return d
}

func TestBalancerConfig(t *testing.T) {
	for name, d := range map[string]Declared{
		"nothing": {Idle: time.Minute}, "site": declaredSite(), "domain": declaredDomain(),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := BalancerConfig(d, "172.18.0.1:4711")
			require.NoError(t, err)
			golden := filepath.Join("testdata", name+".cfg")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got, "go test ./infra/local/region -update writes it anew")
		})
	}
}

func TestPathACL(t *testing.T) {
	require.Empty(t, pathACL(nil))
	require.Empty(t, pathACL([]string{"/*"}))
	require.Equal(t, `if { path -m reg '^/a\.b/.*$' '^/c.$' }`, pathACL([]string{"/a.b/*", "/c?"}))
}
