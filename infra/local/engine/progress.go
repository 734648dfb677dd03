package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
)

// progress turns the events of one engine command into lines that a person can read, and into a Summary.
type progress struct {
	events  chan events.EngineEvent
	quit    chan struct{} // closed when the command has ended: an engine that never started closes no channel
	done    chan struct{}
	line    func(string)
	looking bool                 // nothing is deleted by this command: it finds what is gone
	begun   map[string]beginning // by URN and operation
	told    map[string]bool      // the same: a component's end is told again with its outputs
	summary Summary
	refusal []string // what the engine said of failures, each once
	plan    plan     // in a preview: what is told as a whole at its end
}

// beginning is what the engine says of a step only before it: what follows tells how it went.
type beginning struct {
	at              time.Time
	replace, change []string
}

func newProgress(line func(string)) *progress {
	p := &progress{events: make(chan events.EngineEvent), quit: make(chan struct{}), done: make(chan struct{}), line: line,
		begun: map[string]beginning{}, told: map[string]bool{}, summary: Summary{Changes: map[string]int{}},
		plan: plan{parents: map[string]string{}, steps: map[string]string{}, ops: map[string]string{}}}
	go p.listen()
	return p
}

func (p *progress) listen() {
	defer close(p.done)
	for {
		select {
		case e, open := <-p.events:
			if !open {
				return
			}
			p.take(e)
		case <-p.quit:
			return
		}
	}
}

// end waits until every event is told, and answers with the summary.
func (p *progress) end() Summary {
	close(p.quit)
	<-p.done
	return p.summary
}

func (p *progress) take(e events.EngineEvent) {
	switch {
	case e.ResourcePreEvent != nil:
		m := e.ResourcePreEvent.Metadata
		p.begun[m.URN+string(m.Op)] = beginning{time.Now(), m.Keys, m.Diffs}
		p.plan.place(m)
	case e.ResOutputsEvent != nil:
		p.step(e.ResOutputsEvent.Metadata, e.ResOutputsEvent.Planning)
	case e.ResOpFailedEvent != nil:
		m := e.ResOpFailedEvent.Metadata
		p.line(fmt.Sprintf("%-20s %s FAILED%s", m.Op, human(m.URN), p.took(m)))
	case e.DiagnosticEvent != nil && !e.DiagnosticEvent.Ephemeral:
		p.diagnostic(e.DiagnosticEvent)
	case e.SummaryEvent != nil:
		p.total(e.SummaryEvent)
	}
}

func (p *progress) step(m apitype.StepEventMetadata, planning bool) {
	if m.Op == apitype.OpSame || m.Op == apitype.OpRefresh {
		return
	}
	if p.told[m.URN+string(m.Op)] {
		return
	}
	p.told[m.URN+string(m.Op)] = true
	u, begun := urn.URN(m.URN), p.begun[m.URN+string(m.Op)]
	p.summary.Steps = append(p.summary.Steps, Step{Op: string(m.Op), Type: string(u.Type()), Name: u.Name(), Replace: begun.replace})
	// A replacement is planned as one thing and carried out as two.
	if plan := m.Op == apitype.OpReplace; plan != planning && (plan || m.Op == apitype.OpCreateReplacement || m.Op == apitype.OpDeleteReplaced) {
		return
	}
	op := string(m.Op)
	if p.looking && m.Op == apitype.OpDelete {
		op = "gone"
	}
	text := human(m.URN)
	switch {
	case len(begun.replace) > 0:
		text += " because of " + strings.Join(begun.replace, ", ")
	case len(begun.change) > 0:
		text += ": " + strings.Join(begun.change, ", ")
	}
	if planning {
		p.plan.steps[m.URN] = text
		p.plan.ops[m.URN] = op
		return
	}
	p.line(fmt.Sprintf("%-20s %s%s", op, text, p.took(m)))
}

// took is how long an operation ran, if a person noticed.
func (p *progress) took(m apitype.StepEventMetadata) string {
	begun, ok := p.begun[m.URN+string(m.Op)]
	if d := time.Since(begun.at); ok && d >= time.Second {
		return fmt.Sprintf(" (%.0f s)", d.Seconds())
	}
	return ""
}

// human names a resource by the last part of its type and its name.
func human(s string) string {
	u, err := urn.Parse(s)
	if err != nil {
		return s
	}
	parts := strings.Split(string(u.Type()), ":")
	return parts[len(parts)-1] + " " + u.Name()
}

func (p *progress) diagnostic(d *apitype.DiagnosticEvent) {
	text := strings.TrimSpace(colors.Never.Colorize(d.Prefix + d.Message))
	if text == "" || d.Severity == "debug" {
		return
	}
	if d.URN != "" && !strings.Contains(d.URN, "pulumi:pulumi:Stack") {
		text = human(d.URN) + ": " + text
	}
	if d.Severity == "error" && !slices.Contains(p.refusal, text) {
		p.refusal = append(p.refusal, text)
	}
	p.line(text)
}

func (p *progress) total(s *apitype.SummaryEvent) {
	for _, line := range p.plan.tree() {
		p.line(line)
	}
	var parts []string
	for op, n := range s.ResourceChanges {
		p.summary.Changes[string(op)] = n
	}
	for _, op := range slices.Sorted(maps.Keys(p.summary.Changes)) {
		parts = append(parts, fmt.Sprintf("%d %s", p.summary.Changes[op], op))
	}
	if len(parts) == 0 {
		parts = []string{"nothing to do"}
	}
	p.line(fmt.Sprintf("%s, in %d s", strings.Join(parts, ", "), s.DurationSeconds))
}

// explain makes an error of what the engine said, and keeps the command's own when it said nothing.
func (p *progress) explain(err error) error {
	if len(p.refusal) == 0 {
		return err
	}
	return &Refusal{Messages: p.refusal, cause: err}
}

// Refusal is the engine's answer to a command that it did not, or not wholly, carry out.
type Refusal struct {
	Messages []string // the engine's, each with the resource that it is about
	cause    error
}

func (r *Refusal) Error() string { return strings.Join(r.Messages, "\n") }

// Unwrap is the Automation API's error, with everything that the command printed.
func (r *Refusal) Unwrap() error { return r.cause }
