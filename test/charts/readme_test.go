package charts

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestReadme: the table of the chart's README has each value of values.yaml with its default, and
// the schema knows each of them and no others.
func TestReadme(t *testing.T) {
	dir := filepath.Join("..", "..", "charts", "chartserve")
	var values, schema map[string]any
	must(t, yaml.Unmarshal([]byte(read(t, dir, "values.yaml")), &values))
	must(t, yaml.Unmarshal([]byte(read(t, dir, "values.schema.json")), &schema))

	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|(.*?)\\| .+ \\|$").FindAllStringSubmatch(read(t, dir, "README.md"), -1) {
		if _, twice := documented[row[1]]; twice {
			t.Errorf("the README has %s twice", row[1])
		}
		documented[row[1]] = row[2]
	}
	known := map[string]any{}
	leaves("", values, schema["definitions"].(map[string]any), schema, known)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(known)), slices.Sorted(maps.Keys(documented))); diff != "" {
		t.Fatalf("values (-values.yaml and schema +README):\n%s", diff)
	}
	for name, value := range known {
		want := ""
		switch v := value.(type) {
		case map[string]any:
			if len(v) > 0 {
				continue // told in words
			}
			want = "`{}`"
		case []any:
			want = "`" + strings.ReplaceAll(fmt.Sprint(v), " ", ", ") + "`"
		case nil:
			want = "`null`"
		default:
			if v != "" {
				want = fmt.Sprintf("`%v`", v)
			}
		}
		if got := strings.TrimSpace(documented[name]); got != want {
			t.Errorf("%s: the README has the default %s, values.yaml %s", name, got, want)
		}
	}
}

// leaves collects the defaults of the values that are described one by one: those whose schema
// names no properties below them. A value that only one of the two knows is collected as that.
func leaves(path string, value any, definitions, schema map[string]any, found map[string]any) {
	if ref, ok := schema["$ref"].(string); ok {
		schema = definitions[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
	}
	properties, _ := schema["properties"].(map[string]any)
	below, _ := value.(map[string]any)
	if properties == nil || schema["additionalProperties"] != false || told(path) {
		found[path] = value
		return
	}
	for name := range properties {
		at := strings.TrimPrefix(path+"."+name, ".")
		if _, ok := below[name]; !ok {
			if at != "global" && at != "gitSync.image.pullSecrets" {
				found[at+" is in the schema alone"] = nil
			}
			continue
		}
		leaves(at, below[name], definitions, properties[name].(map[string]any), found)
	}
	for name := range below {
		if properties[name] == nil {
			found[path+"."+name+" is in values.yaml alone"] = nil
		}
	}
}

// told reports whether the README has one row for a value with keys that Kubernetes has named.
func told(path string) bool {
	return strings.HasSuffix(path, "Probe") || strings.HasSuffix(path, "esources") || path == "httpRoute.timeouts" || path == "config"
}

// TestVersion: the chart installs the newest version that the changelog has.
func TestVersion(t *testing.T) {
	newest := regexp.MustCompile(`(?m)^## (\d+\.\d+\.\d+)`).FindStringSubmatch(read(t, "..", "..", "CHANGELOG.md"))
	if newest == nil {
		t.Skip("the changelog has no version yet")
	}
	if chart := read(t, "..", "..", "charts", "chartserve", "Chart.yaml"); !strings.Contains(chart, "\nappVersion: \""+newest[1]+"\"\n") {
		t.Errorf("the newest version is %s, the chart is for another:\n%s", newest[1], chart)
	}
}
