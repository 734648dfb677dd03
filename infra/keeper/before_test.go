package keeper

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// buildBefore builds the keeper that knew no marks, from its source of then (`git archive 18e77df infra/keeper`).
func buildBefore(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	archive, err := os.Open("testdata/before.tar.gz")
	require.NoError(t, err)
	defer archive.Close()
	unzipped, err := gzip.NewReader(archive)
	require.NoError(t, err)
	for files := tar.NewReader(unzipped); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if header.Typeflag != tar.TypeReg {
			continue
		}
		name := filepath.Join(dir, header.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o750))
		content, err := io.ReadAll(files)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, content, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module twip\n\ngo 1.24\n"), 0o600))
	program := filepath.Join(dir, "keeper")
	build := exec.Command("go", "build", "-o", program, "./infra/keeper/cmd/keeper")
	build.Dir = dir
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// startBefore starts the old keeper in the place of p.
func (p *program) startBefore(old string) {
	p.t.Helper()
	value := func(name string) string {
		for _, e := range p.environ {
			if after, found := strings.CutPrefix(e, name+"="); found {
				return after
			}
		}
		p.t.Fatalf("%s is not set", name)
		return ""
	}
	p.command = exec.Command(old, "serve", "--store", value("STORE"), "--link", p.link, "--listen", p.listen, "--admin", p.admin,
		"--backend", value("BACKEND"), "--advertise", p.listen, "--patience", value("PATIENCE"), "--",
		"env", "KEEPER_TEST_ROLE=jvm", os.Args[0], value("BACKEND"), p.link)
	p.command.Stdout, p.command.Stderr = &p.output, &p.output
	require.NoError(p.t, p.command.Start())
	p.t.Cleanup(func() { p.kill() })
}

// Two servers of which one has the keeper of before and one this one lead in turns, by orderly stops and by kills. Only the
// leader is asked: the keeper of before does not name the leader's claim when it forwards, which this one asks for. A keeper
// that was only slow must therefore stay the leader: the time-out is long, and who died is known by its closed port.
func TestTakesTurnsWithTheKeeperBefore(t *testing.T) {
	old, store := buildBefore(t), t.TempDir()
	before, now := newProgram(t, store), newProgram(t, store)
	for _, p := range []*program{before, now} {
		p.environ = append(p.environ, "PATIENCE=30s")
	}
	answers := func(p *program) bool {
		code, _ := p.get("/Read.action")
		return code == http.StatusOK
	}
	var posted []string
	post := func(p *program, title string) {
		p.post(title)
		posted = append(posted, title)
		_, body := p.get("/Read.action")
		require.Equal(t, strings.Join(posted, " "), body, "after %s", title)
	}
	startNow := func() { now.start() }
	startBefore := func() { before.startBefore(old) }
	for _, turn := range []struct {
		name        string
		start       func()
		leader      *program
		other       *program
		otherBegins func()
		orderly     bool
	}{
		{"before-stops", startBefore, before, now, startNow, true},
		{"now-is-killed", startBefore, now, before, nil, false},
		{"before-is-killed", startNow, before, now, nil, false},
		{"now-stops", startBefore, now, before, nil, true},
	} {
		if turn.otherBegins != nil {
			turn.start()
			require.Eventually(t, func() bool { return answers(turn.leader) }, 30*time.Second, 10*time.Millisecond, turn.name)
			post(turn.leader, turn.name+"-alone")
			turn.otherBegins()
		} else {
			turn.start() // what was stopped at the end of the turn before
		}
		require.Eventually(t, func() bool { return answers(turn.leader) }, 30*time.Second, 10*time.Millisecond, turn.name)
		post(turn.leader, turn.name)
		if turn.orderly {
			require.NoError(t, turn.leader.command.Process.Signal(syscall.SIGTERM))
			require.NoError(t, turn.leader.command.Wait())
		} else {
			turn.leader.kill()
		}
		require.Eventually(t, func() bool { return answers(turn.other) }, 30*time.Second, 10*time.Millisecond, turn.name)
		post(turn.other, turn.name+"-over")
	}
	before.kill() // what still runs still writes its log
	now.kill()
	require.NotContains(t, before.output.String()+now.output.String(), ErrRefused.Error())
	points, err := RestorePoints(store)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(points), 5)
	for _, p := range points {
		require.NoError(t, p.Damaged)
	}
}
