package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

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
