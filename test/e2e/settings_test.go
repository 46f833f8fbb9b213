package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

// TestSettingsSchema: what chartserve config schema prints and what chartserve config check says
// agree on every file, and so they do on each key with each kind of value.
func TestSettingsSchema(t *testing.T) {
	printed := serveTool(t, t.TempDir(), "config", "schema")
	if !printed.ok() {
		t.Fatal(printed.all())
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(printed.stdout))
	must(t, err)
	c := jsonschema.NewCompiler()
	must(t, c.AddResource("settings.json", doc))
	schema, err := c.Compile("settings.json")
	must(t, err)

	files := map[string]string{
		"empty":        "# nothing\n",
		"good":         "source: [charts]\nrepo-path: here\naddress: :8879\nkeep-for: 90d\nkeep-replaced: 0\nmax-upload-size: 1048576\nallow-upload: true\njobs: 2\naccess-log: true\nlog-level: debug\noutput: yaml\n",
		"nulls":        "source:\nrepo-path: ''\njobs: null\nprune:\nexclude: []\nlog-level: ''\nkeep-for: ''\n",
		"unknown":      "adress: x\n",
		"nested":       "serve:\n  address: x\n",
		"help":         "help: true\n",
		"config":       "config: x\n",
		"version":      "version: 1.0.0\n",
		"items":        "address: [1]\n",
		"empty item":   "address: ['']\n",
		"null item":    "address: [null]\n",
		"a list":       "- address\n",
		"whole":        "jobs: 1.0\n",
		"half":         "jobs: 1.5\n",
		"units":        "max-file-size: 5 mib\nmax-chart-size: 20M\nrate: 1k\n",
		"no size":      "max-file-size: 0\n",
		"bad size":     "max-file-size: 5x\n",
		"durations":    "poll: 1h2m3.5s\nkeep-for: 36h\nkeep-replaced: '0'\n",
		"days":         "poll: 2d\n",
		"bare":         "keep-for: 90\n",
		"date":         "since: 2026-01-31\n",
		"word":         "log-level: loud\n",
		"other's word": "output: xml\n", // a file for bundle create
	}
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "charts"), 0o755))
	for name, file := range files {
		var value any
		must(t, yaml.Unmarshal([]byte(file), &value))
		invalid := schema.Validate(value)
		refused, all := refusedKeys(t, dir, file)
		if len(refused) > 0 != (invalid != nil) {
			t.Errorf("%s: %q: the schema says %v, config check says %s", name, file, invalid, all)
		}
	}
	keys := slices.Sorted(maps.Keys(doc.(map[string]any)["properties"].(map[string]any)))
	for _, text := range []string{"true", "1", "0", "text", "[text]", "{}", "2s", "[[]]", "json", "5MiB", "90d"} {
		var value any
		must(t, yaml.Unmarshal([]byte(text), &value))
		refused, _ := refusedKeys(t, dir, strings.Join(keys, ": "+text+"\n")+": "+text+"\n")
		for _, key := range keys {
			if invalid := schema.Validate(map[string]any{key: value}); refused[key] != (invalid != nil) {
				t.Errorf("%s: %s: the schema says %v, config check refuses it: %v", key, text, invalid, refused[key])
			}
		}
	}
}

// refusedKeys has a settings file checked, and returns the keys that are wrong by themselves:
// what flags mean together is not the schema's business.
func refusedKeys(t *testing.T, dir, file string) (map[string]bool, string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, "chartserve.yaml"), []byte(file), 0o600))
	checked := serveTool(t, dir, "config", "check", "chartserve.yaml")
	refused := map[string]bool{}
	for line := range strings.Lines(checked.stderr) {
		if where, ok := strings.CutPrefix(line, "chartserve: chartserve.yaml:"); ok {
			_, rest, _ := strings.Cut(where, ": ")
			key, _, _ := strings.Cut(rest, ": ")
			refused[strings.SplitN(key, "[", 2)[0]] = true
		}
	}
	if len(refused) > 0 && checked.code != 2 {
		t.Errorf("%q: exit status %d", file, checked.code)
	}
	return refused, checked.all()
}
