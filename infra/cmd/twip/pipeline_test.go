package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestUpOnAWSWithoutAsking(t *testing.T) {
	log := stand(t, map[string]string{"docker": "", "pulumi": `case "$*" in "config --json"*) echo '{"aws:region": {"value": "eu-central-1"}}' ;; "stack export"*) echo '{}' ;; esac`})
	require.NoError(t, try(t, "-cloud aws up -yes"))
	require.Contains(t, calls(t, log), "pulumi up --yes --stack train")
}

func TestDrift(t *testing.T) {
	log := stand(t, map[string]string{"pulumi": "exit 1"})
	require.Error(t, try(t, "-stack prod drift"))
	require.Equal(t, "pulumi preview --refresh --expect-no-changes --stack prod\n", calls(t, log))
}

// A review is whole even if the preview fails, and fails with it.
func TestReview(t *testing.T) {
	stand(t, map[string]string{"pulumi": "echo guardrail says no; exit 1"})
	var out bytes.Buffer
	err := run(t.Context(), strings.Fields("-stack prod review"), strings.NewReader(""), &out)
	require.ErrorContains(t, err, "pulumi preview --stack prod")
	require.Regexp(t, "(?s)### prod.*guardrail says no.*in all: list prices", out.String())
}

func runGit(t *testing.T, dir string, arguments ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@localhost"}, arguments...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// A recorded release is on the remote, beside what others pushed meanwhile; other changes stay where they are.
func TestRecord(t *testing.T) {
	remote, ours, theirs := t.TempDir(), filepath.Join(t.TempDir(), "ours"), filepath.Join(t.TempDir(), "theirs")
	runGit(t, remote, "init", "--bare", "--initial-branch=main")
	runGit(t, t.TempDir(), "clone", "--quiet", remote, ours)
	write := func(dir, name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write(ours, "Pulumi.yaml", "name: twip\n")
	write(ours, "Pulumi.prod.yaml", "config: {}\n")
	runGit(t, ours, "checkout", "-B", "main")
	runGit(t, ours, "add", "--all")
	runGit(t, ours, "commit", "--quiet", "-m", "first")
	runGit(t, ours, "push", "--quiet", "-u", "origin", "main")
	runGit(t, t.TempDir(), "clone", "--quiet", remote, theirs)
	write(theirs, "other", "x")
	runGit(t, theirs, "add", "--all")
	runGit(t, theirs, "commit", "--quiet", "-m", "theirs")
	runGit(t, theirs, "push", "--quiet")

	t.Chdir(ours)
	write(ours, "Pulumi.prod.yaml", "config: {twip:release: {}}\n")
	write(ours, "review.md", "not to be committed\n")
	require.NoError(t, try(t, "-stack prod record"))
	require.Contains(t, runGit(t, remote, "show", "main:Pulumi.prod.yaml"), "twip:release")
	require.Equal(t, "Record the release that prod runs\ntheirs\nfirst\n", runGit(t, remote, "log", "--format=%s", "main"))
	require.NotContains(t, runGit(t, remote, "ls-tree", "--name-only", "main"), "review.md")
	require.NoError(t, try(t, "-stack prod record"), "nothing new is no error")
}

// A newer image is written into the stack's file, or proposed as one pull request that is kept up to date.
func TestNewerImages(t *testing.T) {
	const old, next = "debian-13-amd64-20251117-2299", "debian-13-amd64-20260901-1"
	host := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer host.Close()
	base := strings.TrimPrefix(host.URL, "http://") + "/debian:trixie-slim"
	image, err := random.Image(64, 1)
	require.NoError(t, err)
	reference, err := name.ParseReference(base)
	require.NoError(t, err)
	require.NoError(t, remote.Write(reference, image))
	digest, err := image.Digest()
	require.NoError(t, err)
	pinned := base + "@" + digest.String()

	for name, tc := range map[string]struct {
		machine, base string
		offered       string
		flags, open   string
		out, err      string
		calls, not    []string
	}{
		"both": {machine: old, base: base, offered: `["` + old + `","` + next + `"]`, out: "nothing runs them yet",
			calls: []string{"config set twip:machineImage " + next + " --stack train", "config set twip:baseImage " + pinned}},
		"nothing": {machine: next, base: pinned, offered: `["` + old + `","` + next + `"]`, out: "names the newest images already",
			not: []string{"config set"}},
		"one of one's own": {machine: "twip-" + old + "-202601010000", base: pinned, offered: `["` + next + `"]`,
			out: "make machine-image STACK=train FROM=" + next, not: []string{"config set"}},
		"none is offered": {machine: old, base: pinned, offered: `[]`, err: "Debian offers none"},
		"no such base":    {machine: next, base: base + "r", offered: `["` + next + `"]`, err: "its registry has no such image"},
		"proposed": {machine: old, base: pinned, offered: `["` + next + `"]`, flags: " -propose", open: "[]",
			calls: []string{"git checkout --quiet -B newer-images-train", "-- Pulumi.train.yaml",
				"git push --force origin newer-images-train", "gh pr create --head newer-images-train"}},
		"proposed already": {machine: old, base: pinned, offered: `["` + next + `"]`, flags: " -propose", open: `[{"number": 7}]`,
			calls: []string{"git push --force"}, out: "pull request 7", not: []string{"gh pr create"}},
	} {
		t.Run(name, func(t *testing.T) {
			config := fmt.Sprintf(`{"aws:region": {"value": "eu-central-1"}, "twip:machineImage": {"value": %q}, "twip:baseImage": `+
				`{"value": %q}}`, tc.machine, tc.base)
			said := stand(t, map[string]string{
				"pulumi": `case "$*" in "config --json"*) echo '` + config + `' ;; esac`,
				"aws":    `case "$*" in *describe-images*) echo '` + tc.offered + `' ;; esac`,
				"gh":     `case "$*" in "pr list"*) echo '` + tc.open + `' ;; esac`,
				"git":    "",
			})
			var out bytes.Buffer
			err := run(t.Context(), strings.Fields("newer-images"+tc.flags), strings.NewReader(""), &out)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Contains(t, out.String(), tc.out)
			for _, call := range tc.calls {
				require.Contains(t, calls(t, said), call)
			}
			for _, call := range tc.not {
				require.NotContains(t, calls(t, said), call)
			}
		})
	}
}

// workflow is as much of one as these rules look at.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		Timeout     int `yaml:"timeout-minutes"`
		Permissions map[string]string
		Concurrency any
		Environment string
		Env         map[string]string
		Steps       []struct {
			Uses, Run string
			With      map[string]string
		}
	}
}

var (
	pinned   = regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40}$`)
	makeVerb = regexp.MustCompile(`make ([a-z][a-z -]*)`)
)

// Workflows call the project's verbs, with actions that cannot change under them, no keys, least rights, and an end.
func TestWorkflows(t *testing.T) {
	makefile, err := os.ReadFile("../../../Makefile")
	require.NoError(t, err)
	files, err := filepath.Glob("../../../.github/workflows/*.yml")
	require.NoError(t, err)
	require.Len(t, files, 4)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotContains(t, string(text), "secrets.", "%s: roles, no keys", file)
		var w workflow
		require.NoError(t, yaml.Unmarshal(text, &w), file)
		require.NotEmpty(t, w.Permissions, "%s: without permissions a job has those of the repository's setting", file)
		for name, job := range w.Jobs {
			where := filepath.Base(file) + ", job " + name
			require.Positive(t, job.Timeout, where)
			for _, step := range job.Steps {
				if step.Uses != "" {
					require.Regexp(t, pinned, step.Uses, where)
				}
				for _, call := range makeVerb.FindAllStringSubmatch(step.Run, -1) {
					for _, verb := range strings.Fields(call[1]) {
						require.Contains(t, "\n"+string(makefile), "\n"+verb+":", where)
					}
				}
				require.Regexp(t, `^((make|sudo|gh pr comment) [^\n]*)?$`, strings.TrimSpace(step.Run), "%s: verbs, no scripts", where)
				if role := step.With["role-to-assume"]; role == "${{ vars.DEPLOY_ROLE }}" {
					require.NotEmpty(t, job.Environment, "%s: whoever changes an environment waits for its approval", where)
					require.Equal(t, "stack-"+job.Env["STACK"], job.Concurrency, "%s: one at a time", where)
				}
			}
		}
	}
}
