package keeper

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// neededOptions are what makes names and attributes on an NFS mount fresh, in any of the words that Linux uses
// (fs/nfs/super.c, nfs_show_mount_options).
var neededOptions = []struct {
	set   string
	shown [][]string // one of these, whole
}{
	{"actimeo=0", [][]string{{"noac"}, {"actimeo=0"}, {"acregmin=0", "acregmax=0", "acdirmin=0", "acdirmax=0"}}},
	{"lookupcache=none", [][]string{{"lookupcache=none"}}},
}

// checkMount refuses a directory on NFS that is mounted with caches: with them a former leader's fence would go on to
// pass for as long as they last. mountinfo is /proc/self/mountinfo (proc_pid_mountinfo(5)).
func checkMount(dir string, mountinfo io.Reader) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	text, err := io.ReadAll(mountinfo)
	if err != nil {
		return fmt.Errorf("read which file systems are mounted: %w", err)
	}
	var point, kind string
	var options []string
	for line := range strings.Lines(string(text)) {
		before, after, found := strings.Cut(line, " - ")
		mount, super := strings.Fields(before), strings.Fields(after)
		if !found || len(mount) < 6 || len(super) < 3 {
			continue
		}
		at := unescape.Replace(mount[4])
		inside := dir == at || strings.HasPrefix(dir, strings.TrimSuffix(at, "/")+"/")
		if inside && len(at) >= len(point) { // the last of those mounted over each other counts
			point, kind = at, super[0]
			options = append(strings.Split(mount[5], ","), strings.Split(super[2], ",")...)
		}
	}
	if kind != "nfs" && kind != "nfs4" {
		return nil
	}
	for _, need := range neededOptions {
		if !slices.ContainsFunc(need.shown, func(all []string) bool {
			return !slices.ContainsFunc(all, func(one string) bool { return !slices.Contains(options, one) })
		}) {
			return fmt.Errorf(
				"%w: %s is mounted without %s, so that who leads would be read from a cache; mount it with %[3]s "+
					"(it has %[4]s)",
				ErrRefused, point, need.set, strings.Join(options, ","))
		}
	}
	return nil
}

// checkMounted is checkMount for what is mounted now.
func checkMounted(dir string) error {
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("read which file systems are mounted: %w", err)
	}
	defer mounts.Close()
	return checkMount(dir, mounts)
}

// unescape undoes what mountinfo does to blanks in names.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
