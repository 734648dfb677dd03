// Package components holds the component resources that TWIP's environments are put together from, and the building
// blocks under them.
//
// Network is where things stand. StaticTier, AppTier, EdgeProxy and SharedStore say what runs; the Placement that each
// of them takes says where: on one host, or (for an environment that survives losing a zone) in a group over several
// zones. Host is the one machine of the first kind.
//
// Components get everything through their arguments: they read no configuration and no stack name, so that stacks is the
// only place where an environment is decided. Fields that decide which resources exist are plain Go values; fields that
// are only passed through are Inputs. Every constructor refuses bad arguments before it registers anything.
package components
