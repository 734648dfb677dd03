package boot

import (
	"bytes"
	"embed"
	"fmt"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

//go:embed scripts
var scripts embed.FS

// cloudConfig is the part of cloud-init's format that TWIP uses:
// https://cloudinit.readthedocs.io/en/latest/reference/modules.html
type cloudConfig struct {
	Hostname   string     `yaml:"hostname,omitempty"`
	WriteFiles []file     `yaml:"write_files"`
	RunCmd     [][]string `yaml:"runcmd"`
}

type file struct {
	Path        string `yaml:"path"`
	Permissions string `yaml:"permissions,omitempty"`
	Encoding    string `yaml:"encoding,omitempty"`
	Content     string `yaml:"content"`
}

// Render returns the machine's user data, or every reason why it cannot be: the same machine gives the same bytes.
func (m Machine) Render() ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	units := m.units()
	doc := cloudConfig{
		Hostname:   m.Hostname,
		WriteFiles: m.files(units),
		RunCmd:     m.commands(units),
	}
	out, err := doc.render()
	// What is not packed, people can read where they meet it: in a preview, and in EC2's console. So the largest files
	// are packed first, which are scripts of this repository, and no more than must be.
	for _, f := range doc.largestFirst() {
		if err != nil || len(out) <= MaxBytes {
			break
		}
		*f = f.pack()
		out, err = doc.render()
	}
	if err != nil {
		return nil, fmt.Errorf("machine %q: user data: %w", m.Hostname, err)
	}
	if len(out) > MaxBytes {
		return nil, fmt.Errorf(
			"machine %q: user data: %d bytes, packed, is more than the %d that EC2 accepts: run fewer containers on it "+
				"or shorten their environment",
			m.Hostname, len(out), MaxBytes)
	}
	return out, nil
}

// Packages are what any machine may install when it boots: whoever makes a disk for machines has them there already.
func Packages() []string {
	return Machine{Store: &Store{EFS: &EFS{}}, Sessions: &Sessions{}}.packages()
}

// Bake is the user data of a machine of which an image is made: it installs Packages, forgets who it was, and switches
// itself off when all of it is done, not before. systemd.machine-id(5) says what an empty id does.
func Bake() []byte {
	document := cloudConfig{
		WriteFiles: []file{script("twip-install")},
		RunCmd: [][]string{
			append([]string{install}, Packages()...),
			{"sh", "-ec", "systemctl stop docker.socket docker; rm -rf /var/lib/docker; : >/etc/machine-id; systemctl poweroff"},
		},
	}
	text, err := document.render()
	if err != nil {
		panic(err) // it has no values of anybody's
	}
	return text
}

func (c cloudConfig) render() ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("#cloud-config\n")
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(1)
	err := enc.Encode(c)
	return out.Bytes(), err
}

// commands set the machine up, once. What is said of it is sent from the beginning, and a machine that gives up begins
// with that, since an installation may take for ever.
func (m Machine) commands(units []unit) [][]string {
	commands := [][]string{{"systemctl", "daemon-reload"}, {"systemctl", "start", journalName}}
	if m.GivesUp {
		commands = append(commands, startDeadline)
	}
	return append(commands,
		append([]string{install}, m.packages()...),
		append([]string{"systemctl", "enable"}, unitNames(units)...),
		// Not waited for: cloud-init is done when the machine is set up, the containers may take longer.
		[]string{"systemctl", "start", "--no-block", target})
}

const install = scriptDir + "twip-install"

var startDeadline = []string{"systemctl", "start", giveUpTimer.name}

func (m Machine) packages() []string {
	packages := []string{"docker.io", "docker-cli", "amazon-ecr-credential-helper"}
	if m.Store != nil && m.Store.EFS != nil {
		packages = append(packages, "nfs-common", "stunnel4")
	}
	if m.Sessions != nil || m.Launch != nil {
		packages = append(packages, "curl")
	}
	return packages
}

func (m Machine) files(units []unit) []file {
	files := []file{
		// Docker asks Amazon's helper for every registry; the helper asks the machine's role.
		{Path: "/root/.docker/config.json", Permissions: "0600", Content: `{"credsStore": "ecr-login"}` + "\n"},
		script("twip-install"),
		script("twip-journal"),
		script("twip-watchdog"),
	}
	if m.GivesUp {
		files = append(files, script("twip-give-up"))
	}
	if m.Launch != nil {
		files = append(files, script("twip-launched"))
	}
	if m.Sessions != nil {
		files = append(files, script("twip-sessions"))
	}
	if slices.ContainsFunc(m.Containers, func(c Container) bool { return c.AddressEnv != "" }) {
		files = append(files, script("twip-address"))
	}
	if slices.ContainsFunc(m.Containers, func(c Container) bool { return c.Before != "" }) {
		files = append(files, script("twip-before"))
	}
	if m.Store != nil && m.Store.Volume != nil {
		files = append(files, script("twip-volume"))
	}
	if m.Store != nil && m.Store.EFS != nil {
		files = append(files, script("twip-efs"),
			file{Path: stunnelConf, Content: m.Store.EFS.stunnel()})
	}
	for _, u := range units {
		files = append(files, file{Path: "/etc/systemd/system/" + u.name, Content: u.text})
	}
	return files
}

// comment is a line of a script that only its readers in this repository need: user data is short of room.
var comment = regexp.MustCompile(`(?m)^\s*# .*\n`)

// script is one of the embedded programs, installed where an administrator's programs live.
func script(name string) file {
	text, err := scripts.ReadFile("scripts/" + name)
	if err != nil {
		panic(err) // a script that is not embedded is a mistake in this package
	}
	return file{Path: scriptDir + name, Permissions: "0755", Content: comment.ReplaceAllString(string(text), "")}
}
