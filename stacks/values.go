package stacks

import (
	"errors"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// values returns every configuration value that the engine handed over, by full key.
//
// A key that is misspelt can be found only by looking at all keys, and the SDK has no function that lists them
// (pulumi.Context.GetConfig answers for one key that one knows). They are in a private field of the context, the same
// for a program that the CLI starts, one that runs inline, and one under mocks. Should a new version of the SDK move
// the field, this says so, and every test of this package with it.
func values(ctx *pulumi.Context) (map[string]string, error) {
	field := reflect.ValueOf(ctx).Elem()
	for _, name := range []string{"state", "info", "Config"} {
		if field.Kind() == reflect.Pointer {
			field = field.Elem()
		}
		if field = field.FieldByName(name); !field.IsValid() {
			return nil, errors.New(
				"the configuration cannot be listed: this version of Pulumi's SDK keeps it elsewhere; use the " +
					"version in go.mod")
		}
	}
	found := make(map[string]string, field.Len())
	for _, key := range field.MapKeys() {
		found[key.String()] = field.MapIndex(key).String()
	}
	return found, nil
}
