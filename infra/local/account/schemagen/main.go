// Schemagen reads which properties the resources of the AWS and Docker providers have, off the released Go SDKs, and
// writes them as sdk-schema.json for package account. It reads the SDKs' source and never compiles it: the package
// aws/wafv2 alone takes tens of gigabytes to compile.
//
// Run it with "go generate ./infra/local/account" after an SDK's version changes in go.mod.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// modules are where the SDKs' resources live, by provider.
var modules = map[string]struct{ path, dir string }{
	"aws":    {"github.com/pulumi/pulumi-aws/sdk/v6", "go/aws"},
	"docker": {"github.com/pulumi/pulumi-docker/sdk/v4", "go/docker"},
}

// deepest is how many object types lie below a resource at the most; what is deeper is written "any". Only WAF's
// statements, which contain themselves, are cut by it.
const deepest = 6

// schema is the file's content. A property's type is "string", "number", "bool", "any", "[]T", "{}T" for a map, or the
// name of one of Objects, with "!" behind it when the property is required.
type schema struct {
	Versions  map[string]string            `json:"versions"` // of the SDKs, by provider
	Resources map[string]resource          `json:"resources"`
	Objects   map[string]map[string]string `json:"objects"`
}

type resource struct {
	Inputs  map[string]string `json:"inputs"`
	Outputs []string          `json:"outputs,omitempty"` // properties that are not inputs too
}

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: schemagen aws-properties.json sdk-schema.json"))
	}
	tokens, err := resourceTypes(os.Args[1])
	if err != nil {
		fail(err)
	}
	b, err := generate(tokens)
	if err != nil {
		fail(err)
	}
	if err := os.WriteFile(os.Args[2], b, 0o644); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "schemagen:", err)
	os.Exit(1)
}

// resourceTypes lists the types that the facts file knows, and the two that it does not need to know.
func resourceTypes(facts string) ([]string, error) {
	b, err := os.ReadFile(facts)
	if err != nil {
		return nil, err
	}
	var known map[string]any
	if err := json.Unmarshal(b, &known); err != nil {
		return nil, fmt.Errorf("%s: %w", facts, err)
	}
	known["docker:index/image:Image"] = nil
	return slices.Sorted(maps.Keys(known)), nil
}

// generate reads every type's properties, one line per resource or object in the result so that a diff can be read.
func generate(tokens []string) ([]byte, error) {
	g := &generator{packages: map[string]map[string]*ast.StructType{}, depth: map[string]int{}}
	g.out = schema{
		Versions:  map[string]string{},
		Resources: map[string]resource{},
		Objects:   map[string]map[string]string{},
	}
	for _, t := range tokens {
		if err := g.resource(t); err != nil {
			return nil, fmt.Errorf("%s: %w", t, err)
		}
	}
	var b bytes.Buffer
	for pkg, m := range modules {
		module, err := find(m.path)
		if err != nil {
			return nil, err
		}
		g.out.Versions[pkg] = strings.TrimPrefix(module.Version, "v")
	}
	b.WriteString("{\n\"versions\": {\n")
	if err := lines(&b, g.out.Versions); err != nil {
		return nil, err
	}
	b.WriteString("},\n\"resources\": {\n")
	if err := lines(&b, g.out.Resources); err != nil {
		return nil, err
	}
	b.WriteString("},\n\"objects\": {\n")
	if err := lines(&b, g.out.Objects); err != nil {
		return nil, err
	}
	b.WriteString("}\n}\n")
	return b.Bytes(), nil
}

func lines[V any](b *bytes.Buffer, m map[string]V) error {
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b.WriteString(",\n")
		}
		v, err := json.Marshal(m[k])
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "%q: %s", k, v)
	}
	b.WriteByte('\n')
	return nil
}

type generator struct {
	packages map[string]map[string]*ast.StructType // by directory, then by type name
	depth    map[string]int                        // object name → the least depth at which it was met
	out      schema
}

// resource reads one type: "aws:ec2/instance:Instance" is declared in the package aws/ec2.
func (g *generator) resource(tok string) error {
	parts := strings.FieldsFunc(tok, func(r rune) bool { return r == ':' || r == '/' })
	if len(parts) != 4 {
		return fmt.Errorf("a type token has the form package:module/name:Type")
	}
	m, ok := modules[parts[0]]
	if !ok {
		return fmt.Errorf("no SDK is known for the package %q", parts[0])
	}
	source, err := find(m.path)
	if err != nil {
		return err
	}
	dir := filepath.Join(source.Dir, m.dir)
	if parts[1] != "index" {
		dir = filepath.Join(dir, parts[1])
	}
	structs, err := g.structs(dir)
	if err != nil {
		return err
	}
	args, ok := structs[parts[2]+"Args"]
	if !ok {
		return fmt.Errorf("%s declares no type %sArgs", dir, parts[2])
	}
	outs, ok := structs[parts[3]]
	if !ok {
		return fmt.Errorf("%s declares no type %s", dir, parts[3])
	}
	r := resource{Inputs: g.properties(dir, args, 0)}
	for name := range fields(outs) {
		if _, in := r.Inputs[name]; !in {
			r.Outputs = append(r.Outputs, name)
		}
	}
	slices.Sort(r.Outputs)
	g.out.Resources[tok] = r
	return nil
}

// properties describes a struct's fields and, below them, the objects that they hold.
func (g *generator) properties(dir string, s *ast.StructType, depth int) map[string]string {
	out := map[string]string{}
	for name, typ := range fields(s) {
		required := "" // for lists, maps and interfaces the SDK does not say; aws-properties.json does
		if _, plain := typ.(*ast.Ident); plain {
			required = "!"
		}
		out[name] = g.typeName(dir, typ, depth) + required
	}
	return out
}

func (g *generator) typeName(dir string, e ast.Expr, depth int) string {
	switch t := e.(type) {
	case *ast.StarExpr:
		return g.typeName(dir, t.X, depth)
	case *ast.ArrayType:
		return "[]" + g.typeName(dir, t.Elt, depth)
	case *ast.MapType:
		return "{}" + g.typeName(dir, t.Value, depth)
	case *ast.Ident:
		switch t.Name {
		case "string", "bool":
			return t.Name
		case "int", "float64":
			return "number"
		}
		s, ok := g.packages[dir][t.Name]
		if !ok {
			return "string" // an enumeration
		}
		if depth >= deepest {
			return "any"
		}
		name := filepath.Base(dir) + "." + t.Name
		if seen, ok := g.depth[name]; !ok || depth < seen {
			g.depth[name] = depth
			g.out.Objects[name] = g.properties(dir, s, depth+1)
		}
		return name
	}
	return "any" // interfaces, assets
}

// fields are a struct's tagged fields.
func fields(s *ast.StructType) map[string]ast.Expr {
	out := map[string]ast.Expr{}
	for _, f := range s.Fields.List {
		if f.Tag == nil {
			continue
		}
		if name := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("pulumi"); name != "" {
			out[strings.TrimSuffix(name, ",optional")] = f.Type
		}
	}
	return out
}

// structs parses every file of a package.
func (g *generator) structs(dir string) (map[string]*ast.StructType, error) {
	if s, ok := g.packages[dir]; ok {
		return s, nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	out := map[string]*ast.StructType{}
	for _, f := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range parsed.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range decl.Specs {
				if t, ok := s.(*ast.TypeSpec); ok {
					if st, ok := t.Type.(*ast.StructType); ok {
						out[t.Name.Name] = st
					}
				}
			}
		}
	}
	g.packages[dir] = out
	return out, nil
}

// module is what the Go command says of one that go.mod names.
type module struct{ Dir, Version string }

// found keeps what was asked: every question starts a process.
var found = map[string]module{}

func find(path string) (module, error) {
	if m, ok := found[path]; ok {
		return m, nil
	}
	b, err := exec.Command("go", "list", "-m", "-json=Dir,Version", path).Output()
	if err != nil {
		return module{}, fmt.Errorf("go list -m %s: %w", path, err)
	}
	var m module
	if err := json.Unmarshal(b, &m); err != nil {
		return module{}, fmt.Errorf("go list -m %s: %w", path, err)
	}
	found[path] = m
	return m, nil
}
