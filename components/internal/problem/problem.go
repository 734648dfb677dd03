// Package problem collects what is wrong with a component's arguments, so that a person sees all of it at once.
package problem

import (
	"errors"
	"fmt"
)

// List is what was found so far; its zero value is ready for use.
type List []error

// Unless notes that a field's value cannot be used and what to use instead, except when ok.
func (l *List) Unless(ok bool, field string, value any, wayOut string) {
	if !ok {
		*l = append(*l, fmt.Errorf("%s: %#v cannot be used: %s", field, value, wayOut))
	}
}

// Err is nil when nothing was noted; otherwise it names the component by what it is and how it is called.
func (l List) Err(what, name string) error {
	if len(l) == 0 {
		return nil
	}
	return fmt.Errorf("%s %q: %w", what, name, errors.Join(l...))
}
