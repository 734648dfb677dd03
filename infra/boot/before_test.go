package boot

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The script on a machine whose Docker answers what a case says. Whatever that is, the target is there.
func TestBefore(t *testing.T) {
	const image, other = "registry/static@sha256:1", "registry/static@sha256:2"
	const copies = `mkdir "$target"; echo old >"$target/old.css"`
	for name, tc := range map[string]struct {
		before     string // image that was fetched earlier
		pull, copy string
		asked      bool
		files      []string
	}{
		"it is fetched":            {copy: copies, asked: true, files: []string{"old.css"}},
		"it is there":              {before: image, files: []string{"there"}},
		"another is there":         {before: other, copy: copies, asked: true, files: []string{"old.css"}},
		"the registry has lost it": {pull: "exit 1", asked: true},
		"it is cut off":            {before: other, copy: copies + "; exit 1", asked: true, files: []string{"there"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, map[string]string{"docker": `echo "$*" >>"$TWIP_RUN/asked"
for target; do :; done
case "$*" in
"pull --quiet ` + image + `") ` + tc.pull + ` ;;
"create ` + image + `") echo container ;;
"cp --quiet container:/srv/site "*) ` + tc.copy + ` ;;
"rm --force --volumes container") ;;
*) exit 2 ;;
esac`})
			target := filepath.Join(m.dir, "before")
			if tc.before != "" {
				require.NoError(t, os.Mkdir(target, 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(target, "there"), nil, 0o644))
				require.NoError(t, os.WriteFile(target+".image", []byte(tc.before+"\n"), 0o644))
			}
			_, _ = m.run("twip-before", image, "/srv/site", target) // its unit does not care whether it fails
			require.Equal(t, tc.asked, m.has("asked"))
			found, err := os.ReadDir(target)
			require.NoError(t, err)
			var files []string
			for _, f := range found {
				files = append(files, f.Name())
			}
			require.Equal(t, tc.files, files)
		})
	}
}
