package engine

import (
	"io"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
)

// progress hands on what the engine prints, and makes a Summary of the events of one command.
type progress struct {
	events  chan events.EngineEvent
	quit    chan struct{} // closed when the command has ended: an engine that never started closes no channel
	done    chan struct{}
	out     io.Writer           // what the engine prints, by lines
	begun   map[string][]string // by URN and operation: the properties that force a replacement
	told    map[string]bool     // the same: a component's end is told again with its outputs
	summary Summary
	refusal []string // what the engine said of failures, each once
}

func newProgress(line func(string)) *progress {
	p := &progress{
		events: make(chan events.EngineEvent), quit: make(chan struct{}), done: make(chan struct{}), out: lines(line),
		begun: map[string][]string{}, told: map[string]bool{}, summary: Summary{Changes: map[string]int{}},
	}
	go p.listen()
	return p
}

// lines hands on what is written to it line by line. The engine writes whole lines, and dots while it waits, which say
// less than the lines about builds and machines that come meanwhile.
type lines func(string)

func (l lines) Write(text []byte) (int, error) {
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, " \n"); strings.Trim(line, " @.") != "" {
			l(line)
		}
	}
	return len(text), nil
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
		p.begun[m.URN+string(m.Op)] = m.Keys
	case e.ResOutputsEvent != nil:
		p.step(e.ResOutputsEvent.Metadata)
	case e.DiagnosticEvent != nil && !e.DiagnosticEvent.Ephemeral && e.DiagnosticEvent.Severity == "error":
		p.refused(e.DiagnosticEvent)
	case e.SummaryEvent != nil:
		for op, n := range e.SummaryEvent.ResourceChanges {
			p.summary.Changes[string(op)] = n
		}
	}
}

func (p *progress) step(m apitype.StepEventMetadata) {
	key := m.URN + string(m.Op)
	if m.Op == apitype.OpSame || m.Op == apitype.OpRefresh || p.told[key] {
		return
	}
	p.told[key] = true
	u := urn.URN(m.URN)
	p.summary.Steps = append(p.summary.Steps, Step{
		Op: string(m.Op), Type: string(u.Type()), Name: u.Name(),
		Replace: p.begun[key], Changed: slices.Sorted(slices.Values(m.Diffs)),
	})
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

// protected is what Pulumi says of a resource that it may not delete. Its own way out is `pulumi state unprotect`,
// which the next up would take back.
const protected = "because it is protected"

// refused keeps what the engine says of a failure, with the resource that it is about.
func (p *progress) refused(d *apitype.DiagnosticEvent) {
	text := strings.TrimSpace(colors.Never.Colorize(d.Prefix + d.Message))
	switch {
	case strings.Contains(text, protected):
		text = human(d.URN) + " is protected: lift the protection in the configuration, run up, then destroy"
	case d.URN != "" && !strings.Contains(d.URN, "pulumi:pulumi:Stack"):
		text = human(d.URN) + ": " + text
	}
	if text != "" && !slices.Contains(p.refusal, text) {
		p.refusal = append(p.refusal, text)
	}
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
