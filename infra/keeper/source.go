package keeper

import "embed"

// Source holds this package and its command, without tests, for the app image to build.
//
//go:embed admin.go body.go client.go confine.go confine_filter.go confine_amd64.go confine_arm64.go copy.go dir.go
//go:embed doc.go environment.go fence.go incoming.go keeper.go layout.go
//go:embed lead.go listen.go mark.go metered.go metrics.go monitor.go mount.go plan.go process.go proxy.go prune.go
//go:embed refuse.go rehearse.go report.go relay.go restore.go serve.go server.go source.go store.go term.go thin.go
//go:embed upstream.go cmd/keeper/main.go
//go:embed http1/bytes.go http1/chunks.go http1/doc.go http1/fields.go http1/reader.go http1/request.go
//go:embed http1/response.go
var Source embed.FS
