package graph

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twip/stacks"
)

const (
	randomConfigurations = 1000
	randomSeed           = 20251117
)

// candidates has right and wrong values for every key; most are right, so that many of the configurations are.
var candidates = map[string][]string{
	"aws:region":            {"eu-central-1", "us-east-1", "ap-southeast-2", "us-gov-west-1", "nowhere"},
	"twip:topology":         {"single-host", "single-host", "single-host", "single-host", "ring"},
	"twip:baseImage":        {"debian:trixie-slim", "registry.example.com:5000/debian:13", "UPPER CASE"},
	"twip:machineImage":     {"debian-13-amd64-20251117-2299", "debian-13-amd64-20260101-1", "ubuntu"},
	"twip:instanceType":     {"t2.micro", "t3.small", "m6i.large", "t3a.medium", "x1.enormous"},
	"twip:appContainers":    {"1", "2", "3", "4", "5", "-1", "many", "9999999999999999999"},
	"twip:memoryMiB":        {`{"app":256}`, `{"app":512,"static":16}`, `{"proxy":32,"app":384,"static":32}`, `{"app":100000}`, `{"app":1.5}`, `[]`, `null`, `{"x":1}`},
	"twip:dataVolumeGiB":    {"1", "8", "16384", "0", "16385"},
	"twip:protectData":      {"true", "false", "perhaps"},
	"twip:expectData":       {"true", "false", "perhaps"},
	"twip:uploads":          {"true", "false", "perhaps"},
	"twip:outbound":         {"true", "false", "perhaps"},
	"twip:siteCidrs":        {`["0.0.0.0/0"]`, `["203.0.113.0/24","192.0.2.0/24"]`, `["10.0.0.0/8"]`, `[]`, `{}`, `["::/0"]`},
	"twip:statsCidrs":       {`[]`, `["203.0.113.7/32"]`, `["203.0.113.7/32","203.0.113.8/32"]`, `["203.0.113.7"]`, `[1]`},
	"twip:domain":           {"", "news.example.com", "a.b.c.d.example.org", "-x", "example"},
	"twip:hostedZone":       {"", "Z0123456789ABCDEFGHIJ", "example.com"},
	"twip:vpcCidr":          {"10.20.0.0/16", "172.31.0.0/20", "192.168.7.0/24", "10.0.0.0/8", "10.0.0.1/16"},
	"twip:zones":            {`["a"]`, `["b","a"]`, `["h"]`, `[]`, `["a","a"]`, `["ab"]`},
	"twip:logRetentionDays": {"1", "30", "365", "3653", "2", "1e3"},
	"twip:tags":             {`{}`, `{"Owner":"web team","Cost centre":"4711"}`, `{"Name":"x"}`, `{"a":1}`, `{"":"x"}`},
	"twip:artifacts":        {"artifacts", "nowhere"},
	"twip:unheardOf":        {"x"},
}

// A configuration either makes an environment or is refused with its keys named, and then nothing has been registered.
func TestRandomConfigurations(t *testing.T) {
	random := rand.New(rand.NewPCG(randomSeed, 0))
	base := Fixture(t, "train", nil)
	accepted := 0
	for i := range randomConfigurations {
		values := randomConfiguration(random, base)
		g, err := Run(values, stacks.Program)
		text, jsonErr := json.Marshal(values)
		require.NoError(t, jsonErr)
		if err != nil {
			require.Empty(t, g.Nodes, "configuration %d (%s) was refused late: %v", i, text, err)
			require.Regexp(t, `(twip|aws):[a-zA-Z]+ = `, err.Error(), "configuration %d (%s)", i, text)
			continue
		}
		accepted++
		require.Len(t, g.Of(t, instanceType), 1, "configuration %d (%s)", i, text)
		document := g.Document(t, g.Of(t, instanceType)[0])
		containers, numErr := strconv.Atoi(values["twip:appContainers"])
		require.NoError(t, numErr)
		require.Equal(t, containers, strings.Count(document, "path: /etc/systemd/system/twip-app-"), "configuration %d (%s)", i, text)
	}
	t.Logf("%d of %d configurations make an environment", accepted, randomConfigurations)
	require.Greater(t, accepted, randomConfigurations/20, "the candidates are too wrong to show anything")
	require.Less(t, accepted, randomConfigurations*9/10, "the candidates are too right to show anything")
}

// randomConfiguration sets up to eleven keys to one of their candidates.
func randomConfiguration(random *rand.Rand, base map[string]string) map[string]string {
	values := map[string]string{}
	for key, value := range base {
		values[key] = value
	}
	keys := slices.Sorted(maps.Keys(candidates))
	for range random.IntN(12) {
		key := keys[random.IntN(len(keys))]
		choices := candidates[key]
		values[key] = choices[random.IntN(len(choices))]
	}
	return values
}
