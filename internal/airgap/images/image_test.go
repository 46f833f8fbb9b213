package images

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		glob, image string
		want        bool
	}{
		{"docker.io/library/nginx:1.25", "nginx:1.25", true},
		{"docker.io/library/nginx", "nginx:1.25", true},
		{"docker.io", "nginx:1.25", true},
		{"quay.io/*", "quay.io/a/b:1", true},
		{"quay.io/*/b", "quay.io/a/b:1", true},
		{"*/*/*:1", "quay.io/a/b:1", true},
		{"host:5000/x", "host:5000/x/y:1", true},
		{"host", "host:5000/x/y:1", true},
		{"quay.io/a/b", "quay.io/a/b@" + digest, true},
		{"quay.io/a/b:1", "quay.io/a/b:1@" + digest, true},
		{"quay.io/a/b@" + digest, "quay.io/a/b:1@" + digest, true},
		{"nginx", "nginx:1.25", false},
		{"quay.i", "quay.io/a/b:1", false},
		{"quay.io/a/b:2", "quay.io/a/b:1", false},
		{"[", "quay.io/a/b:1", false},
	} {
		i, err := Named(c.image)
		must(t, err)
		if got := i.Matches(c.glob); got != c.want {
			t.Errorf("%s, %s: got %v, want %v", c.glob, c.image, got, c.want)
		}
	}
}

// TestFinderValues: values files are laid over a chart's own as helm install -f does it
// (Helm 2.17, 3.22 and 4.3 alike): later ones win, null takes away, also from sub-charts.
func TestFinderValues(t *testing.T) {
	c := load(t, files{
		"values.yaml":           "image: a:1\nbImage: b:1\ncImage: c:1\ndb: {eImage: e:2, none: {image: f:1}}\n",
		"charts/db/Chart.yaml":  meta("db", ""),
		"charts/db/values.yaml": "dImage: d:1\neImage: e:1\n",
		"templates/a.yaml":      "image: {{ .Values.hub }}/x:1\n",
	})
	f := Finder{Values: []Values{
		{Table: table{"image": "a:2", "bImage": "b:2", "hub": "reg.io/a"}},
		{Chart: "other", Table: table{"image": "no:1"}},
		{Chart: "web", Table: table{"bImage": "b:3", "cImage": nil, "db": table{"dImage": nil, "gImage": "g:1", "none": nil}}},
	}}
	want := []string{"line 1 reg.io/a/x:1", "bImage docker.io/library/b:3", "image docker.io/library/a:2", "db.eImage docker.io/library/e:2", "db.gImage docker.io/library/g:1"}
	for range 2 { // what is kept of the first does not change
		if diff := cmp.Diff(want, short(f.Find(c))); diff != "" {
			t.Errorf("images (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(table{"image": "a:2", "bImage": "b:2", "hub": "reg.io/a"}, f.Values[0].Table); diff != "" {
		t.Errorf("the values were changed (-want +got):\n%s", diff)
	}
}
