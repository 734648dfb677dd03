package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/stretchr/testify/require"
)

func checkout(t *testing.T, stack string) *workspace {
	dir := t.TempDir()
	require.NoError(t,
		os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: twip\nruntime: go\nmain: infra\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.train.yaml"), []byte(stack), 0o600))
	return &workspace{checkout: dir, stackFiles: dir, stack: "train", state: t.TempDir()}
}

func TestWriteCopiesTheProjectWithLocalValues(t *testing.T) {
	w := checkout(t,
		"secretsprovider: awskms://key\nencryptedkey: abc\nconfig:\n  aws:region: eu-central-1\n  twip:instanceType: t2.micro\n")
	project, _, err := w.write(map[string]any{"aws:region": "us-east-1", "twip:statsCidrs": []string{"127.0.0.1/32"}})
	require.NoError(t, err)
	require.Equal(t, "twip", project)
	require.Equal(t, filepath.Join(w.checkout, "infra"), w.programDir())
	stack, err := readYAML(filepath.Join(w.dir(), "Pulumi.train.yaml"))
	require.NoError(t, err)
	require.Equal(t, map[string]any{"config": map[string]any{"aws:region": "us-east-1", "twip:instanceType": "t2.micro",
		"twip:statsCidrs": []any{"127.0.0.1/32"}}}, stack)
	copied, err := readYAML(filepath.Join(w.dir(), "Pulumi.yaml"))
	require.NoError(t, err)
	require.NotContains(t, copied, "main")
}

// The engine writes the salt of its passphrase into the copy; the next command has to find it there.
func TestWriteKeepsTheSaltOfTheLocalStack(t *testing.T) {
	w := checkout(t, "encryptionsalt: of another place\n")
	_, _, err := w.write(nil)
	require.NoError(t, err)
	file := filepath.Join(w.dir(), "Pulumi.train.yaml")
	require.NoError(t, os.WriteFile(file, []byte("encryptionsalt: of this place\n"), 0o600))
	_, _, err = w.write(nil)
	require.NoError(t, err)
	stack, err := readYAML(file)
	require.NoError(t, err)
	require.Equal(t, "of this place", stack["encryptionsalt"])
}

func TestWriteRefusesSecretsOfAnotherPlace(t *testing.T) {
	w := checkout(t, "config:\n  twip:token: {secure: v1:abc}\n")
	_, _, err := w.write(nil)
	require.ErrorContains(t, err,
		"config twip:token is encrypted for another place and cannot be read here: give it a local value")
	_, _, err = w.write(map[string]any{"twip:token": "local"})
	require.NoError(t, err)
}

// What the project declares secret is encrypted by the engine; the copy of the stack's file never holds it in clear.
func TestWriteHandsOverWhatIsDeclaredSecret(t *testing.T) {
	w := checkout(t, "config:\n  twip:plain: shown\n")
	require.NoError(t, os.WriteFile(filepath.Join(w.checkout, "Pulumi.yaml"), []byte(
		"name: twip\nruntime: go\nconfig:\n  token: {type: string, secret: true, default: \"\"}\n  plain: {type: string}\n"), 0o600))
	_, secrets, err := w.write(map[string]any{"twip:token": "hidden"})
	require.NoError(t, err)
	require.Equal(t, auto.ConfigMap{"twip:token": {Value: "hidden", Secret: true}}, secrets)
	copied, err := os.ReadFile(filepath.Join(w.dir(), "Pulumi.train.yaml"))
	require.NoError(t, err)
	require.Contains(t, string(copied), "shown")
	require.NotContains(t, string(copied), "hidden")
}

func TestThePassphraseStaysTheSame(t *testing.T) {
	w := checkout(t, "")
	first, err := w.passphrase()
	require.NoError(t, err)
	second, err := w.passphrase()
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.GreaterOrEqual(t, len(first), 26)
}

func TestOneCommandAtATime(t *testing.T) {
	w := checkout(t, "")
	release, err := w.lock()
	require.NoError(t, err)
	_, err = w.lock()
	require.ErrorContains(t, err, fmt.Sprintf("another command (process %d) works on stack train", os.Getpid()))
	release()
	release, err = w.lock()
	require.NoError(t, err)
	release()
}

func TestBreakLockRemovesTheLockOfADeadEngine(t *testing.T) {
	w := checkout(t, "")
	file := filepath.Join(w.backend(), ".pulumi", "locks", "organization", "twip", "train", "a.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte(`{"pid":999999999}`), 0o600))
	require.NoError(t, w.breakLock(t.Context()))
	require.NoFileExists(t, file)
}

func TestNewNamesEverythingThatIsMissing(t *testing.T) {
	_, err := New(Options{})
	for _, field := range []string{"Checkout", "Stack", "State", "Program", "Providers"} {
		require.ErrorContains(t, err, field+" is missing")
	}
}
