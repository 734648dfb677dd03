// Command standin stands in for a JVM with companyNews and Prevayler on machines that start a JVM slowly: the system is
// in memory, each change is appended to a journal that is named after its first transaction, synced and only then
// answered; a snapshot is taken at an orderly stop.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"html"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"twip/infra/site"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "address")
	dir := flag.String("dir", "", "where journals and snapshots are")
	flag.Parse()
	s := &system{dir: *dir}
	if err := s.recover(); err != nil {
		log.Fatal(err)
	}
	terminated, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	http.HandleFunc("POST "+site.PostPath, s.post)
	http.HandleFunc("GET "+site.ReadPath, s.list)
	http.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "It works.") })
	go func() { log.Fatal(http.ListenAndServe(*listen, nil)) }()
	<-terminated.Done()
	if err := s.snapshot(); err != nil {
		log.Fatal(err)
	}
}

// system is what Prevayler would keep: the titles of all articles.
type system struct {
	dir string

	mu      sync.Mutex
	titles  []string
	journal *os.File
	broken  error // of the first write that failed: nothing is written after it
}

// recover reads the newest snapshot and what came after it.
func (s *system) recover() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	snapshots, err := filepath.Glob(filepath.Join(s.dir, "*.snapshot"))
	if err != nil {
		return err
	}
	if len(snapshots) > 0 {
		if s.titles, err = lines(snapshots[len(snapshots)-1]); err != nil {
			return err
		}
	}
	for {
		more, err := lines(s.journalName())
		if errors.Is(err, os.ErrNotExist) || err == nil && len(more) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		s.titles = append(s.titles, more...)
	}
}

// journalName is that of a journal that begins with the next transaction.
func (s *system) journalName() string {
	return filepath.Join(s.dir, fmt.Sprintf("%019d.journal", len(s.titles)+1))
}

// lines are those of a file that are whole.
func lines(name string) (all []string, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data[:bytes.LastIndexByte(data, '\n')+1])) {
		all = append(all, strings.TrimSpace(line))
	}
	return all, nil
}

func (s *system) post(w http.ResponseWriter, r *http.Request) {
	if err := s.execute(r.FormValue("title")); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, site.ReadPath, http.StatusFound)
}

func (s *system) execute(title string) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	defer func() { s.broken = err }()
	if s.journal == nil {
		if s.journal, err = os.Create(s.journalName()); err != nil {
			return err
		}
	}
	if _, err = s.journal.WriteString(title + "\n"); err != nil {
		return err
	}
	if err = s.journal.Sync(); err != nil {
		return err
	}
	s.titles = append(s.titles, title)
	return nil
}

func (s *system) list(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	titles := slices.Clone(s.titles)
	s.mu.Unlock()
	for _, title := range titles {
		fmt.Fprintf(w, "<h2>%s</h2>\n", html.EscapeString(title))
	}
}

func (s *system) snapshot() error {
	s.mu.Lock() // for good: nothing is answered after it
	if s.broken != nil {
		return s.broken
	}
	temporary := filepath.Join(s.dir, "snapshot.tmp")
	var content strings.Builder
	for _, title := range s.titles {
		content.WriteString(title + "\n")
	}
	if err := os.WriteFile(temporary, []byte(content.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, filepath.Join(s.dir, fmt.Sprintf("%019d.snapshot", len(s.titles))))
}
