package drill

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"twip/infra/load"
	"twip/infra/ops"
)

// fakeRegion is two zones with a server of each tier, and a controller that replaces at once what is ended.
type fakeRegion struct {
	Region
	machines []Machine
	did      []string
	notHere  bool
	stuck    bool // replaces nothing
	uneven   bool // all that was replaced stays in one zone
	twice    bool // a paused writer goes on writing
}

func newFake() *fakeRegion {
	return &fakeRegion{machines: []Machine{
		{ID: "a1", Zone: "a", Tier: "app", Version: 1}, {ID: "b1", Zone: "b", Tier: "app", Writes: true, Version: 1},
		{ID: "a2", Zone: "a", Tier: "static", Version: 1}, {ID: "b2", Zone: "b", Tier: "static", Version: 1},
	}}
}

func (f *fakeRegion) note(what ...string) error {
	f.did = append(f.did, strings.Join(what, " "))
	return nil
}

// succeed has another app server write.
func (f *fakeRegion) succeed() {
	for i := range f.machines {
		f.machines[i].Writes = f.machines[i].Tier == "app" && !f.machines[i].Writes
	}
}

func (f *fakeRegion) Machines(context.Context) ([]Machine, error) { return f.machines, nil }
func (f *fakeRegion) Settled(context.Context) error {
	if f.stuck {
		return errors.New("app: 1 of 2 servers answer")
	}
	return nil
}

func (f *fakeRegion) Kill(_ context.Context, id string) error {
	for i := range f.machines {
		if m := &f.machines[i]; m.ID == id && !f.stuck {
			if m.Writes {
				f.succeed()
			}
			m.ID = id + "'"
		}
	}
	return f.note("kill", id)
}

func (f *fakeRegion) Pause(_ context.Context, id string) error {
	f.machines[0].Writes, f.machines[1].Writes = true, f.twice
	return f.note("pause", id)
}
func (f *fakeRegion) Resume(_ context.Context, id string) error     { return f.note("resume", id) }
func (f *fakeRegion) CutOff(_ context.Context, zone string) error   { return f.note("cut", zone) }
func (f *fakeRegion) HangStore(context.Context) error               { return f.store("hang") }
func (f *fakeRegion) RefuseStore(context.Context) error             { return f.store("refuse") }
func (f *fakeRegion) RestoreStore(context.Context) error            { return f.note("store restored") }
func (f *fakeRegion) RestartStore(context.Context) error            { return f.store("restart") }
func (f *fakeRegion) HangTunnel(_ context.Context, id string) error { return f.note("tunnel", id) }
func (f *fakeRegion) BadRelease(_ context.Context, what string, _ func(string)) error {
	if f.stuck {
		return errors.New("it was rolled out")
	}
	return f.note("bad release:", what)
}

func (f *fakeRegion) store(what string) error {
	if f.stuck { // for a group that takes the store's fault for its machines'
		f.machines[0].ID += "'"
	}
	if f.notHere {
		return ErrNotHere
	}
	return f.note("store", what)
}

func (f *fakeRegion) Scale(_ context.Context, tier string, servers int) error {
	return f.note("scale", tier, strings.Repeat("I", servers))
}

// SwitchOff has the zone's machines replaced in the other one; RestoreZone gives it machines again.
func (f *fakeRegion) SwitchOff(_ context.Context, zone string) error {
	for i := range f.machines {
		if m := &f.machines[i]; m.Zone == zone && !f.stuck {
			m.ID, m.Zone = m.ID+"'", "a"
		}
	}
	return f.note("off", zone)
}

func (f *fakeRegion) RestoreZone(_ context.Context, zone string) error {
	for i := range f.machines {
		if m := &f.machines[i]; strings.HasSuffix(m.ID, "'") && !f.uneven {
			m.Zone = zone
		}
	}
	return f.note("restore", zone)
}

func (f *fakeRegion) VisitSlowly(_ context.Context, pauses []time.Duration) ([]load.Sample, error) {
	samples := make([]load.Sample, len(pauses))
	if f.stuck {
		samples[1].Problem = "502"
	}
	return samples, f.note("slow visitors")
}

func (f *fakeRegion) Release(context.Context, func(string)) error {
	for i := range f.machines {
		if !f.stuck {
			f.machines[i].Version++
		}
	}
	return f.note("release")
}

func TestWhatProdsDrillsDo(t *testing.T) {
	for name, tc := range map[string]struct {
		set  func(*fakeRegion)
		did  string
		err  string
		kept bool
	}{
		"writer-off":                             {nil, "kill b1", "", true},
		"standby-off":                            {nil, "kill a1", "", true},
		"static-off":                             {nil, "kill a2", "", true},
		"zone-off":                               {nil, "off b, restore b", "", true},
		"zone-cut":                               {nil, "cut b, restore b", "", true},
		"writer-paused-1s":                       {nil, "pause b1, resume b1", "", true},
		"writer-paused-20s":                      {func(f *fakeRegion) { f.twice = true }, "pause b1, resume b1", "", false},
		"writer-paused-100s":                     {nil, "pause b1, resume b1", "", true},
		"store-hangs":                            {nil, "store hang, store restored", "", true},
		"store-refuses":                          {func(f *fakeRegion) { f.notHere = true }, "", ErrNotHere.Error(), false},
		"store-restarts":                         {nil, "store restart, store restored", "", true},
		"store-hangs, and a machine is replaced": {func(f *fakeRegion) { f.stuck = true }, "store hang, store restored", "", false},
		"tunnel-hangs":                           {nil, "tunnel b1", "", true},
		"release-broken":                         {nil, "bad release: it does not start", "", true},
		"release-unreadable":                     {nil, "bad release: it cannot read the data", "", true},
		"release-broken, rolled out":             {func(f *fakeRegion) { f.stuck = true }, "", "it was rolled out", false},
		"idle":                                   {nil, "slow visitors", "", true},
		"idle, with a 502":                       {func(f *fakeRegion) { f.stuck = true }, "slow visitors", "", false},
		"release":                                {nil, "release", "", true},
		"release, of nothing": {func(f *fakeRegion) { f.stuck = true }, "release", "nothing was rolled out",
			false},
		"scale":                      {nil, "scale app IIII, scale app II", "", true},
		"writer-off, never replaced": {func(f *fakeRegion) { f.stuck = true }, "kill b1", "b1 is still in its group", false},
		"static-off, all gone":       {func(f *fakeRegion) { f.machines = nil }, "", "none of the 0 machines", false},
		"zone-off, not replaced": {func(f *fakeRegion) { f.stuck = true }, "off b, restore b",
			"machine b1 in zone b is still in its group", false},
		"zone-off, all in one zone": {func(f *fakeRegion) { f.uneven = true }, "off b, restore b", "",
			false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				if tc.set != nil {
					tc.set(f)
				}
				named, _, _ := strings.Cut(name, ",")
				chosen, err := Choose(Prod(f, Change{}, 4), named)
				require.NoError(t, err)
				err = chosen[0].Do(t.Context(), func(string) {})
				require.Equal(t, tc.did, strings.Join(f.did, ", "))
				if tc.err != "" {
					require.ErrorContains(t, err, tc.err)
					return
				}
				require.NoError(t, err)
				checks, err := chosen[0].After(t.Context())
				require.NoError(t, err)
				v := Verdict{Checks: checks}
				v.settle()
				require.Equal(t, tc.kept, v.Kept, "%v", checks)
			})
		})
	}
}

// However a drill ends, what it broke is mended.
func TestInterruptedDrillsMend(t *testing.T) {
	for _, name := range []string{"zone-cut", "writer-paused-100s", "store-hangs"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			chosen, err := Choose(Prod(f, Change{}, 4), name)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorIs(t, chosen[0].Do(ctx, func(string) {}), context.DeadlineExceeded)
			require.Len(t, f.did, 2, name)
		})
	}
}

// shellHost is a machine whose commands are scripts of the test: each notes how it was called.
type shellHost struct{ dir string }

func (h shellHost) Exec(ctx context.Context, argv ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, argv[0], argv[1:]...)
	command.Env = append(os.Environ(), "PATH="+h.dir+":"+os.Getenv("PATH"), "LOG="+h.dir+"/log")
	out, err := command.Output()
	if err != nil {
		return out, err
	}
	return out, nil
}

const fakeDocker = `#!/bin/sh
case "$1" in
ps) echo app-1; echo app-2 ;;
top) if [ "$2" = app-2 ]; then echo "PID COMMAND"; echo "7 keeper"; echo "2147483001 java"; fi ;;
inspect) echo 2147483000 ;;
*) echo "docker $*" >>"$LOG" ;;
esac
`

// The scripts find the writer, break what they say, and mend it.
func TestWhatTrainsDrillsDo(t *testing.T) {
	for name, want := range map[string]string{
		"app-removed":       "docker rm --force app-2\n",
		"app-paused":        "docker pause app-2\ndocker unpause app-2\n",
		"proxy-restarted":   "systemctl restart twip-proxy\n",
		"proxy-killed":      "docker kill proxy\n",
		"static-killed":     "docker kill static\n",
		"store-full":        "fallocate --length 12345 /var/lib/twip/volume/twip-drill-filler\nrm -f /var/lib/twip/volume/twip-drill-filler\n",
		"store-unreachable": "mount --namespace 2147483000 -t tmpfs -o mode=000 none /store\n",
	} {
		t.Run(name, func(t *testing.T) {
			// Not in parallel: a fork elsewhere in this process would hold a program open for writing, which then does not start.
			host := shellHost{t.TempDir()}
			for program, script := range map[string]string{
				"docker": fakeDocker, "df": "#!/bin/sh\necho Avail; echo 12345\n",
				"mount": noting("mount"), "fallocate": noting("fallocate"), "rm": noting("rm"), "systemctl": noting("systemctl"),
			} {
				require.NoError(t, os.WriteFile(filepath.Join(host.dir, program), []byte(script), 0o700))
			}
			single := Single{Host: func(context.Context) (ops.Host, error) { return host, nil }, pause: time.Millisecond}
			chosen, err := Choose(Train(single), name)
			require.NoError(t, err)
			require.NoError(t, chosen[0].Do(t.Context(), func(string) {}))
			did, err := os.ReadFile(filepath.Join(host.dir, "log"))
			require.NoError(t, err)
			require.Equal(t, want, string(did))
		})
	}
}

func noting(program string) string { return "#!/bin/sh\necho \"" + program + " $*\" >>\"$LOG\"\n" }

// Killed changes have to converge, on the same data.
func TestKilledUp(t *testing.T) {
	for name, tc := range map[string]struct {
		lasting []string
		due     int
		last    string // the command that brings it up in the end
		kept    bool
		err     string
	}{
		"converges":      {[]string{"vol-1", "vol-1"}, 0, "true", true, ""},
		"another volume": {[]string{"vol-1", "vol-2"}, 0, "true", false, ""},
		"never done":     {[]string{"vol-1", "vol-1"}, 3, "true", false, ""},
		"up fails":       {[]string{"vol-1", "vol-1"}, 0, "echo stuck; false", false, "stuck"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ups []int
			change := Change{
				Servers: func(context.Context) (int, error) { return 1, nil },
				Up: func(n int) *exec.Cmd {
					ups = append(ups, n)
					script := "sleep 0.2"
					if len(ups) == 5 {
						script = tc.last
					}
					return exec.Command("sh", "-c", script)
				},
				Lasting: func(context.Context) (string, error) {
					id := tc.lasting[0]
					tc.lasting = tc.lasting[1:]
					return id, nil
				},
				Due: func(context.Context) (int, error) { return tc.due, nil },
			}
			var said []string
			d := change.killed(3, Promise{})
			err := d.Do(t.Context(), func(line string) { said = append(said, line) })
			require.Equal(t, []int{2, 1, 2, 1, 1}, ups)
			require.Len(t, said, 4)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			checks, err := d.After(t.Context())
			require.NoError(t, err)
			v := Verdict{Checks: checks}
			v.settle()
			require.Equal(t, tc.kept, v.Kept)
		})
	}
}
