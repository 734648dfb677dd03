package stacks

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"twip/infra/images"
)

// Origin is what a release was built from, for whoever asks what runs: the commit, and the checksum of each artifact by
// its name. The sample has none.
type Origin map[string]string

// commitName is the commit's name in an Origin.
const commitName = "commit"

var commitRE = regexp.MustCompile(`^[0-9a-f]{40}(-dirty)?$`)

// commit is the checkout's. It cannot change while the program runs.
var commit = sync.OnceValue(func() string { return commitOf(root) })

// commitOf names a directory's commit, with "-dirty" if something was changed that is not committed. It is only told,
// so that no git, or a checkout that git does not trust, is no error: "".
func commitOf(dir string) string {
	git := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
	git.Dir = dir
	out, err := git.Output()
	said := strings.TrimSpace(string(out))
	if err != nil || !commitRE.MatchString(said) {
		return ""
	}
	return said
}

// originOf is that of images built from here.
func originOf(build builds) Origin {
	origin := Origin{}
	for _, context := range build {
		if context.Artifact != "" {
			origin[context.Artifact] = context.Checksum
		}
	}
	if found := commit(); found != "" {
		origin[commitName] = found
	}
	return origin
}

// isOrigin tells what a release was built from from what is in it.
func isOrigin(name string) bool { return name == commitName || slices.Contains(images.Artifacts, name) }

func (o Origin) check() error {
	var problems []error
	for _, name := range sortedKeys(o) {
		switch value := o[name]; {
		case name == commitName && !commitRE.MatchString(value):
			problems = append(problems, fmt.Errorf("%s is %q: git's name of a commit has 40 hexadecimal digits; remove it "+
				"if it is not known", name, value))
		case name != commitName && !images.IsDigest(value):
			problems = append(problems, fmt.Errorf("%s is %q, not its checksum: sha256: and 64 hexadecimal digits; remove "+
				"it if it is not known", name, value))
		}
	}
	return errors.Join(problems...)
}

func (o Origin) output() pulumi.StringMap {
	values := pulumi.StringMap{}
	for name, value := range o {
		values[name] = pulumi.String(value)
	}
	return values
}
