package boot

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Document is a machine's user data, read back.
type Document struct {
	Text     string // as it is, and after it the contents of the files that are packed in it
	files    []file
	commands [][]string
}

// ReadDocument reads what Render wrote.
func ReadDocument(text string) (*Document, error) {
	if !strings.HasPrefix(text, "#cloud-config\n") {
		return nil, errors.New("it is no cloud-config")
	}
	var config cloudConfig
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		return nil, fmt.Errorf("cloud-config: %w", err)
	}
	for i, f := range config.WriteFiles {
		plain, err := f.unpack()
		if err != nil {
			return nil, fmt.Errorf("cloud-config: %w", err)
		}
		if f.Encoding != "" {
			text += plain.Content
		}
		config.WriteFiles[i] = plain
	}
	return &Document{Text: text, files: config.WriteFiles, commands: config.RunCmd}, nil
}

// File is the content of the first file whose path ends like this, or nothing.
func (d *Document) File(suffix string) string {
	for _, file := range d.files {
		if strings.HasSuffix(file.Path, suffix) {
			return file.Content
		}
	}
	return ""
}

// HasDeadline says whether the machine begins to count the time after which it gives up before it installs anything,
// which may take for ever.
func (d *Document) HasDeadline() bool {
	deadline := slices.IndexFunc(d.commands, func(c []string) bool { return slices.Equal(c, startDeadline) })
	installed := slices.IndexFunc(d.commands, func(c []string) bool { return len(c) > 0 && c[0] == install })
	return deadline >= 0 && deadline < installed
}

// Runs are the containers of the machine, in the order of their units.
func (d *Document) Runs() (runs []Run) {
	for _, command := range d.commandsAfter("ExecStart=/usr/bin/docker run ") {
		runs = append(runs, parseRun(command))
	}
	return runs
}

// Images are the images that the machine fetches: those of its containers, and those that it takes files from.
func (d *Document) Images() (images []string) {
	for _, run := range d.Runs() {
		images = append(images, run.Image)
	}
	for _, command := range d.commandsAfter("ExecStartPre=-" + before + " ") {
		images = append(images, command[0])
	}
	return images
}

// commandsAfter are the words that follow a prefix, of each line of a unit that begins with it.
func (d *Document) commandsAfter(prefix string) (commands [][]string) {
	for _, file := range d.files {
		for line := range strings.Lines(file.Content) {
			if command, ok := strings.CutPrefix(strings.TrimSpace(line), prefix); ok {
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
