package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"google.golang.org/grpc/stats"
)

// connections gives every connection an identity, which the handlers find in their context.
type connections struct{}

type connection struct{}

var _ stats.Handler = connections{}

// TagConn marks a connection.
func (connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, connection{}, new(byte))
}

// TagRPC leaves a call's context as it is: it descends from its connection's.
func (connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC and HandleConn gather no figures.
func (connections) HandleRPC(context.Context, stats.RPCStats) {}

// HandleConn gathers no figures.
func (connections) HandleConn(context.Context, stats.ConnStats) {}

// configuration is what a program's provider resource says.
type configuration struct {
	region      string
	defaultTags map[string]string
}

// configurations are by connection.
type configurations struct{ byConnection sync.Map }

func (c *configurations) set(ctx context.Context, v configuration) {
	c.byConnection.Store(ctx.Value(connection{}), v)
}

func (c *configurations) get(ctx context.Context) configuration {
	v, _ := c.byConnection.Load(ctx.Value(connection{}))
	config, _ := v.(configuration)
	return config
}

// configure reads a provider's inputs. The engine sends nested values as JSON text.
func configure(inputs resource.PropertyMap) (configuration, error) {
	c := configuration{region: text(inputs, "region"), defaultTags: map[string]string{}}
	var tags struct {
		Tags map[string]string `json:"tags"`
	}
	switch v := value(inputs, "defaultTags"); {
	case v.IsString():
		if err := json.Unmarshal([]byte(v.StringValue()), &tags); err != nil {
			return c, fmt.Errorf("provider aws: defaultTags: %w: give it {tags: {name: value}}", err)
		}
	case v.IsObject():
		if all := value(v.ObjectValue(), "tags"); all.IsObject() {
			tags.Tags = map[string]string{}
			for k := range all.ObjectValue() {
				tags.Tags[string(k)] = text(all.ObjectValue(), k)
			}
		}
	}
	if tags.Tags != nil {
		c.defaultTags = tags.Tags
	}
	return c, nil
}
