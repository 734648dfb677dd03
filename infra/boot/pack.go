package boot

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	// packing is how cloud-init calls what pack does:
	// https://cloudinit.readthedocs.io/en/latest/reference/modules.html#write-files
	packing = "gz+b64"
	// leastPacked bytes of a file are worth it: below, base64 takes what gzip gives.
	leastPacked = 400
)

// largestFirst are the document's files that are worth packing.
func (c cloudConfig) largestFirst() (files []*file) {
	for i := range c.WriteFiles {
		if len(c.WriteFiles[i].Content) >= leastPacked {
			files = append(files, &c.WriteFiles[i])
		}
	}
	slices.SortStableFunc(files, func(a, b *file) int { return len(b.Content) - len(a.Content) })
	return files
}

// pack compresses a file's content. The same content gives the same bytes.
func (f file) pack() file {
	var compressed bytes.Buffer
	w, err := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	if err == nil {
		_, err = io.WriteString(w, f.Content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // a buffer takes everything
	}
	f.Encoding, f.Content = packing, base64.StdEncoding.EncodeToString(compressed.Bytes())
	return f
}

func (f file) unpack() (file, error) {
	if f.Encoding == "" {
		return f, nil
	}
	if f.Encoding != packing {
		return f, fmt.Errorf("%s: its encoding is %q, not %s", f.Path, f.Encoding, packing)
	}
	r, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(f.Content)))
	if err != nil {
		return f, fmt.Errorf("%s: %w", f.Path, err)
	}
	content, err := io.ReadAll(r)
	f.Encoding, f.Content = "", string(content)
	return f, err
}
