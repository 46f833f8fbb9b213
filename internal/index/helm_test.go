package index

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"chartserve/internal/chart"
)

// helmIndex has the fields of Helm's IndexFile and ChartVersion (pkg/repo/v1), as
// far as an index of ours may hold them: what is not here must not be in an entry.
type helmIndex struct {
	APIVersion string                  `json:"apiVersion"`
	Generated  time.Time               `json:"generated"`
	Entries    map[string][]*helmEntry `json:"entries"`
	ServerInfo map[string]any          `json:"serverInfo"`
}

type helmEntry struct {
	*chart.Metadata
	URLs    []string  `json:"urls"`
	Created time.Time `json:"created"`
	Digest  string    `json:"digest,omitempty"`
}

// readYAML reads what Helm would read from YAML: strictly.
func readYAML(t *testing.T, data []byte) *helmIndex {
	t.Helper()
	x := new(helmIndex)
	if err := yaml.UnmarshalStrict(data, x); err != nil {
		t.Fatalf("Helm would refuse the YAML: %v\n%s", err, data)
	}
	return x
}

// readJSON reads the JSON both as JSON and, as Helm before 3.13 does, as YAML.
func readJSON(t *testing.T, data []byte) *helmIndex {
	t.Helper()
	x := new(helmIndex)
	if err := json.Unmarshal(data, x); err != nil {
		t.Fatalf("Helm would refuse the JSON: %v\n%s", err, data)
	}
	if diff := cmp.Diff(x, readYAML(t, data)); diff != "" {
		t.Errorf("JSON read as YAML differs: %s", diff)
	}
	return x
}

// asSent is md after one round through JSON, which makes text valid.
func asSent(t *testing.T, md *chart.Metadata) *chart.Metadata {
	t.Helper()
	data, err := json.Marshal(md)
	if err != nil {
		t.Fatal(err)
	}
	sent := new(chart.Metadata)
	if err := json.Unmarshal(data, sent); err != nil {
		t.Fatal(err)
	}
	return sent
}

// checkForms encodes one entry and checks that every form of it says what md says.
func checkForms(t *testing.T, md *chart.Metadata, url, digest string, created time.Time) {
	t.Helper()
	e, err := NewEntry(md, url, digest, created)
	if err != nil {
		t.Fatalf("NewEntry: %v", err)
	}
	b := NewBuilder(YAML)
	b.Set(e.Name, []*Entry{e})
	x := b.Encode()
	want := &helmEntry{asSent(t, md), []string{toUTF8(url)}, created.UTC(), toUTF8(digest)}
	for form, got := range map[string]*helmIndex{"yaml": readYAML(t, x.YAML.Data.Bytes()), "json": readJSON(t, x.JSON.Data.Bytes())} {
		if len(got.Entries) != 1 || len(got.Entries[want.Name]) != 1 {
			t.Fatalf("%s: got %d charts, want one named %q", form, len(got.Entries), want.Name)
		}
		if diff := cmp.Diff(want, got.Entries[want.Name][0], cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: want (-), got (+):\n%s\n%s", form, diff, x.YAML.Data.Bytes())
		}
		if got.APIVersion != "v1" || !got.Generated.Equal(created) {
			t.Errorf("%s: got apiVersion %q and generated %v, want v1 and %v", form, got.APIVersion, got.Generated, created)
		}
	}
	back, err := e.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Metadata, back, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Metadata: want (-), got (+):\n%s", diff)
	}
}

// fullMetadata has text in every field, and as a key where it is UTF-8.
func fullMetadata(text string) *chart.Metadata {
	key := toUTF8(text)
	return &chart.Metadata{
		Name: text, Home: text, Sources: []string{text, "x", text}, Version: text, Description: text,
		Keywords: []string{text}, Icon: text, APIVersion: text, Condition: text, Tags: text, AppVersion: text,
		Maintainers: []*chart.Maintainer{{Name: text, Email: text, URL: text}, {}, {URL: text}},
		Deprecated:  true, Annotations: map[string]string{key: text, "z": ""}, KubeVersion: text, Type: text,
		Dependencies: []*chart.Dependency{
			{Name: text, Version: text, Repository: text, Condition: text, Tags: []string{text}, Enabled: true, Alias: text},
			{ImportValues: []any{
				text, nil, true, 1.5, -2.0, 1e21, []any{}, map[string]any{}, []any{[]any{text, "b"}, "c"},
				map[string]any{"child": text, key: map[string]any{"a": []any{text}}, "z": []any{}},
			}},
		},
	}
}
