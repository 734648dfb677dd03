package guardrails

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ExceptionTable writes the exceptions of several environments as Markdown, one line for each rule, type of resource
// and reason. The README has it.
func ExceptionTable(byEnvironment map[string][]Exception) string {
	type line struct{ rule, typ, reason string }
	where := map[line][]string{}
	for _, environment := range slices.Sorted(maps.Keys(byEnvironment)) {
		for _, e := range byEnvironment[environment] {
			l := line{e.Rule, e.Type, e.Reason}
			if !slices.Contains(where[l], environment) {
				where[l] = append(where[l], environment)
			}
		}
	}
	lines := slices.SortedFunc(maps.Keys(where), func(a, b line) int {
		return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.typ, b.typ), cmp.Compare(a.reason, b.reason))
	})
	var out strings.Builder
	out.WriteString("| Rule | Resource | In | Why |\n|---|---|---|---|\n")
	for _, l := range lines {
		fmt.Fprintf(&out, "| [%s](%s): %s | %s | %s | %s |\n", l.rule, ruleOf(l.rule).Source, ruleOf(l.rule).Title,
			l.typ[strings.LastIndex(l.typ, ":")+1:], strings.Join(where[l], ", "), l.reason)
	}
	return out.String()
}
