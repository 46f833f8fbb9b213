package mirror

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"chartserve/internal/chart"
)

// Bounds of a mirror.yaml.
const (
	maxConfig       = 4 << 20
	maxRepositories = 10_000
)

// ErrConfig is a mirror.yaml that can't be used.
var ErrConfig = errors.New("bad list of repositories")

// Config is a mirror.yaml: what to mirror. docs/mirror.schema.json describes it.
type Config struct {
	Repositories []Repository `json:"repositories"`
}

// Repository is a source in a mirror.yaml. One of URL, Path and OCI is set.
type Repository struct {
	// URL is a repository's or an archive's; Path that of a folder or an archive,
	// relative to the mirror.yaml; OCI is oci://HOST/PATH/CHART.
	URL  string `json:"url,omitempty"`
	Path string `json:"path,omitempty"`
	OCI  string `json:"oci,omitempty"`
	// Charts are NAME or NAME@CONSTRAINT; none: all.
	Charts  []string `json:"charts,omitempty"`
	Exclude []string `json:"exclude,omitempty"`
	Latest  int      `json:"latest,omitempty"`
	// Since is a date or a time of RFC 3339.
	Since            string `json:"since,omitempty"`
	Devel            bool   `json:"devel,omitempty"`
	WithDependencies bool   `json:"withDependencies,omitempty"`

	// UsernameEnv, PasswordEnv and TokenEnv name the environment variables that hold
	// the credentials: a file like this one is shared, secrets are not.
	UsernameEnv string `json:"usernameEnv,omitempty"`
	PasswordEnv string `json:"passwordEnv,omitempty"`
	TokenEnv    string `json:"tokenEnv,omitempty"`
	// CAFile, CertFile and KeyFile are PEM files, relative to the mirror.yaml.
	CAFile   string `json:"caFile,omitempty"`
	CertFile string `json:"certFile,omitempty"`
	KeyFile  string `json:"keyFile,omitempty"`
	// PlainHTTP speaks HTTP with a registry.
	PlainHTTP bool `json:"plainHTTP,omitempty"`
}

// ParseConfig reads a mirror.yaml. file is its path, for errors and for what is
// relative to it. Errors have the kind ErrConfig, and name the file, the field and
// the remedy.
func ParseConfig(file string, data []byte) (*Config, error) {
	if len(data) > maxConfig {
		return nil, fmt.Errorf("%w: %s: larger than %d bytes", ErrConfig, file, maxConfig)
	}
	c := new(Config)
	if err := yaml.UnmarshalStrict(data, c); err != nil {
		return nil, fmt.Errorf("%w: %s: %s (docs/mirror.schema.json describes the form)", ErrConfig, file, reason(err))
	}
	if n := len(c.Repositories); n == 0 || n > maxRepositories {
		return nil, fmt.Errorf("%w: %s: repositories: there are %d (list 1 to %d, each with its url, path or oci)", ErrConfig, file, n, maxRepositories)
	}
	for i := range c.Repositories {
		r := &c.Repositories[i]
		if _, err := r.Source(); err != nil {
			return nil, fmt.Errorf("%w: %s: repositories[%d].%w", ErrConfig, file, i, err)
		}
		for _, p := range []*string{&r.Path, &r.CAFile, &r.CertFile, &r.KeyFile} {
			if *p != "" && !filepath.IsAbs(*p) {
				*p = filepath.Join(filepath.Dir(file), *p)
			}
		}
	}
	return c, nil
}

// reason is what a YAML error says, without the names of Go's types.
func reason(err error) string {
	text := strings.TrimPrefix(err.Error(), "error unmarshaling JSON: ")
	text = strings.TrimPrefix(text, "error converting YAML to JSON: ")
	text = strings.TrimPrefix(text, "while decoding JSON: ")
	text = strings.TrimPrefix(text, "json: ")
	if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
		return fmt.Sprintf("%s: a %s can't stand there", wrong.Field, wrong.Value)
	}
	return text
}

// Source is what r asks for, without its credentials. The error begins with the
// field that is wrong.
func (r *Repository) Source() (Source, error) {
	s := Source{WithDependencies: r.WithDependencies}
	field, err := r.address(&s)
	if err != nil {
		return s, fmt.Errorf("%s: %w", field, err)
	}
	s.Filter = Filter{Exclude: r.Exclude, Latest: r.Latest, Devel: r.Devel}
	for i, text := range r.Charts {
		p, err := ParsePick(text)
		if err != nil {
			return s, fmt.Errorf("charts[%d] %q: %w", i, text, err)
		}
		s.Filter.Charts = append(s.Filter.Charts, p)
	}
	if r.Since != "" {
		if s.Filter.Since, err = ParseSince(r.Since); err != nil {
			return s, fmt.Errorf("since %q: %w", r.Since, err)
		}
	}
	if err := s.Filter.Check(); err != nil {
		return s, err
	}
	switch {
	case r.TokenEnv != "" && r.UsernameEnv+r.PasswordEnv != "":
		return s, errors.New("tokenEnv: stands beside usernameEnv or passwordEnv (keep one kind of credentials)")
	case (r.UsernameEnv == "") != (r.PasswordEnv == ""):
		return s, errors.New("passwordEnv: usernameEnv and passwordEnv belong together (set both)")
	case (r.CertFile == "") != (r.KeyFile == ""):
		return s, errors.New("keyFile: certFile and keyFile belong together (set both)")
	}
	return s, nil
}

// address fills in s.Address and returns the field that it came from.
func (r *Repository) address(s *Source) (field string, err error) {
	set := 0
	for name, value := range map[string]string{"url": r.URL, "path": r.Path, "oci": r.OCI} {
		if value != "" {
			field, s.Address = name, value
			set++
		}
	}
	if set != 1 {
		return "url", errors.New("set exactly one of url, path and oci")
	}
	k, err := s.kind()
	if err != nil {
		return field, err
	}
	if want := map[kind]string{kindRepository: "url", kindArchive: "url", kindOCI: "oci", kindLocal: "path"}[k]; want != field {
		return field, fmt.Errorf("%q belongs into the field %s", chart.ShowAddress(s.Address), want)
	}
	return field, nil
}

// ParseSince reads a date, which means its first moment in UTC, or a time of RFC
// 3339.
func ParseSince(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	return time.Time{}, errors.New("write a date such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z")
}
