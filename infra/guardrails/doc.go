// Package guardrails holds what every environment must be, whatever anyone changes: a set of rules over the resources
// that the program declares. A rule is named by the control it implements (AWS Foundational Security Best Practices and
// CIS where there is one, TWIP's own otherwise) and says what to do when it refuses.
//
// The rules run inside the program (Enforce): a change that breaks one fails `pulumi preview`, and an update refuses
// the resource before it is made. What only a deployment knows is not judged in a preview. Tests run the same rules on
// graphs that they change for the worse, to show that each change is noticed.
//
// The package lies below components, because exceptions are declared there, beside the resource that needs one
// (Except). rules_*.go are tables; check.go has the words that they are written in.
package guardrails
