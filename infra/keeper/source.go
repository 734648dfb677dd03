package keeper

import "embed"

// Source holds this package and its command, without tests, for the app image to build.
//
//go:embed admin.go body.go copy.go dir.go doc.go fence.go keeper.go layout.go lead.go metrics.go process.go proxy.go
//go:embed restore.go serve.go source.go store.go environment.go cmd/keeper/main.go
var Source embed.FS
