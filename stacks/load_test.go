package stacks

import (
	"strings"
	"testing"

	"twip/components/compute"
	"twip/components/store"
	"twip/infra/images"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

func TestDefaultsAreEnough(t *testing.T) {
	c, err := load("twip", "train", map[string]string{"aws:region": "eu-central-1"})
	require.NoError(t, err)
	none := Release{Images: map[images.Kind]string{}, Origin: Origin{}}
	require.Equal(t, &Config{
		Project: "twip", Stack: "train", Region: "eu-central-1",
		Topology: SingleHost, Artifacts: "artifacts", BaseImage: "debian:trixie-slim", MachineImage: "debian-13-amd64-20251117-2299",
		InstanceType: "t2.micro", AppContainers: 1, MemoryMiB: Memory{images.Static: 32, images.App: 512, images.Proxy: 64}, DataVolumeGiB: 8, NightlySnapshots: 7, ProtectData: true,
		SiteCIDRs: []string{
			"0.0.0.0/0",
		}, StatsCIDRs: []string{}, VPCCIDR: "10.20.0.0/16", Zones: []string{"a", "b", "c"},
		TrainingRun: "required", LogRetentionDays: 30, Tags: map[string]string{},
		Release: none, ReleaseBefore: none, Built: map[string]string{},
		MultiZone: MultiZoneConfig{
			AppServers: compute.Size{
				Min: 2,
				Max: 4,
			}, StaticServers: compute.Size{Min: 2, Max: 4}, StaticInstanceType: "t3.micro",
			NATGateways: "per-zone", ProtectEdge: true, WAF: true, WAFRequestsPer5Minutes: 2000, WAFUncountedCIDRs: []string{}, Backups: store.Backups{Hourly: true, KeepDays: 35},
		},
	}, c)
}

// A map names only what it changes.
func TestMemoryKeepsTheDefaultsOfWhatIsLeftOut(t *testing.T) {
	c, err := load("twip", "train", map[string]string{"aws:region": "eu-central-1", "twip:memoryMiB": `{"app":448}`})
	require.NoError(t, err)
	require.Equal(t, Memory{images.Static: 32, images.App: 448, images.Proxy: 64}, c.MemoryMiB)
}

// Every refusal names key, value, reason and a right value.
func TestRefusedValues(t *testing.T) {
	for name, tc := range map[string]struct {
		values map[string]string
		want   []string
	}{
		"no region":          {map[string]string{"aws:region": ""}, []string{`aws:region = ""`, "aws:region: eu-central-1"}},
		"wrong region":       {map[string]string{"aws:region": "Frankfurt"}, []string{`aws:region = "Frankfurt"`}},
		"topology":           {map[string]string{"twip:topology": "cloud"}, []string{`twip:topology = "cloud"`, "none of multi-zone, single-host", "twip:topology: single-host"}},
		"artifacts":          {map[string]string{"twip:artifacts": " "}, []string{`twip:artifacts = " "`, "empty"}},
		"base image":         {map[string]string{"twip:baseImage": "de bian"}, []string{`twip:baseImage = "de bian"`, "not an image's name"}},
		"training run":       {map[string]string{"twip:trainingRun": "no"}, []string{`twip:trainingRun = "no"`, "none of required, optional"}},
		"machine image":      {map[string]string{"twip:machineImage": "debian-13-arm64-20251117-2299"}, []string{"twip:machineImage", "amd64"}},
		"instance type":      {map[string]string{"twip:instanceType": "t4g.micro"}, []string{`twip:instanceType = "t4g.micro"`, "t3.small"}},
		"too few containers": {map[string]string{"twip:appContainers": "0"}, []string{`twip:appContainers = "0"`, "from 1 to 4"}},
		"no number":          {map[string]string{"twip:appContainers": "two"}, []string{"whole number", "twip:appContainers: 2"}},
		"memory kind":        {map[string]string{"twip:memoryMiB": `{"jvm":512}`}, []string{`no kind "jvm"`}},
		"memory too small":   {map[string]string{"twip:memoryMiB": `{"app":64}`}, []string{"app does not start with less than 256 MiB"}},
		"memory no map":      {map[string]string{"twip:memoryMiB": `512`}, []string{"not a map"}},
		"no account":         {map[string]string{"twip:account": "mine"}, []string{`twip:account = "mine"`, "12 digits"}},
		"a release by tag":   {map[string]string{"twip:release": `{"app":"latest","static":"v1","proxy":"v1"}`}, []string{`app is "latest", not a digest`, `static is "v1"`, "twip:release: {app: sha256:"}},
		"half a release":     {map[string]string{"twip:release": `{"app":"` + digestExample + `"}`}, []string{"twip:release names no static", "names no proxy"}},
		"an unknown image":   {map[string]string{"twip:release": `{"app":"` + digestExample + `","static":"` + digestExample + `","proxy":"` + digestExample + `","db":"` + digestExample + `"}`}, []string{"names db: single-host runs no such image"}},
		"a release's commit": {map[string]string{"twip:release": `{"app":"` + digestExample + `","static":"` + digestExample + `","proxy":"` + digestExample + `","commit":"main"}`}, []string{`commit is "main"`, "40 hexadecimal digits"}},
		"a release's file":   {map[string]string{"twip:release": `{"app":"` + digestExample + `","static":"` + digestExample + `","proxy":"` + digestExample + `","companyNews.war":"1.0"}`}, []string{`companyNews.war is "1.0", not its checksum`}},
		"of what, not which": {map[string]string{"twip:release": `{"companyNews.war":"` + digestExample + `"}`}, []string{"names none"}},
		"a release as text":  {map[string]string{"twip:release": `v1`}, []string{"it is not {kind: sha256:digest}"}},
		"built, unknown tag": {map[string]string{"twip:built": `{"latest":"` + digestExample + `"}`}, []string{`"latest" is not the hash of an image's content`}},
		"built, no digest":   {map[string]string{"twip:built": `{"0123456789abcdef":"latest"}`}, []string{"not a digest"}},
		"volume":             {map[string]string{"twip:dataVolumeGiB": "0"}, []string{"from 1 to 16384"}},
		"boolean":            {map[string]string{"twip:protectData": "yes"}, []string{`twip:protectData = "yes"`, "neither true nor false"}},
		"no list":            {map[string]string{"twip:siteCidrs": "0.0.0.0/0"}, []string{"not a list", "twip:siteCidrs: [203.0.113.0/24]"}},
		"empty list":         {map[string]string{"twip:siteCidrs": "[]"}, []string{"fewer than 1"}},
		"null list":          {map[string]string{"twip:siteCidrs": "null"}, []string{"fewer than 1"}},
		"host bits":          {map[string]string{"twip:statsCidrs": `["203.0.113.7/24"]`}, []string{"the range is 203.0.113.0/24"}},
		"IPv6":               {map[string]string{"twip:statsCidrs": `["::/0"]`}, []string{"not an IPv4 range"}},
		"range twice":        {map[string]string{"twip:statsCidrs": `["10.0.0.0/8","10.0.0.0/8"]`}, []string{`"10.0.0.0/8" is there twice`}},
		"domain":             {map[string]string{"twip:domain": "News", "twip:hostedZone": "Z123"}, []string{`twip:domain = "News"`, "lower case"}},
		"hosted zone":        {map[string]string{"twip:domain": "a.example.com", "twip:hostedZone": "example.com"}, []string{`twip:hostedZone = "example.com"`}},
		"domain alone":       {map[string]string{"twip:domain": "a.example.com"}, []string{"twip:hostedZone", "set both"}},
		"zone alone":         {map[string]string{"twip:hostedZone": "Z123"}, []string{"twip:domain", "set both"}},
		"small VPC":          {map[string]string{"twip:vpcCidr": "10.0.0.0/28"}, []string{`twip:vpcCidr = "10.0.0.0/28"`, "/16 to /24"}},
		"zones":              {map[string]string{"twip:zones": `["eu-central-1a"]`}, []string{"a letter from a to h"}},
		"retention":          {map[string]string{"twip:logRetentionDays": "10"}, []string{`twip:logRetentionDays = "10"`, "1 3 5 7 14 30"}},
		"reserved tag":       {map[string]string{"twip:tags": `{"Stack":"x"}`}, []string{"Stack is set by the program"}},
		"AWS's tag":          {map[string]string{"twip:tags": `{"AWS:x":"x"}`}, []string{"belong to AWS"}},
		"tag's characters":   {map[string]string{"twip:tags": `{"a":"<b>"}`}, []string{"tag's value"}},
		"misspelt":           {map[string]string{"twip:statCidr": `[]`}, []string{`twip:statCidr = "[]"`, "the nearest is twip:statsCidrs"}},
		"too much memory": {map[string]string{"twip:memoryMiB": `{"app":768}`, "twip:appContainers": "2"},
			[]string{"app: 768", "twip:appContainers = 2", `twip:instanceType = "t2.micro" has 1024`, "t3.small"}},
	} {
		t.Run(name, func(t *testing.T) {
			values := map[string]string{"aws:region": "eu-central-1"}
			for key, value := range tc.values {
				values[key] = value
			}
			_, err := load("twip", "train", values)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// A secret is never shown, neither under its name nor under one that was meant for it.
func TestSecretsAreNotShown(t *testing.T) {
	for _, name := range []string{"cdnSecret", "cdnSecert"} {
		const malformed = "hunter2!"
		_, err := load("twip", "prod", map[string]string{"aws:region": "eu-central-1", "twip:" + name: malformed})
		require.ErrorContains(t, err, "twip:"+name+" = [secret]")
		require.NotContains(t, err.Error(), malformed)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := load("twip", "Train", map[string]string{
		"twip:appContainers": "9",
		"twip:zones":         "[]",
		"twip:colour":        "red",
		"other:key":          "is not ours",
	})
	for _, want := range []string{`stack "Train"`, "aws:region", "twip:appContainers", "twip:zones", "twip:colour"} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "other:key")
}

func TestExamplesAreRight(t *testing.T) {
	for _, key := range Keys {
		t.Run(key.Name, func(t *testing.T) {
			require.NoError(t, key.read(jsonOf(t, key.Example), &Config{}))
		})
	}
}

func TestNearest(t *testing.T) {
	names := []string{"domain", "siteCidrs", "statsCidrs", "zones"}
	for word, want := range map[string]string{"stats": "statsCidrs", "statscidr": "statsCidrs", "sitesCidrs": "siteCidrs", "zone": "zones", "Domian": "domain"} {
		require.Equal(t, want, nearest(word, names), word)
	}
}

type noResources struct{ pulumi.MockResourceMonitor }

// A secret that stands in clear in the stack's file is refused, without being shown.
func TestSecretsMustBeEncrypted(t *testing.T) {
	secret := strings.Repeat("0123456789abcdef", 4)
	load := func(secrets ...string) error {
		return pulumi.RunErr(func(ctx *pulumi.Context) error {
			_, err := Load(ctx)
			return err
		}, pulumi.WithMocks("twip", "prod", noResources{}), func(i *pulumi.RunInfo) {
			i.Config = map[string]string{"aws:region": "eu-central-1", "twip:cdnSecret": secret}
			i.ConfigSecretKeys = secrets
		})
	}
	err := load()
	require.ErrorContains(t, err, "twip:cdnSecret is a secret and is not encrypted")
	require.ErrorContains(t, err, "pulumi config set -s prod --secret twip:cdnSecret")
	require.NotContains(t, err.Error(), secret)
	require.NoError(t, load("twip:cdnSecret"))
}
