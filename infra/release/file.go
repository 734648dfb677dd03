package release

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"twip/infra/images"
)

// WriteFile puts digests into the config section of a stack's file, by full key. All other lines stay as they are,
// comments too. A key without digests is taken out.
func WriteFile(file string, values map[string]Digests) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("stack's file: %w", err)
	}
	lines := strings.SplitAfter(strings.TrimRight(string(text), "\n")+"\n", "\n")
	lines = lines[:len(lines)-1]
	for _, key := range slices.Sorted(maps.Keys(values)) {
		lines = put(lines, key, values[key])
	}
	edited := []byte(strings.Join(lines, ""))
	if err := readsBack(edited, values); err != nil {
		return fmt.Errorf("%s: %w: nothing was written; have its config section in block style, a key on a line, and two "+
			"spaces before it", file, err)
	}
	return os.WriteFile(file, edited, 0o644)
}

// put replaces a key's lines, or adds them at the section's end.
func put(lines []string, key string, digests Digests) []string {
	section := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "config:") })
	if section < 0 {
		lines = append(lines, "config:\n")
		section = len(lines) - 1
	}
	end := section + 1
	for end < len(lines) && (strings.HasPrefix(lines[end], " ") || strings.TrimSpace(lines[end]) == "") {
		end++
	}
	at, after := end, end
	for i := section + 1; i < end; i++ {
		if strings.HasPrefix(lines[i], "  "+key+":") {
			at, after = i, i+1
			for after < end && strings.HasPrefix(lines[after], "   ") {
				after++
			}
			break
		}
	}
	var value []string
	if len(digests) > 0 {
		value = append(value, "  "+key+":\n")
		for _, name := range slices.Sorted(maps.Keys(digests)) {
			said := digests[name]
			if !images.IsDigest(said) {
				said = quoted(said) // a commit may be all digits
			}
			value = append(value, fmt.Sprintf("    %s: %s\n", quoted(name), said))
		}
	}
	return slices.Concat(lines[:at], value, lines[after:])
}

// quoted keeps YAML from reading the hash of an image's content, or a commit, as a number.
func quoted(text string) string {
	if strings.ContainsAny(text, "0123456789") {
		return strconv.Quote(text)
	}
	return text
}

// readsBack makes sure that the file says what was meant.
func readsBack(text []byte, values map[string]Digests) error {
	var file struct{ Config map[string]any }
	if err := yaml.Unmarshal(text, &file); err != nil {
		return err
	}
	for key, digests := range values {
		want := map[string]any{}
		for name, digest := range digests {
			want[name] = digest
		}
		got, there := file.Config[key].(map[string]any)
		if there != (len(digests) > 0) || there && !reflect.DeepEqual(got, want) {
			return fmt.Errorf("%s could not be set", key)
		}
	}
	return nil
}
