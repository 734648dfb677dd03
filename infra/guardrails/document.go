package guardrails

import (
	"encoding/base64"
	"slices"
	"strings"

	"twip/infra/boot"
)

// document is a machine's user data, as far as rules look at it.
type document struct {
	*boot.Document // nil: it is none that boot has rendered

	read          string // what it was read from
	login, secret bool   // it lets somebody log in, it holds what looks like a secret
}

// readDocument takes user data as an instance has it, or in base64, as a launch template does.
func readDocument(userData string) *document {
	d, text := &document{read: userData}, userData
	if decoded, err := base64.StdEncoding.DecodeString(userData); err == nil {
		text = string(decoded)
	}
	if parsed, err := boot.ReadDocument(text); err == nil {
		d.Document = parsed
	}
	for line := range strings.Lines(strings.ToLower(text)) {
		d.login = d.login || containsAny(line, logins)
		d.secret = d.secret || containsAny(line, secretWords) && secrets.MatchString(line)
	}
	return d
}

func containsAny(line string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(line, word) })
}

// inUserData asks something of the document that a machine boots from.
func inUserData(good func(*document) bool, wayOut string) check {
	return func(r *Resource, _ *Graph) []finding {
		at := r.at("userData")
		if at.state == unknown {
			return nil
		}
		if r.userData == nil || r.userData.read != at.text() {
			r.userData = readDocument(at.text())
		}
		if r.userData.Document == nil {
			return []finding{{at, "give the machine a cloud-config, as boot.Machine renders it"}}
		}
		if !good(r.userData) {
			return []finding{{at, wayOut}}
		}
		return nil
	}
}

// everyContainer asks something of each container that a machine runs, and that it runs one.
func everyContainer(good func(boot.Run) bool, wayOut string) check {
	return inUserData(func(d *document) bool {
		runs := d.Runs()
		return len(runs) > 0 && !slices.ContainsFunc(runs, func(run boot.Run) bool { return !good(run) })
	}, wayOut)
}
