package access

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v2"
)

// document is an access file; docs/access.schema.json describes it.
type document struct {
	// AnonymousRead lets who does not log in read everything.
	AnonymousRead bool `yaml:"anonymousRead"`
	// Htpasswd and TokenFiles are paths, relative to the access file.
	Htpasswd     []string      `yaml:"htpasswd"`
	TokenFiles   []string      `yaml:"tokenFiles"`
	Certificates []certificate `yaml:"certificates"`
	Grants       []*grant      `yaml:"grants"`
}

// certificate gives the holders of client certificates a name.
type certificate struct {
	// Subject is a glob of the common name or of an alternative name.
	Subject string `yaml:"subject"`
	// Name is the name; empty: what Subject matched.
	Name string `yaml:"name"`

	line int // in the file
}

// UnmarshalYAML notes the line.
func (c *certificate) UnmarshalYAML(unmarshal func(any) error) error {
	type plain certificate
	c.line = lineOf(unmarshal)
	return unmarshal((*plain)(c))
}

// UnmarshalYAML notes the line.
func (g *grant) UnmarshalYAML(unmarshal func(any) error) error {
	type plain grant
	g.line = lineOf(unmarshal)
	return unmarshal((*plain)(g))
}

// lineOf is where a map begins, or another node that a number is not; 0: it is not known.
// The parser tells lines in errors alone.
func lineOf(unmarshal func(any) error) (line int) {
	wrong, number := new(yaml.TypeError), 0
	if errors.As(unmarshal(&number), &wrong) {
		_, _ = fmt.Sscanf(wrong.Errors[0], "line %d:", &line)
	}
	return line
}

// misplaced is err, of an entry of the access file at that line.
func misplaced(line int, list string, i int, err error) error {
	if line == 0 {
		return fmt.Errorf("%s[%d].%w", list, i, err)
	}
	return fmt.Errorf("line %d: %s[%d].%w", line, list, i, err)
}

// parseDocument reads an access file. Errors begin with the line or the field.
func parseDocument(data []byte) (*document, error) {
	d := new(document)
	if err := yaml.UnmarshalStrict(data, d); err != nil {
		return nil, fmt.Errorf("%s (docs/access.schema.json describes the form)", reason(err))
	}
	return d, d.check()
}

// reason is what the YAML parser says, without the names of Go's types, and without
// values: they may be secrets in the wrong place.
func reason(err error) string {
	wrong := new(yaml.TypeError)
	if !errors.As(err, &wrong) {
		return strings.TrimPrefix(err.Error(), "yaml: ")
	}
	texts := make([]string, len(wrong.Errors))
	for i, text := range wrong.Errors {
		line, rest, _ := strings.Cut(text, ": ")
		switch field, ok := strings.CutPrefix(rest, "field "); {
		case ok && strings.Contains(field, " not found in "):
			rest = "unknown key " + strings.Fields(field)[0]
		case ok:
			rest = strings.Fields(field)[0] + " is there twice"
		case strings.Contains(rest, "cannot unmarshal !!"):
			kind, _, _ := strings.Cut(strings.SplitAfterN(rest, "!!", 2)[1], " ")
			rest = "a " + kind + " can't be there"
		}
		texts[i] = line + ": " + rest
	}
	return strings.Join(texts, "; ")
}

func (d *document) check() error {
	for i, c := range d.Certificates {
		if err := c.check(); err != nil {
			return misplaced(c.line, "certificates", i, err)
		}
	}
	for i, g := range d.Grants {
		if g == nil {
			g = new(grant) // null
		}
		if err := cmp.Or(g.checkNames(), g.check()); err != nil {
			return misplaced(g.line, "grants", i, err)
		}
	}
	switch {
	case len(d.Htpasswd)+len(d.TokenFiles)+len(d.Certificates) == 0:
		return errors.New("nobody can log in (name files in htpasswd or tokenFiles, or certificates)")
	case len(d.Htpasswd)+len(d.Certificates) > 0 && len(d.Grants) == 0:
		return errors.New("grants: nobody has a right (add, for example, names: [\"*\"] with rights: [read])")
	}
	return nil
}

func (c *certificate) check() error {
	if _, err := path.Match(c.Subject, ""); err != nil || c.Subject == "" {
		return errors.New("subject: write a common name or an alternative name, or a glob of it")
	}
	if c.Name == "" {
		return nil
	}
	if err := checkName(c.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	return nil
}

func (g *grant) checkNames() error {
	if len(g.Names) == 0 {
		return errors.New(`names: write the names that get the rights, or ["*"] for all who log in`)
	}
	return checkGlobs("names", g.Names)
}

// check looks at what a grant and a line of a token file have in common.
func (g *grant) check() error {
	if len(g.Rights) == 0 {
		return fmt.Errorf("rights: there are none (write some of %s)", joinRights(allRights()))
	}
	for i, r := range g.Rights {
		if !slices.Contains(allRights(), r) {
			return fmt.Errorf("rights[%d]: not a right (write some of %s)", i, joinRights(allRights()))
		}
	}
	if err := checkGlobs("charts", g.Charts); err != nil {
		return err
	}
	return checkGlobs("repositories", g.Repositories)
}

func checkGlobs(field string, globs []string) error {
	for i, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			return fmt.Errorf("%s[%d]: not a name or a glob such as web-*", field, i)
		}
	}
	return nil
}
