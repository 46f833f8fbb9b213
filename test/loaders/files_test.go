package loaders

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"chartserve/internal/pkgr"
)

var metadataKeys = []string{
	"name", "version", "apiVersion", "description", "home", "icon", "type", "appVersion", "kubeVersion", "deprecated", "condition", "tags",
	"keywords", "sources", "maintainers", "annotations", "dependencies", "engine", "tillerVersion", "unknown", "urls", "created", "digest", "url",
}

// TestMetadata spoils Chart.yaml.
func TestMetadata(t *testing.T) {
	texts(t, 2000, func(r *rand.Rand) []member {
		return []member{file("c/Chart.yaml", rewritten(r, someMetadata(r), metadataKeys)), file("c/values.yaml", "a: 1\n")}
	})
}

// TestRequirements spoils requirements.yaml, beside a Chart.yaml that may have
// dependencies, too.
func TestRequirements(t *testing.T) {
	keys := append([]string{"dependencies", "dependencies", "alias", "repository", "import-values", "enabled"}, metadataKeys...)
	texts(t, 1500, func(r *rand.Rand) []member {
		return []member{file("c/Chart.yaml", someMetadata(r)), file("c/requirements.yaml", rewritten(r, someDependencies(r), keys))}
	})
}

// TestValues spoils values.yaml, of the chart or of one in it.
func TestValues(t *testing.T) {
	keys := []string{"a", "b", "c", "global", "1", "true", "<<"}
	texts(t, 2000, func(r *rand.Rand) []member {
		values := rewritten(r, pick(r, "a: 1\nb: {c: 2}\n", "a: &a {b: 1}\nb: *a\n", "a: 1\n---\nb: 2\n", "# nothing\n", "a:\n- 1\n- {b: 2}\n", "---\na: 1\n...\n", "a: |\n  x\n  ---\n  y\nb: 1\n", "a: \"x\n\n  y\"\n"), keys)
		return []member{file("c/Chart.yaml", "name: c\nversion: 1.0.0\n"), file(pick(r, "c/values.yaml", "c/charts/s/values.yaml"), values), file("c/charts/s/Chart.yaml", "name: s\nversion: 1.0.0\n")}
	})
}

// TestLocks spoils Chart.lock and requirements.lock.
func TestLocks(t *testing.T) {
	keys := []string{"dependencies", "digest", "generated", "name", "unknown"}
	texts(t, 1000, func(r *rand.Rand) []member {
		lock := rewritten(r, "dependencies:\n- name: s\n  version: 1.0.0\n  repository: http://a\ndigest: sha256:0\ngenerated: \"2020-01-01T00:00:00.5+01:00\"\n", keys)
		return []member{file("c/Chart.yaml", pick(r, "name: c\nversion: 1.0.0\n", "apiVersion: v2\nname: c\nversion: 1.0.0\n")), file(pick(r, "c/Chart.lock", "c/requirements.lock"), lock)}
	})
}

// TestSchemas spoils values.schema.json, which the loaders do not look into.
func TestSchemas(t *testing.T) {
	texts(t, 300, func(r *rand.Rand) []member {
		schema := pick(r, "{}", "{\"type\": \"object\"}", "", "null", "[]", "{", "{a: 1}", "{\"$ref\": \"http://a\"}", "\ufeff{}", "{\"type\": 1}", "{} {}", "\xff")
		return []member{file("c/Chart.yaml", "name: c\nversion: 1.0.0\n"), file(pick(r, "c/values.schema.json", "c/charts/s/values.schema.json"), spliced(r, schema)), file("c/charts/s/Chart.yaml", "name: s\nversion: 1.0.0\n")}
	})
}

// texts compares charts whose files make returns.
func texts(t *testing.T, n int, make func(r *rand.Rand) []member) {
	t.Helper()
	k := pkgr.NewChecker(pkgr.Limits{})
	compare(t, n, func(r *rand.Rand) (outcome, error) {
		members := make(r)
		o, err := archive(k, gzipped(tarOf(members)))
		o.what = fmt.Sprint(members)
		return o, err
	})
}

// someMetadata is a good Chart.yaml.
func someMetadata(r *rand.Rand) string {
	s := pick(r, "apiVersion: v2\n", "apiVersion: v1\n", "") + "name: c\nversion: 1.0.0\ndescription: mine\n"
	for range r.IntN(4) {
		s += pick(r, "appVersion: \"1\"\n", "keywords: [a, b]\n", "sources:\n- http://a\n- http://b\n", "maintainers:\n- name: m\n  email: m@a\n- {url: http://m}\n",
			"annotations:\n  a: b\n  c: \"1\"\n", fmt.Sprintf("annotations: {%s: x, %s: \"1\", a: b}\n", pick(r, "1", "'1'", "1.0", "yes", "'true'", "0x1", "b"), pick(r, "1", "'1'", "true", "c")), "deprecated: true\n", "kubeVersion: \">=1.20\"\n", "type: application\n", "home: http://h\nicon: http://i\n", "condition: a.b\ntags: x\n", someDependencies(r), "unknown: {a: [1]}\n", "engine: gotpl\n")
	}
	return s
}

func someDependencies(r *rand.Rand) string {
	return pick(r,
		"dependencies:\n- name: s\n  version: 1.0.0\n  repository: http://a\n",
		"dependencies:\n- {name: s, version: \"1\", repository: 'http://a', alias: b}\n- {name: s, version: \"2\", repository: '', alias: d, tags: [x], condition: s.on}\n",
		"dependencies:\n- name: s\n  version: ^1\n  repository: \"@r\"\n  import-values:\n  - a\n  - {child: b, parent: c}\n  enabled: true\n",
		"dependencies: []\n", "dependencies: null\n", "dependencies:\n", "{}\n", "# none\n")
}
