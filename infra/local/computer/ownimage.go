package computer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// sharedImages is the label of the images that every local cloud uses. They depend on no cloud's name, region or
// secrets, so they stay when a cloud goes.
const sharedImages = "images"

// ensureImage builds one of our own images from its embedded context, unless it has been built from the same one
// and with the same arguments already. Its base image is the cloud's.
func (c *Computer) ensureImage(
	ctx context.Context, name string, source embed.FS, args map[string]string,
) (string, error) {
	files := map[string][]byte{}
	if err := fs.WalkDir(source, name, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[path.Base(file)], err = source.ReadFile(file)
		return err
	}); err != nil {
		return "", err
	}
	base := c.BaseImage()
	if base == "" {
		return "", fmt.Errorf("%s image: local cloud %q is not up: call Ensure first", name, c.name)
	}
	parts := [][]byte{[]byte(base)}
	for _, file := range sortedKeys(files) {
		parts = append(parts, []byte(file), files[file])
	}
	for _, arg := range sortedKeys(args) {
		parts = append(parts, []byte(arg), []byte(args[arg]))
	}
	image := "twip-local/" + name + ":" + hash(parts...)
	if _, err := docker(ctx, "image", "inspect", image); err == nil {
		return image, nil
	}
	defer c.step("building the %s image", name)()
	dir, err := os.MkdirTemp("", "twip-"+name)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	for file, content := range files {
		mode := os.FileMode(0o644) // embedding forgets modes
		if bytes.HasPrefix(content, []byte("#!")) {
			mode = 0o755
		}
		if err := os.WriteFile(filepath.Join(dir, file), content, mode); err != nil {
			return "", err
		}
	}
	all := map[string]string{"BASE_IMAGE": base}
	maps.Copy(all, args)
	return image, dockerBuild(ctx, sharedImages, image, dir, "", all)
}

// RemoveSharedImages removes the images that local clouds share; the next Ensure builds them again. It fails while a
// cloud uses one.
func RemoveSharedImages(ctx context.Context) error { return removeImages(ctx, sharedImages) }

// hash tells contents apart; each part counts as a whole.
func hash(parts ...[]byte) string {
	all := sha256.New()
	for _, part := range parts {
		sum := sha256.Sum256(part)
		all.Write(sum[:])
	}
	return hex.EncodeToString(all.Sum(nil))[:16]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
