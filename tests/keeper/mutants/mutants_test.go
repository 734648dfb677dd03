//go:build mutants

// Package mutants breaks the keeper in ways that lose data or the lead, one at a time in a copy, and asks whether its
// unit tests notice. `make test-mutants` runs it; it takes a quarter of a minute for each.
//
// A tool that makes mutants by itself was not taken: each costs a run of the simulation, and most of what such a tool
// changes loses nothing. These are the ones that a review found to survive, and those of the parts that came after it.
package mutants

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patch replaces what occurs exactly once in a file of infra/keeper.
type patch struct{ file, old, new string }

var mutants = map[string][]patch{
	"only the first chunk is copied":          {{"copy.go", "if n < chunk {", "if n <= chunk {"}},
	"a chunk's offset does not advance":       {{"copy.go", "s.fs.Copy(from, name, size, chunk)", "s.fs.Copy(from, name, 0, chunk)"}},
	"copied files are not synced":             {{"copy.go", "s.fs.Sync(path.Join(dir, p.Name))", "error(nil)"}},
	"copied directories are not synced":       {{"copy.go", "s.fs.Sync(path.Join(dir, sub))", "func(string) error { return nil }(sub)"}},
	"claims are not synced":                   {{"store.go", "if err := s.fs.Sync(claimsDir); err != nil {", "if err := error(nil); err != nil {"}},
	"create is not exclusive":                 {{"dir.go", "return d.write(name, os.O_EXCL, data)", "return d.write(name, 0, data)"}},
	"the source is chosen before the claim":   {{"lead.go", "	claim := Claim{", "	t0, _ := k.store.source(next, k.suspects)\n	k.early = t0\n	claim := Claim{"}, {"lead.go", "src, err := t.store.source(t.epoch, t.suspects)", "src, err := t.early, error(nil)"}, {"keeper.go", "	suspects  map[File]bool\n", "	suspects  map[File]bool\n	early     source\n"}},
	"the fence forgets the request's epoch":   {{"fence.go", "t == nil || t.epoch != epoch", "t == nil"}},
	"the fence joins a look that has begun":   {{"fence.go", "f.next, f.busy = nil, r != nil", "f.busy = r != nil"}, {"fence.go", "		close(r.done)\n", "		f.mu.Lock()\n		f.next = nil\n		f.mu.Unlock()\n		close(r.done)\n"}},
	"the look comes before the mark":          {{"term.go", "	due := now-t.beatAt", "	if err := t.tenure.current(); err != nil {\n		return err\n	}\n	due := now-t.beatAt"}, {"term.go", "	return t.tenure.current()\n", "	return nil\n"}},
	"marks are not written":                   {{"term.go", "if !slices.Equal(marks, t.written) {", "if !slices.Equal(marks, t.written) && len(marks) > 1000 {"}},
	"a successor does not heed marks":         {{"copy.go", "src.marks = seen.marks\n			return", "return"}},
	"marks miss a new journal":                {{"mark.go", "d.settled = now-d.since >= settleTime", "d.settled = true"}},
	"an own claim need not be readable":       {{"store.go", "if c, err = s.readClaim(epoch); err == nil && c.Holder != holder {", "if c, err = s.readClaim(epoch); err != nil {\n			err = nil\n		} else if c.Holder != holder {"}},
	"another's claim lets answers pass":       {{"store.go", "err == nil && claim != t.claim", "err == nil && claim == (Info{})"}},
	"answers go out before the epoch serves":  {{"lead.go", "	t.state.Store(serving)\n	for {", "	for {"}},
	"release comes before the JVM is dead":    {{"lead.go", "	t.kill()\n	// Prevayler", "	// Prevayler"}},
	"the process group is not killed":         {{"process.go", "syscall.Kill(-c.pid, syscall.SIGKILL)", "syscall.Kill(c.pid, syscall.SIGKILL)"}},
	"the time before a look counts":           {{"keeper.go", "	now := k.env.Now()\n	if err != nil {", "	now := early\n	if err != nil {"}, {"keeper.go", "	seen, err := k.sight()\n", "	early := k.env.Now()\n	seen, err := k.sight()\n"}},
	"a thinned epoch keeps no older snapshot": {{"thin.go", "const provenKept = 2", "const provenKept = 1"}},
	"an unproven snapshot counts as proven":   {{"plan.go", "if !oldest.proven {", "if false {"}},
	"a restore does not look for others":      {{"restore.go", "if current := held.current(); errors.Is(current, ErrDeposed) || errors.Is(beaten, ErrDeposed) {", "if current := errors.Join(held.current(), beaten); errors.Is(current, ErrStuck) {"}, {"restore.go", "} else if current != nil {", "} else if errors.Is(current, ErrStuck) {"}},
	"a mount's caches are allowed":            {{"mount.go", `if kind != "nfs" && kind != "nfs4" {`, `if kind != "nfs" && kind != "" || kind == "nfs" {`}},
	"sessions that vanish fail a takeover":    {{"copy.go", "_, _ = s.copyFile(path.Join(from, sessions", "if _, err := s.copyFile(path.Join(from, sessions"}, {"copy.go", "path.Join(to, sessions, e.Name), h.progress)\n", "path.Join(to, sessions, e.Name), h.progress); err != nil {\n			return err\n		}\n"}},
	"in doubt is taken for unsent":            {{"relay.go", "if string(f.Value) == unsent {", "if true {"}},
	"a change in doubt is sent again":         {{"proxy.go", "case result == uncertain && !c.repeatable:", "case false:"}},
	"a failed send counts as unsent":          {{"relay.go", "	result = uncertain\n	if u.send", "	result = notSent\n	if u.send"}},
	"a leader of before may answer":           {{"relay.go", "epoch >= route.Epoch", "epoch > 0"}},
	"a JVM's answers pass by the fence":       {{"relay.go", "c.proxy.keeper.MayAnswer(route.Epoch) != nil", "c.proxy == nil"}},
	"failed starts are restore points":        {{"prune.go", "complete && (seen.served || s.restored(epoch))", "complete"}},
}

// limit is for the tests of one mutant, which may hang.
const limit = 4 * time.Minute

func TestMutantsAreNoticed(t *testing.T) {
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	dir := t.TempDir()
	run(t, root, "cp", "-r", "--parents", "go.mod", "go.sum", "infra/keeper", dir)
	out, err := tests(dir)
	require.NoError(t, err, "the tests have to pass without a mutant:\n%s", out)
	for name, patches := range mutants {
		t.Run(name, func(t *testing.T) {
			original := map[string]string{}
			for _, p := range patches {
				file := filepath.Join(dir, "infra/keeper", p.file)
				content, err := os.ReadFile(file)
				require.NoError(t, err)
				if _, known := original[file]; !known {
					original[file] = string(content)
				}
				require.Equal(t, 1, strings.Count(string(content), p.old), "%s: %q has to occur once; follow the code", p.file, p.old)
				require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(content), p.old, p.new, 1)), 0o600))
			}
			defer func() {
				for file, content := range original {
					require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
				}
			}()
			if out, err := exec.Command("go", "-C", dir, "build", "./infra/keeper").CombinedOutput(); err != nil {
				t.Fatalf("the mutant is no program:\n%s", out)
			}
			out, err := tests(dir)
			require.Error(t, err, "no test notices this")
			for line := range strings.Lines(out) {
				if strings.Contains(line, "--- FAIL") || strings.Contains(line, "seed ") || strings.Contains(line, "panic:") {
					t.Log(strings.TrimSpace(line))
				}
			}
		})
	}
}

func tests(dir string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	command := exec.CommandContext(ctx, "go", "-C", dir, "test", "-count=1", "-vet=off", "-failfast", "-skip", "TakesTurns",
		"./infra/keeper", "-timeout", fmt.Sprint(limit), "-schedules", "4000")
	out, err := command.CombinedOutput()
	return string(out), err
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir = dir
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
