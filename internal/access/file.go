package access

import (
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
		if _, err := path.Match(c.Subject, ""); err != nil || c.Subject == "" {
			return fmt.Errorf("certificates[%d].subject: write a common name or an alternative name, or a glob of it", i)
		}
		if c.Name != "" {
			if err := checkName(c.Name); err != nil {
				return fmt.Errorf("certificates[%d]: %w", i, err)
			}
		}
	}
	for i, g := range d.Grants {
		if g == nil || len(g.Names) == 0 {
			return fmt.Errorf("grants[%d].names: write the names that get the rights, or [\"*\"] for all who log in", i)
		}
		if err := checkGlobs("names", g.Names); err != nil {
			return fmt.Errorf("grants[%d].%w", i, err)
		}
		if err := g.check(); err != nil {
			return fmt.Errorf("grants[%d].%w", i, err)
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
