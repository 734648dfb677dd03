package local

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// BadWARs are applications that do not do, by what is wrong with them: their files by name. Their builds pass where
// twip:trainingRun is optional.
var BadWARs = map[string]map[string]string{
	"it does not start": {
		"WEB-INF/web.xml": "<web-app><listener><listener-class>not.There</listener-class></listener></web-app>",
	},
	"it answers 500": {
		"WEB-INF/web.xml": "<web-app/>", "index.jsp": `<% response.sendError(500); %>`,
	},
	"it cannot read the data": {
		"WEB-INF/web.xml": "<web-app/>", "index.jsp": `<%@ page session="false" import="java.io.File" %><%!
  void read(File file) {
    File[] inside = file.listFiles();
    if (inside == null) {
      if (file.length() > 0) throw new IllegalStateException("what is this: " + file);
      return;
    }
    for (File f : inside) read(f);
  }
%><% read(new File("/run/keeper/persistence")); %>`,
	},
}

// BadRelease brings up a release with one of BadWARs, and then the one of before again. Its error says that the bad one
// was rolled out, or that the good one was not.
func (c *Cloud) BadRelease(ctx context.Context, name string, say func(string)) (err error) {
	before, err := c.remembered()
	if err != nil {
		return err
	}
	from, ok := before["twip:artifacts"].(string)
	if !ok {
		from = "artifacts"
	}
	if !filepath.IsAbs(from) {
		from = filepath.Join(c.options.Checkout, from)
	}
	dir, err := os.MkdirTemp("", "twip-bad-release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	if err := writeWAR(filepath.Join(dir, "companyNews.war"), BadWARs[name]); err != nil {
		return err
	}
	if err := copyIfThere(filepath.Join(from, "static.zip"), filepath.Join(dir, "static.zip")); err != nil {
		return err
	}
	// However it ends, the next up is one of the release of before.
	defer func() {
		after, readErr := c.remembered()
		if readErr == nil {
			for _, key := range []string{"twip:artifacts", "twip:trainingRun"} {
				delete(after, key)
				if value, ok := before[key]; ok {
					after[key] = value
				}
			}
			readErr = c.remember(after)
		}
		err = errors.Join(err, readErr)
		if err == nil {
			say("the release of before again")
			err = c.Up(ctx)
		}
	}()
	if err := errors.Join(c.Set("twip:artifacts", dir), c.Set("twip:trainingRun", "optional")); err != nil {
		return err
	}
	say("a release is rolled out: " + name)
	switch up := c.Up(ctx); {
	case up == nil:
		return fmt.Errorf("a release was rolled out although %s", name)
	case !strings.Contains(up.Error(), "was not rolled out"):
		return fmt.Errorf("up failed for another reason: %w", up)
	}
	say("up was red, as it has to be")
	return nil
}

func writeWAR(path string, files map[string]string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := zip.NewWriter(f)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		part, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(part, files[name])
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", path, name, err)
		}
	}
	return errors.Join(w.Close(), f.Close())
}

func copyIfThere(from, to string) error {
	content, err := os.ReadFile(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	return err
}
