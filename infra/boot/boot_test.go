package boot

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the golden files anew")

var digest = "@sha256:" + strings.Repeat("0123456789abcdef", 4)

// train is a machine as the training environment has it.
func train() Machine {
	container := func(name string, c Container) Container {
		c.Name, c.Image = name, "000000000000.dkr.ecr.eu-central-1.amazonaws.com/twip-"+name+digest
		c.LogGroup, c.PIDs, c.Tmpfs = "twip-train-"+name, 200, []string{"/tmp:size=64m,mode=1777"}
		c.Health = []string{"/usr/local/bin/healthcheck"}
		return c
	}
	return Machine{
		Hostname: "train",
		Region:   "eu-central-1",
		Journal:  "twip-machine",
		Store:    &Store{Volume: &Volume{Device: "/dev/xvdf", ID: "vol-0123456789abcdef0", Label: "twip-data"}},
		Containers: []Container{
			container("static", Container{MemoryMiB: 64, StopSeconds: 10}),
			container("app-1", Container{MemoryMiB: 448, StopSeconds: 60, StoreMount: "/store", SocketMount: "/sockets"}),
			container("proxy", Container{MemoryMiB: 96, StopSeconds: 30, Ports: []Port{{80, 8080}, {1936, 1936}}, PeersMount: "/sockets",
				Env: map[string]string{"STATIC_SERVERS": "static:8080", "APP_SERVERS": "/sockets/app-1 /sockets/app-2"}}),
		},
	}
}

// group is a machine as production's app tier has it.
func group() Machine {
	m := train()
	m.Hostname = ""
	m.Store = &Store{EFS: &EFS{DNSName: "fs-0123456789abcdef0.efs.eu-central-1.amazonaws.com"}}
	m.Containers = m.Containers[1:2]
	m.Containers[0].SocketMount = ""
	m.Containers[0].Ports = []Port{{8080, 8080}, {8082, 8082}}
	m.Containers[0].AddressEnv = "TWIP_ADDRESS"
	m.GivesUp = true
	m.Sessions = &Sessions{Version: "3.3.987.0", SHA256: strings.Repeat("0123456789abcdef", 4)}
	return m
}

func TestRender(t *testing.T) {
	for name, machine := range map[string]Machine{"train": train(), "group": group()} {
		t.Run(name, func(t *testing.T) {
			got, err := machine.Render()
			require.NoError(t, err)
			golden := filepath.Join("testdata", name+".yaml")
			if *update {
				require.NoError(t, os.WriteFile(golden, got, 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err, "run the test with -update to make it")
			require.Equal(t, string(want), string(got))
			again, err := machine.Render()
			require.NoError(t, err)
			require.Equal(t, got, again, "the same machine must give the same bytes")
		})
	}
}

// What does not fit as it is, is packed, and says the same.
func TestLargeDocumentsArePacked(t *testing.T) {
	m := train()
	for i := range 4 {
		c := m.Containers[1]
		c.Name, c.Ports = fmt.Sprintf("more-%d", i), nil
		m.Containers = append(m.Containers, c)
	}
	text, err := m.Render()
	require.NoError(t, err)
	require.Less(t, len(text), MaxBytes)
	document, err := ReadDocument(string(text))
	require.NoError(t, err)
	require.Contains(t, string(text), packing)
	require.Len(t, document.Runs(), len(m.Containers))
	units := m.units()
	require.Equal(t, m.files(units), document.files)
	require.Contains(t, document.Text, "ExecStart=/usr/bin/docker run --name more-3 ", "those who judge it see what is packed")
	require.Contains(t, string(text), "ExecStart=/usr/bin/docker run --name app-1 ", "what need not be packed stays readable")

	_, err = ReadDocument(strings.ReplaceAll(string(text), packing, "b64"))
	require.ErrorContains(t, err, `its encoding is "b64"`)
}

// A value that looks like syntax of YAML, systemd, Docker or the shell must arrive in the container as it is.
func TestHostileValuesStayValues(t *testing.T) {
	hostile := "a'b\"c\\d $HOME ${X} $(id) `id` %H %n: - #x ; --privileged ü"
	m := train()
	m.Containers[2].Env["HOSTILE"] = hostile
	got, err := m.Render()
	require.NoError(t, err)

	var doc cloudConfig
	require.NoError(t, yaml.Unmarshal(got, &doc))
	for _, f := range doc.WriteFiles {
		if f.Path != "/etc/systemd/system/twip-proxy.service" {
			continue
		}
		require.Contains(t, f.Content,
			`"HOSTILE=a'b\"c\\d $$HOME $${X} $$(id) `+"`id`"+` %%H %%n: - #x ; --privileged ü"`)
		require.Equal(t, 1, strings.Count(f.Content, "\nExecStart="))
		return
	}
	t.Fatal("the proxy's unit is not in the document")
}

func TestRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(*Machine)
		want  string
	}{
		"hostname":             {func(m *Machine) { m.Hostname = "a b" }, `hostname: "a b"`},
		"region":               {func(m *Machine) { m.Region = "" }, `region: ""`},
		"no containers":        {func(m *Machine) { m.Containers = nil }, "containers"},
		"store of two kinds":   {func(m *Machine) { m.Store.EFS = &EFS{DNSName: "x"} }, "exactly one of volume and EFS"},
		"device":               {func(m *Machine) { m.Store.Volume.Device = "xvdf; rm" }, "store: device"},
		"volume id":            {func(m *Machine) { m.Store.Volume.ID = "vol" }, "store: volume id"},
		"label":                {func(m *Machine) { m.Store.Volume.Label = strings.Repeat("x", 17) }, "store: label"},
		"EFS name":             {func(m *Machine) { m.Store = &Store{EFS: &EFS{DNSName: "a b"}} }, "store: EFS DNS name"},
		"name":                 {func(m *Machine) { m.Containers[0].Name = "A" }, "container A: name"},
		"name twice":           {func(m *Machine) { m.Containers[0].Name = "proxy" }, "a name of its own"},
		"image without digest": {func(m *Machine) { m.Containers[0].Image = "nginx:latest" }, "name it by digest"},
		"log group":            {func(m *Machine) { m.Containers[0].LogGroup = "a b" }, "logGroup"},
		"memory":               {func(m *Machine) { m.Containers[0].MemoryMiB = 0 }, "memoryMiB: 0"},
		"pids":                 {func(m *Machine) { m.Containers[0].PIDs = 0 }, "pids: 0"},
		"stop":                 {func(m *Machine) { m.Containers[0].StopSeconds = 0 }, "stopSeconds: 0"},
		"no health":            {func(m *Machine) { m.Containers[0].Health = nil }, "health"},
		"health with shell":    {func(m *Machine) { m.Containers[0].Health = []string{"a;b"} }, "plain words"},
		"tmpfs":                {func(m *Machine) { m.Containers[0].Tmpfs = []string{"tmp"} }, "tmpfs"},
		"env name":             {func(m *Machine) { m.Containers[0].Env = map[string]string{"a b": ""} }, "env"},
		"env newline":          {func(m *Machine) { m.Containers[0].Env = map[string]string{"A": "x\ny"} }, "control characters"},
		"agent's version":      {func(m *Machine) { m.Sessions = &Sessions{Version: "latest"} }, "sessions: version"},
		"agent's digest":       {func(m *Machine) { m.Sessions = &Sessions{Version: "3.3.987.0", SHA256: "x"} }, "sessions: sha256"},
		"address variable":     {func(m *Machine) { m.Containers[0].AddressEnv = "a b" }, "addressEnv"},
		"release before":       {func(m *Machine) { m.Containers[0].Before = "latest" }, "before"},
		"address set twice": {func(m *Machine) {
			m.Containers[2].AddressEnv = "APP_SERVERS"
		}, "env sets it already"},
		"port":                {func(m *Machine) { m.Containers[0].Ports = []Port{{0, 1}} }, `port: "0:1"`},
		"port twice":          {func(m *Machine) { m.Containers[0].Ports = []Port{{80, 1}} }, "published by container static already"},
		"mount without store": {func(m *Machine) { m.Store = nil }, "give the machine a store"},
		"journal":             {func(m *Machine) { m.Journal = "" }, "journal"},
		"mount path":          {func(m *Machine) { m.Containers[1].StoreMount = "a,b" }, "storeMount"},
		"socket path":         {func(m *Machine) { m.Containers[1].SocketMount = "sockets" }, "socketMount"},
		"peers path":          {func(m *Machine) { m.Containers[2].PeersMount = "/a b" }, "peersMount"},
		"too large": {func(m *Machine) {
			var noise strings.Builder
			for i := range MaxBytes / 32 {
				fmt.Fprintf(&noise, "%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
			}
			m.Containers[0].Env = map[string]string{"A": noise.String()}
		}, "is more than the 16384"},
	} {
		t.Run(name, func(t *testing.T) {
			m := train()
			tc.spoil(&m)
			got, err := m.Render()
			require.ErrorContains(t, err, tc.want)
			require.Nil(t, got)
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	m := train()
	m.Region, m.Containers[0].PIDs, m.Containers[1].MemoryMiB = "", 0, 0
	err := m.Validate()
	for _, want := range []string{"region", "container static: pids", "container app-1: memoryMiB"} {
		require.ErrorContains(t, err, want)
	}
}
