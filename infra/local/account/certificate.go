package account

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// proofs are the records by which ACM wants to be shown that a certificate's names are ours: one for each distinct
// name, in no order that means anything.
func proofs(s subject) resource.PropertyValue {
	names := []string{text(plain(s.inputs["domainName"]))}
	if more := plain(s.inputs["subjectAlternativeNames"]); more.IsArray() {
		for _, name := range more.ArrayValue() {
			names = append(names, text(plain(name)))
		}
	}
	slices.Sort(names)
	var options []any
	for i, name := range slices.Compact(names) {
		label := s.digits(i+1, 32)
		options = append(options, map[string]any{
			"domainName":          name,
			"resourceRecordName":  fmt.Sprintf("_%s.%s.", label, name),
			"resourceRecordType":  "CNAME",
			"resourceRecordValue": fmt.Sprintf("_%s.acm-validations.aws.", label),
		})
	}
	return resource.NewPropertyValue(options)
}
