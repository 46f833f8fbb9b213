package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSBOM holds the document to CycloneDX's own schema, which cyclonedx-go comes with.
func TestSBOM(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	r := &release{root: root, out: t.TempDir(), version: "1.2.3", commit: "0123456789abcdef", time: time.Unix(1e9, 0).UTC(), platforms: platforms()[:1]}
	if err := r.sbom(t.Context()); err != nil {
		t.Fatal(err)
	}
	document, err := os.Open(filepath.Join(r.out, "sbom.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer document.Close()
	value, err := jsonschema.UnmarshalJSON(document)
	if err != nil {
		t.Fatal(err)
	}
	schema := bomSchema(t)
	if err := schema.Validate(value); err != nil {
		t.Error(err)
	}
	delete(value.(map[string]any), "bomFormat")
	if schema.Validate(value) == nil {
		t.Error("the schema takes a document that does not say what it is")
	}
}

// TestDistributedGo: Go as a distribution has it is without its LICENSE, and gives the same document.
func TestDistributedGo(t *testing.T) {
	r := &release{version: "1.2.3"}
	bom, err := r.describe("chartserve", []module{{path: standard, version: "1.99.0", dir: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	if got := *(*bom.Components)[0].Licenses; len(got) != 1 || got[0].License.ID != "BSD-3-Clause" {
		t.Errorf("got %+v, want BSD-3-Clause", got)
	}
}

// bomSchema compiles the schema, and those that it refers to, with formats asserted.
func bomSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	library, err := (&release{root: "."}).output(t.Context(), goCommand(), "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for address, name := range map[string]string{"bom-1.6.schema.json": "bom-1.6.schema.json", "spdx.schema.json": "spdx.schema.json", "jsf-0.82.schema.json": "jsf-0.82.schemax.json"} {
		file, err := os.Open(filepath.Join(library, "schema", name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		value, err := jsonschema.UnmarshalJSON(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("http://cyclonedx.org/schema/"+address, value); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
