package engine

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"go.yaml.in/yaml/v3"
)

// workspace is the engine's copy of the project's files, and its state.
type workspace struct {
	checkout, stackFiles, stack, state string

	main string // where the program runs, below the checkout; known after write
}

func (w *workspace) dir() string { return filepath.Join(w.state, "workspace") }

func (w *workspace) backend() string { return filepath.Join(w.state, "backend") }

func (w *workspace) programDir() string { return filepath.Join(w.checkout, w.main) }

// stackFile's keys that belong to another place's secrets: the local stack encrypts with a passphrase of its own.
var foreign = []string{"secretsprovider", "encryptedkey", "encryptionsalt"}

// write copies the project's and the stack's file with the local values, and returns the project's name. Values of keys
// that the project declares secret are not written but returned: the engine encrypts them.
func (w *workspace) write(config map[string]any) (project string, secrets auto.ConfigMap, err error) {
	for _, d := range []string{w.dir(), w.backend()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return "", nil, fmt.Errorf("state directory: %w: make it writable, or choose another", err)
		}
	}
	p, err := readYAML(filepath.Join(w.checkout, "Pulumi.yaml"))
	if err != nil {
		return "", nil, err
	}
	project, _ = p["name"].(string)
	w.main, _ = p["main"].(string)
	delete(p, "main") // leads out of the copy; the working directory takes its place
	p["backend"] = map[string]any{"url": "file://" + w.backend()}
	name := "Pulumi." + w.stack + ".yaml"
	s, err := readYAML(filepath.Join(w.stackFiles, name))
	if err != nil {
		return "", nil, err
	}
	for _, k := range foreign {
		delete(s, k)
	}
	if err := merge(s, config); err != nil {
		return "", nil, fmt.Errorf("%s: %w", name, err)
	}
	secrets = takeSecrets(project, p, s)
	previous, err := readYAML(filepath.Join(w.dir(), name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", nil, err
	case previous["encryptionsalt"] != nil:
		s["encryptionsalt"] = previous["encryptionsalt"]
	}
	return project, secrets, errors.Join(writeYAML(filepath.Join(w.dir(), "Pulumi.yaml"), p),
		writeYAML(filepath.Join(w.dir(), name), s))
}

// merge puts the local values over a stack file's. Encrypted ones cannot be read here, so each needs a local value.
func merge(stack, local map[string]any) error {
	config, _ := stack["config"].(map[string]any)
	if config == nil {
		config = map[string]any{}
	}
	maps.Copy(config, local)
	stack["config"] = config
	var errs []error
	for _, k := range slices.Sorted(maps.Keys(config)) {
		if m, ok := config[k].(map[string]any); ok && m["secure"] != nil {
			errs = append(errs, fmt.Errorf(
				"config %s is encrypted for another place and cannot be read here: give it a local value", k))
		}
	}
	return errors.Join(errs...)
}

// takeSecrets takes the values of keys that the project's file declares secret out of a stack's file.
func takeSecrets(project string, projectFile, stackFile map[string]any) auto.ConfigMap {
	secrets := auto.ConfigMap{}
	declared, _ := projectFile["config"].(map[string]any)
	config, _ := stackFile["config"].(map[string]any)
	for name, declaration := range declared {
		if d, _ := declaration.(map[string]any); d["secret"] != true {
			continue
		}
		key := project + ":" + name
		if value, given := config[key]; given {
			secrets[key] = auto.ConfigValue{Value: fmt.Sprint(value), Secret: true}
			delete(config, key)
		}
	}
	return secrets
}

func readYAML(file string) (map[string]any, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	if err := yaml.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return out, nil
}

// writeYAML replaces a file in one step.
func writeYAML(file string, v any) error {
	b, err := yaml.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// environment keeps the engine from the network, from the person's own Pulumi account and from their settings.
func (w *workspace) environment() (map[string]string, error) {
	passphrase, err := w.passphrase()
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"PULUMI_CONFIG_PASSPHRASE":                    passphrase,
		"PULUMI_CONFIG_PASSPHRASE_FILE":               "",
		"PULUMI_BACKEND_URL":                          "file://" + w.backend(),
		"PULUMI_SKIP_UPDATE_CHECK":                    "true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
		"PULUMI_DIY_BACKEND_NO_LEGACY_WARNING":        "true",
		"PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK":    "true", // FindCLI has checked it
		"PULUMI_NEO":        "false",
		"OTEL_SDK_DISABLED": "true",
	}, nil
}

// passphrase encrypts secrets in the local state. It is made once and belongs to the state directory.
func (w *workspace) passphrase() (string, error) {
	file := filepath.Join(w.state, "passphrase")
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		b = []byte(rand.Text())
		if err = os.WriteFile(file+".new", b, 0o600); err == nil {
			err = os.Rename(file+".new", file)
		}
	}
	if err != nil {
		return "", fmt.Errorf("the local stack's passphrase: %w", err)
	}
	return string(b), nil
}

// lock makes sure that one command at a time works on the state. The system releases it when the process ends, however
// it ends.
func (w *workspace) lock() (release func(), err error) {
	if err := os.MkdirAll(w.state, 0o700); err != nil {
		return nil, fmt.Errorf("state directory: %w: make it writable, or choose another", err)
	}
	f, err := os.OpenFile(filepath.Join(w.state, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		who, _ := io.ReadAll(f) // it may be gone by now, then it names nobody
		return nil, errors.Join(fmt.Errorf("another command (process %s) works on stack %s (%s is locked): "+
			"wait until it ends, or stop it", bytes.TrimSpace(who), w.stack, w.state), f.Close())
	}
	// For people only: the lock itself is what counts.
	if err := errors.Join(f.Truncate(0), writePid(f)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { f.Close() }, nil //nolint:errcheck // nothing was written
}

func writePid(f *os.File) error {
	_, err := fmt.Fprintln(f, os.Getpid())
	return err
}
