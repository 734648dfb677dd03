package stacks

import "strings"

// nearest is the candidate that the fewest edits turn the word into; the first of equals. A beginning of a candidate
// counts as one edit, because people shorten.
func nearest(word string, candidates []string) string {
	best, least := "", -1
	for _, candidate := range candidates {
		a, b := strings.ToLower(word), strings.ToLower(candidate)
		d := distance(a, b)
		if strings.HasPrefix(b, a) {
			d = min(d, 1)
		}
		if least < 0 || d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance is Levenshtein's: insertions, deletions and substitutions of bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
