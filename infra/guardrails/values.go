package guardrails

import (
	"context"
	"fmt"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"
)

// propertyMap turns a transform's properties back into what the engine has, so that the rules read one representation.
func propertyMap(ctx context.Context, props pulumi.Map) (resource.PropertyMap, error) {
	properties := resource.PropertyMap{}
	for key, input := range props {
		v, err := property(ctx, input)
		if err != nil {
			return nil, fmt.Errorf("guardrails: property %s: %w", key, err)
		}
		properties[resource.PropertyKey(key)] = v
	}
	return properties, nil
}

func property(ctx context.Context, v any) (resource.PropertyValue, error) {
	switch v := v.(type) {
	case nil:
		return resource.NewNullProperty(), nil
	case pulumi.Asset, pulumi.Archive: // files that a function is made of; no rule reads them
		return resource.NewStringProperty("(file)"), nil
	case pulumi.Output:
		return output(ctx, v)
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.String:
		return resource.NewStringProperty(r.String()), nil
	case reflect.Bool:
		return resource.NewBoolProperty(r.Bool()), nil
	case reflect.Int:
		return resource.NewNumberProperty(float64(r.Int())), nil
	case reflect.Float64:
		return resource.NewNumberProperty(r.Float()), nil
	case reflect.Slice:
		items := make([]resource.PropertyValue, r.Len())
		for i := range items {
			item, err := property(ctx, r.Index(i).Interface())
			if err != nil {
				return resource.PropertyValue{}, err
			}
			items[i] = item
		}
		return resource.NewArrayProperty(items), nil
	case reflect.Map:
		object := resource.PropertyMap{}
		for _, key := range r.MapKeys() {
			item, err := property(ctx, r.MapIndex(key).Interface())
			if err != nil {
				return resource.PropertyValue{}, err
			}
			object[resource.PropertyKey(key.String())] = item
		}
		return resource.NewObjectProperty(object), nil
	default:
		return resource.PropertyValue{}, fmt.Errorf(
			"it is a %T, which no rule can read: teach guardrails/values.go what that is", v)
	}
}

// output is resolved already: the engine calls a transform with what it has been sent.
func output(ctx context.Context, o pulumi.Output) (resource.PropertyValue, error) {
	found, err := internals.UnsafeAwaitOutput(ctx, o)
	switch {
	case err != nil:
		return resource.PropertyValue{}, err
	case !found.Known:
		return resource.MakeComputed(resource.NewStringProperty("")), nil
	}
	v, err := property(ctx, found.Value)
	if err != nil || !found.Secret {
		return v, err
	}
	return resource.MakeSecret(v), nil
}
