// Package visitor is a reader of a site, for tests of what readers notice.
package visitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Read reads a page again and again until it is stopped, which tells how often that was, and what was no 200.
func Read(t testing.TB, client *http.Client, url string) (stop func() (reads int, failed []string)) {
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	var failed []string
	reads := 0
	group.Go(func() {
		for ; ctx.Err() == nil; reads++ {
			if err := once(client, url); err != nil {
				failed = append(failed, err.Error())
			}
		}
	})
	return func() (int, []string) { cancel(); group.Wait(); return reads, failed }
}

func once(client *http.Client, url string) error {
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		page, err := io.ReadAll(io.LimitReader(answer.Body, 200))
		return errors.Join(fmt.Errorf("%s: %d: %s", time.Now().UTC().Format(time.RFC3339Nano), answer.StatusCode, page), err)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
