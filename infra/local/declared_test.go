package local

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/infra/cost"
)

var update = flag.Bool("update", false, "write the table of steps")

// steps are the way from the limited release to the public one, each on top of the one before; an aside is no step on the
// way, and compared with the limited release.
var steps = []struct {
	name, values, buys string
	change             map[string]string
	aside              bool
}{
	{"limited release", "as committed", "survives a server and a zone; a web ACL before it; HTTP only, to `siteCidrs`", nil, false},
	{"cheaper", "`natGateways: single`", "nothing but money: the loss of that zone stops boots, pulls and logs in the others; " +
		"the other zones' outbound addresses are given up", map[string]string{"twip:natGateways": "single"}, true},
	{"people are told", "`alarmEmail`, `monthlyBudgetUsd: 300`", "alarms and the budget reach someone; a preview of what costs " +
		"more fails, so each step below raises it", map[string]string{"twip:alarmEmail": "ops@example.com", "twip:monthlyBudgetUsd": "300"}, false},
	{"a name and TLS", "`domain`, `hostedZone`", "HTTPS with TLS 1.3, 80 → 443; the hosted zone itself is 0.50",
		map[string]string{"twip:domain": "news.example.com", "twip:hostedZone": "Z0123456789ABCDEFGHIJ"}, false},
	{"third zone", "`zones: [a, b, c]`", "the loss of a zone costs a third of the machines and not half",
		map[string]string{"twip:zones": `["a","b","c"]`}, false},
	{"more servers", "`appServers: {min: 3, max: 9}`, `staticServers: {min: 3, max: 9}`", "two failures at once; more connections",
		map[string]string{"twip:appServers": `{"min":3,"max":9}`, "twip:staticServers": `{"min":3,"max":9}`}, false},
	{"larger writer", "`instanceType: m7i.large`, `memoryMiB: {app: 6144, static: 256}`", "the one JVM that writes gets 2 full vCPUs " +
		"and 3 GiB of heap: this, not more servers, makes posting faster",
		map[string]string{"twip:instanceType": "m7i.large", "twip:memoryMiB": `{"app":6144,"static":256}`}, false},
	{"the world, both ways", "`cdn: true`, `cdnBothWays: true`, `pulumi config set --secret twip:cdnSecret \"$(openssl rand -hex 32)\"`",
		"CloudFront answers those who know its addresses, the load balancer the others, each behind a web ACL",
		map[string]string{"twip:cdn": "true", "twip:cdnBothWays": "true"}, false},
	{"the world", "an hour later, without `cdnBothWays`", "static files near the reader, free up to 1 TB a month, then ≈ 85 " +
		"per TB; the load balancer answers nobody but our distribution", map[string]string{"twip:cdnBothWays": "false"}, false},
	{"registry and logs without NAT", "`interfaceEndpoints: true`", "pulls and logs go on when NAT is away; layers of images come " +
		"past NAT anyway; the sum is for two zones", map[string]string{"twip:interfaceEndpoints": "true"}, true},
}

func sum(t *testing.T, values map[string]string) float64 {
	t.Helper()
	declared, err := Declared("prod", values)
	require.NoError(t, err)
	bill, err := cost.Of(declared, cost.Use{})
	require.NoError(t, err)
	return bill.Sum()
}

// What the README says that each step costs is what the program would declare by it.
func TestREADMEShowsWhatStepsCost(t *testing.T) {
	cloud := New(Options{Name: "x", Checkout: "../..", StackFiles: "../../tests/stacks", Stack: "prod", State: t.TempDir()})
	limited, err := cloud.FileConfig()
	require.NoError(t, err)
	way, base, before := maps.Clone(limited), sum(t, limited), 0.0
	var table strings.Builder
	table.WriteString("| step | values | US$ a month | what it buys |\n|---|---|---|---|\n")
	for _, step := range steps {
		values, from := way, before
		if step.aside {
			values, from = maps.Clone(limited), base
		}
		maps.Copy(values, step.change)
		all := sum(t, values)
		costs := fmt.Sprintf("%+.0f", all-from)
		if from == 0 {
			costs = fmt.Sprintf("≈ %.0f", all)
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", step.name, step.values, strings.Replace(costs, "-", "− ", 1), step.buys)
		if !step.aside {
			before = all
		}
	}
	const start, end, file = "<!-- steps -->\n", "<!-- /steps -->", "../../components/README.md"
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	head, rest, found := strings.Cut(string(text), start)
	require.True(t, found, "%s has lost its mark %s", file, start)
	shown, tail, found := strings.Cut(rest, end)
	require.True(t, found, "%s has lost its mark %s", file, end)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(head+start+table.String()+end+tail), 0o644))
		return
	}
	require.Equal(t, table.String(), shown, "write it anew with: go test ./infra/local -update")
}

// Neither artifacts nor a registry are needed to know what something costs, and a secret costs nothing.
func TestDeclaredNeedsNothing(t *testing.T) {
	declared, err := Declared("train", map[string]string{"aws:region": "eu-central-1", "twip:artifacts": "nowhere"})
	require.NoError(t, err)
	require.NotEmpty(t, declared)
	_, err = Declared("train", map[string]string{"aws:region": "moon"})
	require.ErrorContains(t, err, `aws:region = "moon"`)
}
