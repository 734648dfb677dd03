package drill

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"twip/infra/load"
)

//go:embed report.html
var reportText string

var reportTemplate = template.Must(template.New("report").Parse(reportText))

// Report is all drills of a run.
type Report struct {
	Stack    string    `json:"stack"`
	Written  time.Time `json:"written"`
	Outcomes []Outcome `json:"drills"`
}

// pictured is an outcome with its picture.
type pictured struct {
	Outcome
	Picture template.HTML
}

// Write writes the report into a directory: <stack>.html, one file that needs no network, and <stack>.json.
func Write(dir, stack string, outcomes []Outcome) (page string, err error) {
	report := Report{Stack: stack, Written: time.Now().UTC(), Outcomes: outcomes}
	var shown []pictured
	for _, o := range outcomes {
		p := pictured{Outcome: o}
		if len(o.timeline.Samples) > 0 {
			svg, err := picture(o.timeline, o.Marks)
			if err != nil {
				return "", fmt.Errorf("report: picture of drill %s: %w", o.Drill, err)
			}
			// It is ours: gonum's, with our words in it. What comes before the element is for files of their own.
			p.Picture = template.HTML(svg[strings.Index(svg, "<svg"):]) //nolint:gosec // no text of others
		}
		shown = append(shown, p)
	}
	var html bytes.Buffer
	if err := reportTemplate.Execute(&html, struct {
		Report
		Shown []pictured
	}{report, shown}); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	data, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	page = filepath.Join(dir, stack+".html")
	if err := os.WriteFile(page, html.Bytes(), 0o644); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	return page, os.WriteFile(filepath.Join(dir, stack+".json"), append(data, '\n'), 0o644)
}

// Table prints all outcomes of a run side by side.
func Table(out io.Writer, outcomes []Outcome) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\ndrill\tverdict\tpages away\tfailed\tposts away\tunanswered\tfiles away\t"+
		"acknowledged\tlost\tdoubled")
	for _, o := range outcomes {
		fmt.Fprintf(table, "%s\t%s\t", o.Drill, o.Word())
		for _, f := range o.Figures {
			fmt.Fprintf(table, "%.1f s\t", f.Away)
			if f.Kind != load.Static {
				failed := 0
				for _, times := range f.Failed {
					failed += times
				}
				fmt.Fprintf(table, "%d of %d\t", failed, f.Sent)
			}
		}
		if len(o.Figures) > 0 {
			fmt.Fprintf(table, "%d\t%d\t%d", o.Posts.Acknowledged, len(o.Posts.Lost), len(o.Posts.Doubled))
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}
