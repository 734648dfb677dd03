package keeper

import "embed"

// Source holds this package and its command, without tests, for the app image to build.
//
//go:embed admin.go body.go copy.go dir.go doc.go environment.go fence.go keeper.go layout.go lead.go mark.go
//go:embed metrics.go monitor.go mount.go plan.go process.go proxy.go prune.go restore.go serve.go source.go store.go
//go:embed term.go thin.go cmd/keeper/main.go
var Source embed.FS
