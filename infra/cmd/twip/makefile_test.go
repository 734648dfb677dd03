package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// target is a verb as the Makefile and the command's own help both list it.
type target struct{ group, name, help string }

// The Makefile's help and the table of verbs are one list in two places.
func TestTheMakefileHasTheVerbs(t *testing.T) {
	var want []target
	for _, v := range verbs {
		want = append(want, target{string(v.place), v.name, v.help})
	}
	require.ElementsMatch(t, want, makefileVerbs(t))
}

func makefileVerbs(t *testing.T) (all []target) {
	t.Helper()
	text, err := os.ReadFile("../../../Makefile")
	require.NoError(t, err)
	group, rule := "", regexp.MustCompile(`^([a-z-]+):.*## (.*)\n`)
	for line := range strings.Lines(string(text)) {
		if g, ok := strings.CutPrefix(line, "##@ "); ok {
			group = strings.TrimSpace(g)
		} else if m := rule.FindStringSubmatch(line); m != nil && group != "" && group != "tests" {
			all = append(all, target{group, m[1], m[2]})
		}
	}
	return all
}

func TestHelpListsEveryVerb(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-help"}, strings.NewReader(""), &out))
	for _, v := range verbs {
		require.Contains(t, out.String(), v.name+" ")
		require.Contains(t, out.String(), v.help)
	}
}

// What make would run, with CLOUD=aws exported and on the command line.
func TestMakePassesCloudOnlyWhereItCounts(t *testing.T) {
	for _, v := range verbs {
		args := []string{"--no-print-directory", "--dry-run", "-C", "../../..", v.name,
			"CLOUD=aws", "FROM=other", "APP=2", "POINT=3", "CONFIRM=train"}
		cmd := exec.Command("make", args...)
		cmd.Env = append(os.Environ(), "CLOUD=aws", "MAKEFLAGS=")
		printed, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", printed)
		require.Contains(t, string(printed), "go run ./infra/cmd/twip -stack train")
		if v.place == thisComputer {
			require.NotContains(t, string(printed), "aws", v.name)
			continue
		}
		require.Contains(t, string(printed), " -cloud aws "+v.name, v.name)
	}
}
