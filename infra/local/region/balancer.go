package region

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"
	"time"
)

//go:embed haproxy.cfg.tmpl
var balancerTemplate string

// slots is how many targets a target group has room for: twice the largest group that a refresh may make.
const slots = 32

// Where the load balancer's container has its files.
const (
	balancerDir  = "/run/lb"
	balancerCert = balancerDir + "/server.pem"
)

type balancerPage struct {
	Dir, Cert, API string
	Idle           time.Duration
	Slots          int
	Targets        []TargetGroup
	Frontends      []frontend
}

type frontend struct {
	Port  int
	TLS   bool
	API   bool // AWS's own names are answered here as well
	Rules []rule
}

// rule is what a frontend does with requests for some paths, all if there are none.
type rule struct {
	ACL    string
	Action Forward
	Name   string // of the backend
}

// BalancerConfig is HAProxy's configuration for what is declared. api is where the controller answers under AWS's
// names.
func BalancerConfig(d Declared, api string) (string, error) {
	page := balancerPage{Dir: balancerDir, Cert: balancerCert, API: api, Idle: d.Idle, Slots: slots}
	for _, arn := range slices.Sorted(maps.Keys(d.TargetGroups)) {
		page.Targets = append(page.Targets, d.TargetGroups[arn])
	}
	tls := false
	for _, l := range d.Listeners {
		f := frontend{Port: l.Port, TLS: l.Protocol == "HTTPS", API: l.Port == apiPort}
		tls = tls || f.API
		for n, r := range append(slices.Clone(l.Rules), Rule{Action: l.Default}) {
			name := d.TargetGroups[r.Action.TargetGroup].Name
			if r.Action.TargetGroup == "" {
				name = fmt.Sprintf("answer-%d-%d", l.Port, n)
			} else if name == "" {
				continue // the target group is being deleted
			}
			f.Rules = append(f.Rules, rule{pathACL(r.Paths), r.Action, name})
		}
		page.Frontends = append(page.Frontends, f)
	}
	if !tls {
		page.Frontends = append(page.Frontends, frontend{Port: apiPort, TLS: true, API: true,
			Rules: []rule{{Action: Forward{Status: 404, Body: "no listener"}, Name: "answer-none"}}})
	}
	functions := template.FuncMap{"ms": time.Duration.Milliseconds}
	t, err := template.New("haproxy.cfg").Funcs(functions).Parse(balancerTemplate)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, page); err != nil {
		return "", fmt.Errorf("load balancer's configuration: %w", err)
	}
	return out.String(), nil
}

// apiPort is where machines expect AWS.
const apiPort = 443

// pathACL matches AWS's path patterns, in which * is any text and ? one character, as regular expressions.
func pathACL(patterns []string) string {
	var all []string
	for _, p := range patterns {
		if p == "/*" {
			return ""
		}
		quoted := strings.NewReplacer(`.`, `\.`, `+`, `\+`, `$`, `\$`, `*`, `.*`, `?`, `.`).Replace(p)
		all = append(all, "'^"+quoted+"$'")
	}
	if len(all) == 0 {
		return ""
	}
	return "if { path -m reg " + strings.Join(all, " ") + " }"
}

// target is one slot of a backend as HAProxy sees it.
type target struct {
	Backend, Slot string
	Address       string // free for none
	Admin         string // ready, drain, maint
	Up            bool
	Busy          bool
}

// free is the address of slots that no target has; it is kept for documentation.
const free = "192.0.2.1"

// want is what a target is to be.
type want struct{ Address, Admin string }

// commands are what brings one backend's slots to what is wanted, in HAProxy's words. A target that is new counts as
// failing until its check has passed, as on AWS.
func commands(backend string, have []target, wanted []want) (lines []string) {
	byAddress := map[string]want{}
	for _, w := range wanted {
		byAddress[w.Address] = w
	}
	say := func(slot, format string, args ...any) {
		for _, b := range []string{backend, allOf(backend)} {
			lines = append(lines, fmt.Sprintf("set server %s/%s ", b, slot)+fmt.Sprintf(format, args...))
		}
	}
	var empty []string
	for _, h := range have {
		w, keep := byAddress[h.Address]
		switch {
		case keep:
			delete(byAddress, h.Address)
			if h.Admin != w.Admin {
				say(h.Slot, "state %s", w.Admin)
			}
		case h.Address != free:
			say(h.Slot, "state maint")
			say(h.Slot, "addr %s", free)
			empty = append(empty, h.Slot)
		default:
			empty = append(empty, h.Slot)
		}
	}
	for _, w := range wanted {
		if _, missing := byAddress[w.Address]; !missing || len(empty) == 0 || w.Admin != "ready" {
			continue
		}
		slot := empty[0]
		empty = empty[1:]
		say(slot, "addr %s", w.Address)
		// HAProxy takes a server that leaves maintenance for healthy until a check fails. While it drains it gets nothing.
		server := fmt.Sprintf("set server %s/%s ", backend, slot)
		lines = append(lines, server+"state drain", server+"health down")
		say(slot, "state ready")
	}
	return lines
}

// allOf is the backend that is used when all targets of another are unhealthy: it sends to all of them.
func allOf(backend string) string { return backend + "-all" }

// parseTargets reads what "show servers state" and "show stat" say, by backend. Their columns have names.
func parseTargets(state, stat string) map[string][]target {
	up, busy := map[string]bool{}, map[string]bool{}
	for _, row := range table(stat, ",") {
		key := path.Join(row["pxname"], row["svname"])
		up[key] = strings.HasPrefix(row["status"], "UP") || strings.HasPrefix(row["status"], "DRAIN")
		busy[key] = row["scur"] != "0" || row["qcur"] != "0"
	}
	all := map[string][]target{}
	for _, row := range table(state, " ") {
		backend := row["be_name"]
		if backend == "" || strings.HasSuffix(backend, "-all") {
			continue
		}
		t := target{Backend: backend, Slot: row["srv_name"], Address: row["srv_addr"],
			Admin: adminState(row["srv_admin_state"])}
		key := path.Join(backend, t.Slot)
		t.Up, t.Busy = up[key], busy[key] || busy[path.Join(allOf(backend), t.Slot)]
		all[backend] = append(all[backend], t)
	}
	return all
}

// adminState reads HAProxy's bits: 1 is forced maintenance, 8 forced drain
// (https://docs.haproxy.org/3.0/management.html, "show servers state").
func adminState(bits string) string {
	var n int
	_, _ = fmt.Sscan(bits, &n) // nothing is no bit
	switch {
	case n&1 != 0:
		return "maint"
	case n&8 != 0:
		return "drain"
	}
	return "ready"
}

// table reads lines under a heading that begins with a number sign.
func table(text, separator string) (rows []map[string]string) {
	var names []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if heading, ok := strings.CutPrefix(line, "# "); ok {
			names = strings.Split(heading, separator)
			continue
		}
		values := strings.Split(line, separator)
		if len(names) == 0 || len(values) < 2 {
			continue
		}
		row := map[string]string{}
		for i := range min(len(names), len(values)) {
			row[names[i]] = values[i]
		}
		rows = append(rows, row)
	}
	return rows
}
