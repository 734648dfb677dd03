package guardrails

import (
	"encoding/base64"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is a machine's user data, as far as rules look at it.
type document struct {
	read  string // what it was read from
	valid bool   // it is a cloud-config
	text  string
	files []struct{ Path, Content string }

	login, secret bool // it lets somebody log in, it holds what looks like a secret
}

// readDocument takes user data as an instance has it, or in base64, as a launch template does.
func readDocument(userData string) *document {
	d := &document{read: userData, text: userData}
	if decoded, err := base64.StdEncoding.DecodeString(userData); err == nil {
		d.text = string(decoded)
	}
	var config struct {
		Files []struct{ Path, Content string } `yaml:"write_files"`
	}
	d.valid = strings.HasPrefix(d.text, "#cloud-config\n") && yaml.Unmarshal([]byte(d.text), &config) == nil
	d.files = config.Files
	for line := range strings.Lines(strings.ToLower(d.text)) {
		d.login = d.login || containsAny(line, logins)
		d.secret = d.secret || containsAny(line, secretWords) && secrets.MatchString(line)
	}
	return d
}

// file is the content of the first file whose path ends like this, or nothing.
func (d *document) file(suffix string) string {
	for _, file := range d.files {
		if strings.HasSuffix(file.Path, suffix) {
			return file.Content
		}
	}
	return ""
}

// containers are the docker run commands of all units, by words.
func (d *document) containers() (commands [][]string) {
	for _, file := range d.files {
		for line := range strings.Lines(file.Content) {
			if command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart=/usr/bin/docker run "); ok {
				commands = append(commands, words(command))
			}
		}
	}
	return commands
}

// words splits a command as systemd does, which takes a text in double quotes for one word: systemd.service(5).
func words(command string) (all []string) {
	var word strings.Builder
	begun, quoted, escaped := false, false, false
	for _, r := range command {
		switch {
		case escaped:
			escaped = false
			word.WriteRune(r)
		case r == '\\':
			begun, escaped = true, true
		case r == '"':
			begun, quoted = true, !quoted
		case r == ' ' && !quoted:
			if begun {
				all = append(all, word.String())
			}
			word.Reset()
			begun = false
		default:
			begun = true
			word.WriteRune(r)
		}
	}
	if begun {
		all = append(all, word.String())
	}
	return all
}

func containsAny(line string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(line, word) })
}

// flags are the values of one flag, written --flag value or --flag=value.
func flags(command []string, flag string) (values []string) {
	for i, word := range command {
		if value, ok := strings.CutPrefix(word, flag+"="); ok {
			values = append(values, value)
		} else if word == flag && i+1 < len(command) {
			values = append(values, command[i+1])
		}
	}
	return values
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
		if !r.userData.valid {
			return []finding{{at, "give the machine a cloud-config, as boot.Machine renders it"}}
		}
		if !good(r.userData) {
			return []finding{{at, wayOut}}
		}
		return nil
	}
}

// everyContainer asks something of each container that a machine runs, and that it runs one.
func everyContainer(good func(command []string) bool, wayOut string) check {
	return inUserData(func(d *document) bool {
		containers := d.containers()
		return len(containers) > 0 &&
			!slices.ContainsFunc(containers, func(command []string) bool { return !good(command) })
	}, wayOut)
}
