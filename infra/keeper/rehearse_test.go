package keeper

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A store whose newest epoch was led by "first".
func ledByFirst(t *testing.T) dirFS {
	t.Helper()
	dir := dirFS(t.TempDir())
	k, _ := newTestKeeper(dir)
	k.release = "first"
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		k.Run(stop, stop)
		close(done)
	}()
	require.Eventually(t, func() bool { return k.Route().Self }, 30*time.Second, time.Millisecond)
	file := filepath.Join(string(dir), DataDir(1), journal(1))
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
	require.NoError(t, os.WriteFile(file, []byte("posts"), 0o600))
	close(stop)
	<-done
	return dir
}

func TestWhoRehearses(t *testing.T) {
	for name, tc := range map[string]struct {
		store      func(*testing.T) dirFS
		release    string
		refusals   []error
		rehearsals int
	}{
		"nobody without a name":    {ledByFirst, "", nil, 0},
		"nobody without data":      {func(t *testing.T) dirFS { return dirFS(t.TempDir()) }, "next", nil, 0},
		"not who has led":          {ledByFirst, "first", nil, 0},
		"a new release":            {ledByFirst, "next", nil, 1},
		"again when files go":      {ledByFirst, "next", []error{fs.ErrNotExist, fs.ErrNotExist}, 3},
		"on what was there before": {func(t *testing.T) dirFS { return adoptable(t) }, "next", nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			k, env := newTestKeeper(tc.store(t))
			k.release, env.refusals = tc.release, tc.refusals
			require.True(t, k.mayLead(make(chan struct{})))
			require.Len(t, env.rehearsals, tc.rehearsals)
			if tc.rehearsals > 0 {
				require.Equal(t, journal(1), env.rehearsals[0][0].Name)
				require.True(t, k.mayLead(make(chan struct{})), "once is enough")
				require.Len(t, env.rehearsals, tc.rehearsals)
			}
		})
	}
}

func adoptable(t *testing.T) dirFS {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(journal(1))), 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(dir, journal(1)), []byte("posts"), 0o600))
	return dirFS(dir)
}

func TestARefusedReleaseDoesNotLead(t *testing.T) {
	k, env := newTestKeeper(ledByFirst(t))
	k.release, env.refusals = "next", []error{errJVMDied}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		k.Run(stop, stop)
		close(done)
	}()
	require.Eventually(t, func() bool { return strings.Contains(k.status().Reason, errJVMDied.Error()) }, 30*time.Second, time.Millisecond)
	s := k.status()
	require.False(t, s.Healthy, "no request is to be sent there")
	require.Contains(t, s.Reason, "rehearsal of release next failed, so it does not lead: on a copy of epoch 1")
	require.NotEqual(t, "leader", s.Role, "although nobody else leads")
	close(stop)
	<-done
	epoch, err := k.store.newest(0)
	require.NoError(t, err)
	require.EqualValues(t, 1, epoch, "it has claimed nothing")
}

// A store that cannot be read for a moment is looked at again as often as ever, not after a failed rehearsal's pause.
func TestNoRehearsalOfAStoreThatCannotBeRead(t *testing.T) {
	k, env := newTestKeeper(nil)
	k.store = newStore(&unreadable{FS: ledByFirst(t), times: 3})
	k.release = "first"
	began := time.Now()
	require.True(t, k.mayLead(make(chan struct{})))
	require.Empty(t, env.rehearsals)
	require.Less(t, time.Since(began), rehearsePause, "it has led, and needs no rehearsal")
}

type unreadable struct {
	FS
	times int // that it still fails
}

func (u *unreadable) List(dir string) ([]Entry, error) {
	if u.times--; u.times >= 0 {
		return nil, errBroken
	}
	return u.FS.List(dir)
}

// Real processes: while one leads and is posted to, releases of all kinds rehearse beside it.
func TestRehearsalBesideALeader(t *testing.T) {
	store := t.TempDir()
	leader := newProgram(t, store)
	leader.environ = append(leader.environ, "RELEASE=first")
	leader.start()
	healthy := func(p *program) func() bool { return func() bool { return Healthy(p.admin, CanAnswer) == nil } }
	require.Eventually(t, healthy(leader), 30*time.Second, 10*time.Millisecond)
	leader.post("one")
	newRelease := func(name, fault string) *program {
		p := newProgram(t, store)
		p.environ = append(p.environ, "RELEASE="+name, "JVM_FAULT="+fault, "SCRATCH="+t.TempDir())
		p.start()
		return p
	}
	bad := map[string]*program{}
	for i, fault := range []string{"does not start", "cannot read the posts", "answers 500"} {
		bad[fault] = newRelease(fmt.Sprintf("bad%d", i), fault)
	}
	good := newRelease("next", "")
	require.Eventually(t, healthy(good), 30*time.Second, 10*time.Millisecond)
	leader.post("two")
	for fault, p := range bad {
		wanted := map[string]string{"answers 500": "/: 500 Internal Server Error"}[fault]
		if wanted == "" {
			wanted = errJVMDied.Error()
		}
		require.Eventually(t, func() bool {
			err := Healthy(p.admin, CanAnswer)
			return err != nil && strings.Contains(err.Error(), wanted)
		}, 30*time.Second, 10*time.Millisecond, fault)
		require.NoError(t, Healthy(p.admin, Lives), "it is no server to be restarted")
	}
	leader.kill()
	require.Eventually(t, func() bool {
		code, body := good.get("/Read.action")
		return code == http.StatusOK && body == "one two"
	}, 30*time.Second, 10*time.Millisecond, "the one that has rehearsed leads, with all posts")
	good.post("three")
	for fault, p := range bad {
		require.Error(t, Healthy(p.admin, CanAnswer), fault)
		p.kill()
		require.Empty(t, leftIn(t, p), "nothing of the copy is left")
	}
	good.kill()
	require.Contains(t, good.output.String(), `"msg":"rehearsed"`)
	points, err := RestorePoints(store)
	require.NoError(t, err)
	require.Len(t, points, 2, "rehearsals are no epochs")
}

// leftIn lists a program's scratch directory.
func leftIn(t *testing.T, p *program) []string {
	t.Helper()
	for _, e := range p.environ {
		if dir, found := strings.CutPrefix(e, "SCRATCH="); found {
			left, err := filepath.Glob(filepath.Join(dir, "*"))
			require.NoError(t, err)
			return left
		}
	}
	return nil
}

func TestCopyPartsRefusesAFullScratch(t *testing.T) {
	dir := t.TempDir()
	_, err := copyParts(dir, dir, []part{{File: File{journal(1), 1 << 60}, from: "x"}})
	require.ErrorContains(t, err, "full: ")
	require.ErrorContains(t, err, "--scratch")
	_, err = copyParts(dir, dir, []part{{File: File{journal(1), 1}, from: "x"}})
	require.ErrorIs(t, err, fs.ErrNotExist, "the leader has taken it away")
}
