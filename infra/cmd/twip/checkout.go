package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// checkout is the project's directory: the nearest one, upwards from here, that holds Pulumi.yaml.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "Pulumi.yaml")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no Pulumi.yaml here or in a directory above: run this inside the checkout")
		}
		dir = parent
	}
}

// stateDir is where the local cloud keeps its data and its stacks: outside the checkout, and not in a cache, since
// the data volumes are in it. TWIP_STATE names another place.
func stateDir() (string, error) {
	if dir := os.Getenv("TWIP_STATE"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "twip"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no place for the local cloud's state: %w: set HOME or TWIP_STATE", err)
	}
	return filepath.Join(home, ".local", "state", "twip"), nil
}
