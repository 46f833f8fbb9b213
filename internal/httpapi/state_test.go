package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"chartserve/internal/repo"
)

// schema is a part of docs/status.schema.json.
type schema struct {
	Type                 any
	Properties           map[string]*schema
	Items                *schema
	Required             []string
	AdditionalProperties *bool
	Ref                  string             `json:"$ref"`
	Defs                 map[string]*schema `json:"$defs"`
}

func readSchema(t *testing.T) (s *schema, raw map[string]any) {
	t.Helper()
	data, err := os.ReadFile("../../docs/status.schema.json")
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err == nil {
		err = json.Unmarshal(data, &raw)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, raw
}

// at follows a reference of part.
func (s *schema) at(part *schema) *schema {
	if name, ok := strings.CutPrefix(part.Ref, "#/$defs/"); ok {
		return s.Defs[name]
	}
	return part
}

// TestStatusSchemaHasTheFields: docs/status.schema.json has the fields of what /status answers,
// at every depth, with their types, and no others.
func TestStatusSchemaHasTheFields(t *testing.T) {
	s, _ := readSchema(t)
	compareFields(t, s, s, "status", reflect.TypeFor[statusAnswer]())
}

func compareFields(t *testing.T, s, part *schema, at string, of reflect.Type) {
	t.Helper()
	part = s.at(part)
	kinds := map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Float64: "number", reflect.Slice: "array", reflect.Struct: "object", reflect.Pointer: "object",
	}
	want := kinds[of.Kind()]
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of == reflect.TypeFor[time.Time]() {
		want = "string"
	}
	if got := fmt.Sprint(part.Type); got != want && (of.Kind() != reflect.Slice || got != "["+want+" null]") && part.Type != nil {
		t.Errorf("%s is %s in the schema and %s in the answer", at, got, want)
	}
	switch {
	case of.Kind() == reflect.Slice:
		compareFields(t, s, part.Items, at+"[]", of.Elem())
	case want == "object":
		fields := map[string]reflect.Type{}
		for _, f := range reflect.VisibleFields(of) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.IsExported() && name != "" {
				fields[name] = f.Type
			}
		}
		names := slices.Sorted(maps.Keys(fields))
		if diff := cmp.Diff(names, slices.Sorted(maps.Keys(part.Properties))); diff != "" || part.AdditionalProperties == nil || *part.AdditionalProperties {
			t.Errorf("fields of %s (-answer +schema):\n%s", at, diff)
			return
		}
		for _, name := range names {
			compareFields(t, s, part.Properties[name], at+"."+name, fields[name])
		}
	}
}

// TestStatusIsAsTheSchemaSays: what a server answers has what the schema requires, and nothing
// that it does not know.
func TestStatusIsAsTheSchemaSays(t *testing.T) {
	s, _ := readSchema(t)
	f := newFixture(t, Options{Uploads: uploads(t)})
	full := f.src.View()
	now := time.Now()
	full.Status = repo.Status{
		Ready: true, Progress: &repo.Progress{}, Problem: "x", Failures: []repo.Failure{{Name: "x", Version: "1"}}, Warnings: []repo.Warning{{}}, Unchecked: 1,
		Downloads: []repo.Download{{Reason: "x", Retry: &now}}, Sources: []repo.SourceStatus{{}},
		Changes: []repo.Change{{Published: repo.Named{Count: 1, Charts: []repo.ChartVersion{{Name: "x", Version: "1", Digest: strings.Repeat("1a", 32)}}}, Failed: repo.Named{Count: 1, Charts: []repo.ChartVersion{{Path: "x"}}}}},
	}
	u := newUploader(t, Options{}, repo.Options{})
	u.do("POST", "/api/charts", bytes.NewReader(chartArchive(t, "nova", "1.0.0", nil)))
	_, real := u.do("GET", "/status", http.NoBody)
	empty := new(fixture)
	*empty = *newFixture(t, Options{})
	empty.src.p.Store(repo.NewView(empty.root))
	for name, text := range map[string]string{"full": text(t, f.get("/status")), "real": real, "starting": text(t, empty.get("/status"))} {
		var answer any
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Fatal(err)
		}
		validate(t, s, s, name, answer)
	}
}

func validate(t *testing.T, s, part *schema, at string, value any) {
	t.Helper()
	part = s.at(part)
	switch value := value.(type) {
	case map[string]any:
		for _, name := range part.Required {
			if _, ok := value[name]; !ok {
				t.Errorf("%s has no %s", at, name)
			}
		}
		for name, v := range value {
			if part.Properties[name] == nil {
				t.Errorf("the schema has no %s.%s", at, name)
				continue
			}
			validate(t, s, part.Properties[name], at+"."+name, v)
		}
	case []any:
		for _, v := range value {
			validate(t, s, part.Items, at+"[]", v)
		}
	}
	if value == nil && !strings.Contains(fmt.Sprint(part.Type), "null") {
		t.Errorf("%s is null", at)
	}
}

// TestStatusSchemas: docs/openapi.yaml says the same as docs/status.schema.json.
func TestStatusSchemas(t *testing.T) {
	data, err := os.ReadFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.ReplaceAll(data, []byte("#/components/schemas/"), []byte("#/$defs/"))
	var doc struct {
		Components struct{ Schemas map[string]map[string]any }
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	_, got := readSchema(t)
	for name, def := range got["$defs"].(map[string]any) {
		if diff := cmp.Diff(doc.Components.Schemas[name], def); diff != "" {
			t.Errorf("%s (-openapi.yaml +status.schema.json):\n%s", name, diff)
		}
	}
	for _, own := range []string{"$schema", "$defs", "title", "description"} {
		delete(got, own)
	}
	if diff := cmp.Diff(doc.Components.Schemas["Status"], got); diff != "" {
		t.Errorf("Status (-openapi.yaml +status.schema.json):\n%s", diff)
	}
}
