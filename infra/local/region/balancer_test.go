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

func TestCommands(t *testing.T) {
	slot := func(n, address, admin string) target {
		return target{Backend: "b", Slot: n, Address: address, Admin: admin}
	}
	for name, tc := range map[string]struct {
		have   []target
		wanted []want
		lines  []string
	}{
		"as it should be": {[]target{slot("t1", "10.0.0.1", "ready"), slot("t2", free, "maint")}, []want{{"10.0.0.1", "ready"}}, nil},
		"a new target": {[]target{slot("t1", "10.0.0.1", "ready"), slot("t2", free, "maint")},
			[]want{{"10.0.0.1", "ready"}, {"10.0.0.2", "ready"}}, []string{
				"set server b/t2 addr 10.0.0.2", "set server b-all/t2 addr 10.0.0.2", "set server b/t2 state drain",
				"set server b/t2 health down", "set server b/t2 state ready", "set server b-all/t2 state ready"}},
		"one drains": {[]target{slot("t1", "10.0.0.1", "ready")}, []want{{"10.0.0.1", "drain"}},
			[]string{"set server b/t1 state drain", "set server b-all/t1 state drain"}},
		"one is gone, its slot is used again": {[]target{slot("t1", "10.0.0.1", "drain")}, []want{{"10.0.0.2", "ready"}}, []string{
			"set server b/t1 state maint", "set server b-all/t1 state maint", "set server b/t1 addr 192.0.2.1",
			"set server b-all/t1 addr 192.0.2.1", "set server b/t1 addr 10.0.0.2", "set server b-all/t1 addr 10.0.0.2",
			"set server b/t1 state drain", "set server b/t1 health down", "set server b/t1 state ready",
			"set server b-all/t1 state ready"}},
		"what drains is not taken in": {[]target{slot("t1", free, "maint")}, []want{{"10.0.0.1", "drain"}}, nil},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.lines, commands("b", tc.have, tc.wanted)) })
	}
}

func TestParseTargets(t *testing.T) {
	state := "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state\n" +
		"6 b 1 t1 10.0.0.1 2 0\n6 b 2 t2 10.0.0.2 0 8\n6 b 3 t3 192.0.2.1 0 5\n7 b-all 1 t1 10.0.0.1 2 0\n\n"
	stat := "# pxname,svname,qcur,scur,status\nb,t1,0,0,UP\nb,t2,0,3,DRAIN\nb,t3,0,0,MAINT\nb-all,t1,0,1,no check\n"
	require.Equal(t, map[string][]target{"b": {
		{Backend: "b", Slot: "t1", Address: "10.0.0.1", Admin: "ready", Up: true, Busy: true},
		{Backend: "b", Slot: "t2", Address: "10.0.0.2", Admin: "drain", Up: true, Busy: true},
		{Backend: "b", Slot: "t3", Address: free, Admin: "maint"},
	}}, parseTargets(state, stat))
}
