// Package artifact makes the archives that a team hands over, for tests: companyNews.war and static.zip.
package artifact

import (
	"archive/zip"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// Pack writes an archive of files.
func Pack(t testing.TB, files fs.FS, into string) {
	t.Helper()
	file, err := os.Create(into)
	require.NoError(t, err)
	archive := zip.NewWriter(file)
	require.NoError(t, errors.Join(archive.AddFS(files), archive.Close(), file.Close()))
}
