package main

import (
	"bufio"
	"flag"
	"fmt"
	"strings"
)

func confirmFlag(f *flag.FlagSet, o *options) {
	f.StringVar(&o.confirm, "confirm", "", "the stack's name, where nobody can be asked for it, as in a pipeline")
}

// confirmed says what would be lost and returns nil only if the stack's name was typed, or given by -confirm. A name
// and not "y": whoever meant another environment notices while typing.
func (t task) confirmed(verb, loss string) error {
	fmt.Fprintf(t.out, "%s\n", strings.TrimRight(loss, "\n"))
	given := t.confirm
	if given == "" {
		fmt.Fprintf(t.out, "\nTo %s stack %s, type its name: ", verb, t.stack)
		line, err := bufio.NewReader(t.in).ReadString('\n')
		if given = strings.TrimSpace(line); given == "" {
			fmt.Fprintln(t.out)
			return fmt.Errorf(
				"%s of stack %q: not confirmed, nothing was changed: type the stack's name when it is asked for, "+
					"or give CONFIRM=%[2]s (-confirm %[2]s)%s", verb, t.stack, ended(err))
		}
	}
	if given != t.stack {
		return fmt.Errorf(
			"%s of stack %q: %q is not its name, nothing was changed: check STACK, and type the name of the "+
				"stack that you mean", verb, t.stack, given)
	}
	return nil
}

func ended(err error) string {
	if err == nil {
		return ""
	}
	return " where nobody can type"
}
