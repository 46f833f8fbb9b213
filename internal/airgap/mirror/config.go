package mirror

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

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
	Selection
	WithDependencies bool `json:"withDependencies,omitempty"`

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

// ReadConfig reads the mirror.yaml at path. Errors in it have the kind ErrConfig, and
// name the file, the field and the remedy.
func ReadConfig(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := chart.ReadAtMost(f, maxConfig)
	var c *Config
	if err == nil {
		c, err = parseConfig(filepath.Dir(path), data)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrConfig, path, err)
	}
	return c, nil
}

// parseConfig reads a mirror.yaml; dir is what paths in it are relative to.
func parseConfig(dir string, data []byte) (*Config, error) {
	c := new(Config)
	if err := yaml.UnmarshalStrict(data, c); err != nil {
		return nil, fmt.Errorf("%s (docs/mirror.schema.json describes the form)", reason(err))
	}
	if n := len(c.Repositories); n == 0 || n > maxRepositories {
		return nil, fmt.Errorf("repositories: there are %d (list 1 to %d, each with its url, path or oci)", n, maxRepositories)
	}
	for i := range c.Repositories {
		r := &c.Repositories[i]
		for _, p := range []*string{&r.Path, &r.CAFile, &r.CertFile, &r.KeyFile} {
			if *p != "" && !filepath.IsAbs(*p) {
				*p = filepath.Join(dir, *p)
			}
		}
		if _, err := r.Source(); err != nil {
			return nil, fmt.Errorf("repositories[%d].%w", i, err)
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
		field := strings.ReplaceAll(wrong.Field, "Selection.", "") // of the struct alone
		return fmt.Sprintf("%s: a %s can't stand there", field, wrong.Value)
	}
	return text
}

// Source is what r asks for, without its credentials. The error begins with the
// field that is wrong; there is none in what ReadConfig has returned.
func (r *Repository) Source() (Source, error) {
	s := Source{WithDependencies: r.WithDependencies}
	field, err := r.address(&s)
	if err != nil {
		return s, fmt.Errorf("%s: %w", field, err)
	}
	if s.Filter, err = r.Filter(); err != nil {
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
	read, err := s.read()
	if err != nil {
		return field, err
	}
	if want := [...]string{kindRepository: "url", kindArchive: "url", kindOCI: "oci", kindLocal: "path"}[read.kind]; want != field {
		return field, fmt.Errorf("%q belongs into the field %s", s, want)
	}
	return field, nil
}
