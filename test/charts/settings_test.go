package charts

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSettings: the chart's schema of config has each flag of serve, with the types and words that
// the schema of the settings file has; false where the chart sets the flag itself.
func TestSettings(t *testing.T) {
	var values struct {
		Properties struct {
			Config struct{ Properties map[string]any }
		}
	}
	must(t, json.Unmarshal([]byte(read(t, "..", "..", "charts", "chartserve", "values.schema.json")), &values))
	var file struct {
		Properties map[string]map[string]any
	}
	schema, err := run(t, "", "chartserve", "config", "schema")
	must(t, err)
	must(t, json.Unmarshal([]byte(schema), &file))
	help, err := run(t, "", "chartserve", "serve", "--help")
	must(t, err)

	want := map[string]any{"source": false}
	for _, flag := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`).FindAllStringSubmatch(help, -1) {
		if flag[1] != "help" {
			want[flag[1]] = setting(file.Properties[flag[1]])
		}
	}
	// What the chart sets of its other values, and a password, which is no text for a ConfigMap.
	for _, name := range []string{"access", "address", "anonymous-read", "client-ca", "config", "htpasswd", "metrics-address", "password", "redirect-http", "repo-path", "tls-cert", "tls-key", "token-file"} {
		if want[name] == nil {
			t.Errorf("chartserve serve has no --%s", name)
		}
		want[name] = false
	}
	if diff := cmp.Diff(want, values.Properties.Config.Properties); diff != "" {
		t.Errorf("%s, config (-chartserve +chart):\n%s", filepath.Join("charts", "chartserve", "values.schema.json"), diff)
	}
}

// setting is the chart's schema of a setting: a value that is not set is not there.
func setting(of map[string]any) map[string]any {
	some := func(list any) []any {
		return slices.DeleteFunc(slices.Clone(list.([]any)), func(x any) bool { return x == nil || x == "" || x == "null" })
	}
	if of == nil {
		return nil
	}
	if of["enum"] != nil {
		return map[string]any{"enum": some(of["enum"])}
	}
	types := some(of["type"])
	s := map[string]any{"type": any(types)}
	if len(types) == 1 {
		s["type"] = types[0]
	}
	if slices.Contains(types, any("array")) {
		s["items"] = map[string]any{"type": "string"}
	}
	return s
}
