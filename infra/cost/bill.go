package cost

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Resource is a declared resource, as far as its price depends on it.
type Resource struct {
	URN, Type, Name string
	Dependencies    []string // URNs of what it uses
	Properties      resource.PropertyMap
}

// Line is one thing that is paid for.
type Line struct {
	Type, Name string // of the resource
	What       string // price's name
	Amount     float64
	USD        float64 // a month
	Assumed    string  // what the amount rests on, where nobody can know it
}

// Bill is what an environment costs a month.
type Bill struct {
	Lines []Line // dearest first
	Date  string
	Where string // region of the prices
}

// Use is what is not declared.
type Use struct {
	Visits float64 // pages a second, all day; 0: nobody comes
}

// Of adds up what the resources cost. A type that account.go does not know is an error: it might be dear.
func Of(resources []Resource, use Use) (*Bill, error) {
	prices, err := ListPrices()
	if err != nil {
		return nil, err
	}
	a := account{all: resources, use: use}
	bill := &Bill{Date: prices.Date, Where: prices.Region}
	var problems []error
	for _, r := range resources {
		if !strings.HasPrefix(r.Type, "aws:") {
			continue // what the computer that deploys makes by itself
		}
		paid, known := paidFor[r.Type]
		if !known {
			problems = append(problems, fmt.Errorf("%s %q: nobody said what it costs: add its type to infra/cost/account.go",
				r.Type, r.Name))
			continue
		}
		if paid == nil {
			continue
		}
		for _, item := range paid(a, r) {
			usd, err := prices.monthly(item.price, item.amount)
			problems = append(problems, err)
			bill.Lines = append(bill.Lines, Line{r.Type, r.Name, item.price, item.amount, usd, item.assumed})
		}
	}
	slices.SortStableFunc(bill.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(b.USD, a.USD), cmp.Compare(a.Name, b.Name), cmp.Compare(a.What, b.What))
	})
	return bill, errors.Join(problems...)
}

// Sum is in US dollars a month.
func (b *Bill) Sum() (sum float64) {
	for _, line := range b.Lines {
		sum += line.USD
	}
	return sum
}

// Write prints the bill as a table.
func (b *Bill) Write(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "US$ a month\tamount\twhat\tresource\tassumed")
	for _, line := range b.Lines {
		fmt.Fprintf(table, "%8.2f\t%.4g\t%s\t%s %s\t%s\n", line.USD, line.Amount, line.What, short(line.Type), line.Name,
			line.Assumed)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%8.2f  in all: list prices of %s, %s (infra/cost/prices.yaml says from where), %d hours, "+
		"without tax and free tier\n", b.Sum(), b.Where, b.Date, hours)
	return err
}

// Dearest names the n lines that make most of the sum.
func (b *Bill) Dearest(n int) string {
	var parts []string
	for _, line := range b.Lines[:min(n, len(b.Lines))] {
		parts = append(parts, fmt.Sprintf("%s %.0f (%s)", line.Name, line.USD, line.What))
	}
	return strings.Join(parts, ", ")
}

func short(typ string) string { return typ[strings.LastIndex(typ, ":")+1:] }
