package keeper

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func snapshot(n int) string { return fmt.Sprintf("files*/%019d.snapshot", n) }
func journal(n int) string  { return fmt.Sprintf("files*/%019d.journal", n) }

func TestPlan(t *testing.T) {
	for name, test := range map[string]struct {
		files    map[string]int64
		proven   map[string]int64
		suspects map[File]bool
		want     []string
	}{
		"journals only":          {files: map[string]int64{journal(1): 5, journal(4): 5}, want: []string{journal(1), journal(4)}},
		"proven":                 {files: map[string]int64{journal(1): 5, journal(4): 5, snapshot(3): 9, snapshot(5): 9, journal(7): 1}, proven: map[string]int64{snapshot(5): 9}, want: []string{journal(4), snapshot(5), journal(7)}},
		"not proven, one proven": {files: map[string]int64{journal(1): 5, journal(4): 5, snapshot(2): 9, snapshot(3): 9, snapshot(5): 9, journal(7): 1}, proven: map[string]int64{snapshot(2): 9}, want: []string{journal(1), snapshot(2), journal(4), snapshot(5), journal(7)}},
		"none proven":            {files: map[string]int64{journal(1): 5, journal(4): 5, snapshot(2): 9, snapshot(3): 9, snapshot(5): 9}, want: []string{snapshot(3), journal(4), snapshot(5)}},
		"one, not proven":        {files: map[string]int64{journal(1): 5, journal(4): 5, snapshot(5): 9}, want: []string{journal(1), journal(4), snapshot(5)}},
		"the newest is empty":    {files: map[string]int64{journal(1): 5, journal(4): 5, snapshot(3): 9, snapshot(5): 0}, proven: map[string]int64{snapshot(3): 9}, want: []string{snapshot(3), journal(4)}},
		"suspected":              {files: map[string]int64{journal(1): 5, snapshot(3): 9, snapshot(5): 8}, proven: map[string]int64{snapshot(3): 9}, suspects: map[File]bool{{snapshot(5), 8}: true}, want: []string{journal(1), snapshot(3)}},
		"suspected, but proven":  {files: map[string]int64{journal(1): 5, snapshot(5): 8}, proven: map[string]int64{snapshot(5): 8}, suspects: map[File]bool{{snapshot(5), 8}: true}, want: []string{journal(1), snapshot(5)}},
		"deleted for a new one":  {files: map[string]int64{journal(6): 5}, proven: map[string]int64{snapshot(5): 8}, want: []string{snapshot(5), journal(6)}},
		"leftovers":              {files: map[string]int64{journal(1): 5, journal(3) + ".unusedFile17": 2, "files*/snapshot3temp99generalSnapshot": 4, "x/y": 1}, want: []string{journal(1), "x/y"}},
	} {
		t.Run(name, func(t *testing.T) {
			var list []File
			for name, bytes := range test.files {
				list = append(list, File{name, bytes})
			}
			linked := map[string]part{}
			for name, bytes := range test.proven {
				linked[name] = part{File{name, bytes}, "linked", true}
			}
			var got []string
			for _, p := range plan("data", list, linked, test.suspects) {
				got = append(got, p.Name)
			}
			require.ElementsMatch(t, test.want, got)
		})
	}
}

// Prevayler sets a journal aside whose first transaction is torn, and may begin its name again with a shorter one.
func TestTornFirstTransactionIsNoDamage(t *testing.T) {
	data := "keeper/epochs/0000000001/data/files*/" + journal1
	for name, test := range map[string]struct {
		content files
		refused bool
	}{
		"set aside, begun again shorter": {files{data: "po", data + ".unusedFile1": "posts"}, false},
		"shorter, nothing set aside":     {files{data: "po"}, true},
		"what was set aside is shorter":  {files{data: "po", data + ".unusedFile1": "p"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newDirStore(t)
			led.with(test.content).write(t, dir)
			src, err := s.source(2, nil)
			if test.refused {
				require.ErrorIs(t, err, ErrRefused)
				return
			}
			require.NoError(t, err)
			m, err := s.fill(2, src, "test", nil, quiet)
			require.NoError(t, err)
			require.Equal(t, []File{{"files*/" + journal1, 2}}, m.Files)
		})
	}
}

func TestManifestHalfWritten(t *testing.T) {
	s, dir := newDirStore(t)
	led.with(files{
		"keeper/claims/0000000002":          `{"epoch":2,"holder":"b","address":"b:1"}`,
		"keeper/epochs/0000000002/complete": `{"epoch":2,"fil`,
		"keeper/epochs/0000000002/data/":    "",
	}).write(t, dir)
	src, err := s.source(3, nil)
	require.NoError(t, err)
	require.EqualValues(t, 1, src.epoch, "epoch 2 never served")
	files{"keeper/beats/0000000002": "00000000000000000001 serving\n"}.write(t, dir)
	_, err = s.source(3, nil)
	require.ErrorIs(t, err, ErrRefused)
}

func TestSnapshotWrittenAgain(t *testing.T) {
	for name, content := range map[string]string{"smaller": "s", "larger": "a larger one"} {
		t.Run(name, func(t *testing.T) {
			s, dir := newDirStore(t)
			led.with(files{
				"keeper/epochs/0000000001/complete":                `{"epoch":1,"files":[{"name":"` + snapshot(7) + `","bytes":4}]}`,
				"keeper/epochs/0000000001/data/" + snapshot(7):     content,
				"keeper/epochs/0000000001/data/files*/" + journal1: "posts",
			}).write(t, dir)
			src, err := s.source(2, nil)
			require.NoError(t, err)
			require.Len(t, src.parts, 2)
		})
	}
}

// A successor copies no less of a journal than its mark says, and waits for what it does not see yet.
func TestFillWaitsForWhatWasAcknowledged(t *testing.T) {
	for name, test := range map[string]struct {
		appears bool
		bytes   int64
	}{"seen later": {true, 9}, "never seen": {false, 9}, "as long": {false, 5}} {
		t.Run(name, func(t *testing.T) {
			s, dir := newDirStore(t)
			led.write(t, dir)
			beat, err := heartbeat{3, servingMark, []mark{{"files*/" + journal1, test.bytes}}}.encode()
			require.NoError(t, err)
			files{"keeper/beats/0000000001": string(beat)}.write(t, dir)
			src, err := s.source(2, nil)
			require.NoError(t, err)
			now := time.Duration(0)
			waiting := hands{func() time.Duration { return now }, func(d time.Duration) {
				now += lagTime / 10
				if test.appears && now > lagTime/2 {
					files{"keeper/epochs/0000000001/data/files*/" + journal1: "posts!!!!"}.write(t, dir)
				}
			}, nothing}
			m, err := s.fill(2, src, "test", nil, waiting)
			if test.bytes == 9 && !test.appears {
				require.ErrorIs(t, err, ErrRefused)
				require.ErrorContains(t, err, "it had 9 when an answer was released")
				return
			}
			require.NoError(t, err)
			require.EqualValues(t, test.bytes, m.Files[0].Bytes)
		})
	}
}

func TestJournalsAreMarked(t *testing.T) {
	s, dir := newDirStore(t)
	files{"data/files*/" + journal1: "12345", "data/.sessions/1_x": "s"}.write(t, dir)
	j := journals{store: s, root: "data"}
	defer j.close()
	look := func(now time.Duration) []mark {
		t.Helper()
		marks, err := j.look(now, false)
		require.NoError(t, err)
		return marks
	}
	require.Equal(t, []mark{{"files*/" + journal1, 5}}, look(0))
	files{"data/files*/" + journal1: "1234567"}.write(t, dir)
	require.Equal(t, []mark{{"files*/" + journal1, 7}}, look(0))
	files{"data/" + journal(9): "123"}.write(t, dir)
	require.Equal(t, []mark{{journal(9), 3}}, look(0), "a new journal in the same instant")
	look(2 * settleTime)
	j.changed = false
	require.Equal(t, []mark{{journal(9), 3}}, look(3*settleTime))
	require.False(t, j.changed)
	files{"data/" + journal(10): "1"}.write(t, dir)
	require.Equal(t, []mark{{journal(10), 1}}, look(4*settleTime))
	require.True(t, j.changed)
}

// Whatever is in front of a heartbeat's file when it is written over, its length stays: no write of it is an append.
func TestHeartbeatHasOneLength(t *testing.T) {
	for _, h := range []heartbeat{{}, {1, servingMark, []mark{{"files*/" + journal1, 1 << 40}}}} {
		data, err := h.encode()
		require.NoError(t, err)
		require.Len(t, data, heartbeatBytes)
		seen, marked, err := parseHeartbeat(data)
		require.NoError(t, err)
		require.True(t, marked)
		require.Equal(t, h.marks, seen.marks)
		require.Equal(t, h.states == servingMark, seen.served)
	}
	_, err := heartbeat{marks: make([]mark, 400)}.encode()
	require.ErrorContains(t, err, "too many journals")
}

func TestThin(t *testing.T) {
	s, dir := newDirStore(t)
	led.with(files{}).write(t, dir)
	data := filepath.Join(dir, DataDir(1))
	grow := func(snap, jour int) {
		files{snapshot(snap): fmt.Sprint("state ", snap), journal(jour): "posts"}.write(t, data)
		require.NoError(t, s.thin(1, nothing))
	}
	for n := range 30 {
		grow(10*(n+1), 10*(n+1)+1)
	}
	found := read(t, data)
	require.Equal(t, files{"files*/": "", snapshot(290): "state 290", snapshot(300): "state 300",
		journal(291): "posts", journal(301): "posts"}, found)
	known, err := s.proven(1)
	require.NoError(t, err)
	require.Equal(t, proven{snapshot(290): 9, snapshot(300): 9}, known)

	// What is left can be led on, also when the newest snapshot is damaged, or was deleted to be written again.
	for _, test := range []struct {
		name   string
		damage func(name string) error
		want   string
	}{
		{"truncated", func(name string) error { return os.Truncate(name, 0) }, snapshot(290)},
		{"removed", os.Remove, snapshot(300)}, // by the keeper's own link
	} {
		t.Run(test.name, func(t *testing.T) {
			require.NoError(t, test.damage(filepath.Join(data, snapshot(300))))
			src, err := s.source(2, nil)
			require.NoError(t, err)
			m, err := s.fill(2, src, "test", nil, quiet)
			require.NoError(t, err)
			require.Contains(t, m.Files, File{test.want, 9})
			require.NoError(t, s.remove(2, nothing))
			grow(300, 301)
		})
	}
}

// The store of a site that is stopped every evening stays as large as its data, restore points aside.
func TestStopsDoNotGrowTheStore(t *testing.T) {
	s, dir := newDirStore(t)
	led.write(t, dir)
	for epoch := uint64(2); epoch <= 60; epoch++ {
		src, err := s.source(epoch, nil)
		require.NoError(t, err)
		require.NoError(t, s.claim(Claim{Epoch: epoch, Holder: "a", Address: "a:1"}))
		m, err := s.fill(epoch, src, "test", nil, quiet)
		require.NoError(t, err)
		require.LessOrEqual(t, len(m.Files), 3)
		n := int(epoch) * 10
		files{snapshot(n): fmt.Sprintf("%0*d", 1000, n), journal(n - 9): "posts"}.write(t, filepath.Join(dir, DataDir(epoch)))
		require.NoError(t, s.thin(epoch, nothing))
		files{numbered("keeper/beats", epoch): "00000000000000000001 serving\n"}.write(t, dir)
	}
}

func TestCheckMount(t *testing.T) {
	const nfs = `36 25 0:31 / /store rw,relatime shared:1 - nfs4 127.0.0.1:/ rw,vers=4.1,rsize=1048576,hard%s,clientaddr=0.0.0.0`
	for name, test := range map[string]struct {
		mounts  string
		refused string
	}{
		"local":                 {"25 1 8:1 / / rw - ext4 /dev/root rw", ""},
		"as twip-efs":           {"25 1 8:1 / / rw - ext4 /dev/root rw\n" + fmt.Sprintf(nfs, ",acregmin=0,acregmax=0,acdirmin=0,acdirmax=0,lookupcache=none"), ""},
		"noac":                  {fmt.Sprintf(nfs, ",noac,lookupcache=none"), ""},
		"defaults":              {fmt.Sprintf(nfs, ""), "actimeo=0"},
		"names cached":          {fmt.Sprintf(nfs, ",acregmin=0,acregmax=0,acdirmin=0,acdirmax=0"), "lookupcache=none"},
		"positive names cached": {fmt.Sprintf(nfs, ",noac,lookupcache=pos"), "lookupcache=none"},
		"directories cached":    {fmt.Sprintf(nfs, ",acregmin=0,acregmax=0,lookupcache=none"), "actimeo=0"},
		"local over NFS":        {fmt.Sprintf(nfs, "") + "\n37 36 8:2 / /store/data rw - ext4 /dev/sdb rw", ""},
		"another mount":         {"25 1 8:1 / / rw - ext4 /dev/root rw\n" + `36 25 0:31 / /st rw - nfs4 a:/ rw`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkMount("/store/data", strings.NewReader(test.mounts+"\n"))
			if test.refused == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrRefused)
			require.ErrorContains(t, err, "without "+test.refused)
		})
	}
}

// coarse is a file system whose clock stands still.
type coarse struct{ FS }

func (c coarse) Hold(name string) (Held, error) {
	h, err := c.FS.Hold(name)
	return coarseHeld{h}, err
}

type coarseHeld struct{ Held }

func (c coarseHeld) Stat() (Info, error) {
	info, err := c.Held.Stat()
	info.Changed = 0
	return info, err
}

// A directory's time of change says nothing of a second change in the same step of the store's clock.
func TestJournalsOfOneInstant(t *testing.T) {
	s, dir := newDirStore(t)
	s.fs = coarse{s.fs}
	files{"data/" + journal(1): "1"}.write(t, dir)
	j := journals{store: s, root: "data"}
	defer j.close()
	for n := 1; n < 5; n++ {
		files{"data/" + journal(n): "1234"}.write(t, dir)
		marks, err := j.look(time.Duration(n)*settleTime/10, false)
		require.NoError(t, err)
		require.Equal(t, []mark{{journal(n), 4}}, marks)
	}
}
