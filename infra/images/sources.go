package images

import (
	"embed"
	"fmt"
	"io/fs"

	"twip/infra/keeper"
)

// samples are the sources of the sample companyNews and its static files.
//
//go:embed sample
var samples embed.FS

// keeperModule lets the keeper be compiled on its own, with the Go version that Debian 13 has.
const keeperModule = "module twip\n\ngo 1.24\n"

// addKeeper adds the keeper's sources under dir as a module of its own. It uses the standard library only.
func (t tree) addKeeper(dir string) error {
	t[dir+"/go.mod"] = file{data: []byte(keeperModule), mode: plain}
	if err := t.addFS(dir+"/infra/keeper", keeper.Source); err != nil {
		return fmt.Errorf("keeper's sources: %w", err)
	}
	return nil
}

// add adds the directory from of an embedded file system under the context's directory to ("" for its top).
func (t tree) add(to string, embedded embed.FS, from string) error {
	sub, err := fs.Sub(embedded, from)
	if err != nil {
		return fmt.Errorf("embedded %s: %w", from, err)
	}
	return t.addFS(to, sub)
}
