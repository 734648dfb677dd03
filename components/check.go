package components

import (
	"errors"
	"fmt"
)

// problems collects what is wrong with a component's arguments, so that a person sees all of it at once.
type problems []error

// unless notes that a field's value cannot be used and what to use instead, except when ok.
func (p *problems) unless(ok bool, field string, value any, wayOut string) {
	if !ok {
		*p = append(*p, fmt.Errorf("%s: %#v cannot be used: %s", field, value, wayOut))
	}
}

// err is nil when nothing was noted; otherwise it names the component by what it is and how it is called.
func (p problems) err(what, name string) error {
	if len(p) == 0 {
		return nil
	}
	return fmt.Errorf("%s %q: %w", what, name, errors.Join(p...))
}
