package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"chartserve/test/corpus/gen"

	"github.com/google/go-cmp/cmp"
)

// imageList is what `chartserve images --output json` prints.
type imageList struct {
	Images []struct {
		Image   string
		Sources []struct{ Chart, File, Key, From string }
	}
	Undecided []struct{ Chart, File, Key, Value string }
}

// named gives the images that come from values, or from manifests, by chart; the
// chart "" has all.
func (l imageList) named(from string) map[string][]string {
	all := map[string][]string{}
	for _, i := range l.Images {
		for _, s := range i.Sources {
			if s.From != from {
				continue
			}
			for _, chart := range []string{"", s.Chart} {
				if !slices.Contains(all[chart], i.Image) {
					all[chart] = append(all[chart], i.Image)
				}
			}
		}
	}
	return all
}

func listImages(t *testing.T, args ...string) imageList {
	t.Helper()
	r := serveTool(t, t.TempDir(), append([]string{"images", "--output", "json"}, args...)...)
	if !r.ok() {
		t.Fatalf("chartserve images: exit %d\n%s", r.code, r.stderr)
	}
	var l imageList
	must(t, json.Unmarshal([]byte(r.stdout), &l))
	return l
}

// TestImagesOfTaco: the images that the values of the generated tree name are
// those that its charts render, and of each chart none is missing. (A chart's
// images.tags also has some that only others use.)
func TestImagesOfTaco(t *testing.T) {
	dir := plant(t, gen.TacoV2(seed))
	for _, name := range []string{"helm3", "helm4"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := listImages(t, "--render", "--helm", helm(t, name).path, dir)
			values, rendered := l.named("values"), l.named("rendered")
			if len(rendered[""]) < 50 {
				t.Errorf("%d images rendered, which is too few to show anything", len(rendered[""]))
			}
			if diff := cmp.Diff(rendered[""], values[""]); diff != "" {
				t.Errorf("images (-rendered +values):\n%s", diff)
			}
			for chart, list := range rendered {
				for _, image := range list {
					if !slices.Contains(values[chart], image) {
						t.Errorf("%s renders %s, which its values do not name", chart, image)
					}
				}
			}
			if len(l.Undecided) > 0 {
				t.Errorf("undecided: %v", l.Undecided)
			}
		})
	}
}

// TestImagesOfSubcharts: values that parents give are coalesced as Helm does it.
// (A chart below one that stands there under two names is left out: Helm 3 renders
// it once, with the values of one of them.)
func TestImagesOfSubcharts(t *testing.T) {
	const image = `{{ with .Values.image }}{{ if .registry }}{{ $.Values.global.imageRegistry | default .registry }}/{{ end }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}`
	pod := "kind: Pod\napiVersion: v1\nmetadata: {name: {{ .Chart.Name }}}\nspec: {containers: [{name: a, image: " + image + "}]}\n"
	chart := files{
		"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: v7\ndependencies:\n" +
			"- {name: db, version: 1.0.0}\n- {name: db, version: 1.0.0, alias: store, condition: store.enabled}\n" +
			"- {name: db, version: 1.0.0, alias: gone, condition: gone.enabled}\n- {name: db, version: 1.0.0, alias: cache, tags: [all]}\n",
		"web/values.yaml": "global: {imageRegistry: m.example.com}\nimage: {registry: docker.io, repository: org/web}\n" +
			"store: {enabled: true, image: {tag: '2'}}\ngone: {enabled: false}\ncache: {image: {repository: org/cache, tag: ''}}\ntags: {all: true}\n" +
			"db: {global: {imageRegistry: never.example.com}}\nmid: {low: {image: {tag: '5'}}}\n",
		"web/templates/pod.yaml":                       pod,
		"web/charts/db/Chart.yaml":                     "apiVersion: v2\nname: db\nversion: 1.0.0\nappVersion: v9\n",
		"web/charts/db/values.yaml":                    "image: {registry: docker.io, repository: org/db, tag: '1'}\n",
		"web/charts/db/templates/pod.yaml":             pod,
		"web/charts/mid/Chart.yaml":                    "apiVersion: v2\nname: mid\nversion: 1.0.0\n",
		"web/charts/mid/values.yaml":                   "low: {other: 1}\n",
		"web/charts/mid/charts/low/Chart.yaml":         "apiVersion: v2\nname: low\nversion: 1.0.0\n",
		"web/charts/mid/charts/low/values.yaml":        "image: {repository: org/low, tag: 1.20}\n",
		"web/charts/mid/charts/low/templates/pod.yaml": pod,
	}
	dir := filepath.Join(chart.write(t, t.TempDir()), "web")
	for _, name := range []string{"helm3", "helm4"} {
		l := listImages(t, "--render", "--helm", helm(t, name).path, dir)
		values, rendered := l.named("values")[""], l.named("rendered")[""]
		if len(rendered) != 5 {
			t.Errorf("%s: got %v, want 5 images", name, rendered)
		}
		if diff := cmp.Diff(rendered, values); diff != "" {
			t.Errorf("%s: images (-rendered +values):\n%s", name, diff)
		}
	}
}
