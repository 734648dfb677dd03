package stacks

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Pulumi.yaml is what people read and Pulumi checks by; the table is what the program knows.
func TestPulumiYAMLDeclaresTheTable(t *testing.T) {
	project, err := workspace.LoadProject("../Pulumi.yaml")
	require.NoError(t, err)
	require.Equal(t, "infra", project.Main)
	require.Equal(t, []any{"*"}, project.Config["pulumi:disable-default-providers"].Value)

	declared := map[string]bool{}
	for name := range project.Config {
		if !strings.Contains(name, ":") {
			declared[name] = true
		}
	}
	for _, key := range Keys {
		t.Run(key.Name, func(t *testing.T) {
			require.True(t, declared[key.Name], "Pulumi.yaml does not declare it")
			got := project.Config[key.Name]
			require.Equal(t, key.Type, got.TypeName())
			require.Equal(t, key.Description, got.Description)
			require.Equal(t, normal(t, key.Default), normal(t, got.Default))
			if key.Items == "" {
				require.Nil(t, got.Items)
			} else {
				require.Equal(t, key.Items, got.Items.Type)
			}
		})
		delete(declared, key.Name)
	}
	require.Empty(t, declared, "keys that the program does not know")
}

// normal takes away how a value came into being.
func normal(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	var out any
	require.NoError(t, json.Unmarshal(text, &out))
	return out
}

// jsonOf turns a value as it stands in YAML into the form in which Pulumi hands it over.
func jsonOf(t *testing.T, text string) string {
	t.Helper()
	var value any
	require.NoError(t, yaml.Unmarshal([]byte(text), &value))
	return Key{Default: value}.defaultText()
}
