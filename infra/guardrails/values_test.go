package guardrails

import (
	"context"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

func TestPropertyMap(t *testing.T) {
	got, err := propertyMap(context.Background(), pulumi.Map{
		"text":    pulumi.String("x"),
		"flag":    pulumi.Bool(true),
		"number":  pulumi.Float64(1.5),
		"whole":   pulumi.Int(2),
		"nothing": nil,
		"list":    pulumi.Array{pulumi.Map{"a": pulumi.String("b")}},
		"secret":  pulumi.ToSecret(pulumi.Map{"a": pulumi.String("b")}),
		"late":    pulumi.UnsafeUnknownOutput(nil),
		"file":    pulumi.NewStringAsset("text"),
		"files":   pulumi.NewAssetArchive(map[string]any{"a": pulumi.NewStringAsset("text")}),
		"output":  pulumi.ToOutput(map[string]any{"a": []any{"b", 1.0, true, nil}}),
	})
	require.NoError(t, err)
	object := resource.NewObjectProperty(resource.PropertyMap{"a": resource.NewStringProperty("b")})
	require.Equal(t, resource.PropertyMap{
		"text":    resource.NewStringProperty("x"),
		"flag":    resource.NewBoolProperty(true),
		"number":  resource.NewNumberProperty(1.5),
		"whole":   resource.NewNumberProperty(2),
		"nothing": resource.NewNullProperty(),
		"list":    resource.NewArrayProperty([]resource.PropertyValue{object}),
		"secret":  resource.MakeSecret(object),
		"late":    resource.MakeComputed(resource.NewStringProperty("")),
		"file":    resource.NewStringProperty("(file)"),
		"files":   resource.NewStringProperty("(file)"),
		"output": resource.NewObjectProperty(resource.PropertyMap{"a": resource.NewArrayProperty([]resource.PropertyValue{
			resource.NewStringProperty("b"), resource.NewNumberProperty(1), resource.NewBoolProperty(true), resource.NewNullProperty(),
		})}),
	}, got)

	_, err = propertyMap(context.Background(), pulumi.Map{"odd": pulumi.ToOutput(make(chan int))})
	require.ErrorContains(t, err, "property odd")
	require.ErrorContains(t, err, "teach guardrails/values.go")
}
