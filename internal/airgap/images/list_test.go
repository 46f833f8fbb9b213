package images

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sample is a list of two charts, put together in one of two orders.
func sample(t *testing.T, reverse bool) *List {
	t.Helper()
	web := load(t, files{
		"values.yaml":           "image: example.com/b:2\ntool:\n  repository: a\n  tag: '1.0'\nbad: {image: x}\npinned: {image: \"c:9@" + digest + "\"}\n",
		"Chart.yaml":            meta("web", "dependencies:\n- name: db\n  version: 1.0.0\n  condition: db.enabled\n"),
		"charts/db/Chart.yaml":  meta("db", ""),
		"charts/db/values.yaml": "enabled: false\nimage: only.example.com/db:1\ntool: {repository: a, tag: '1.0'}\n",
	})
	other := load(t, files{"Chart.yaml": meta("other", ""), "values.yaml": "image: a:1.0\ncImage: c:8@" + digest + "\n"})
	l := new(List)
	add := []func(){
		func() { l.Add(Find(web)) },
		func() { l.Add(Find(other)) },
		func() { l.Add(Find(other)) }, // the same chart again
		func() {
			l.Add(Manifests(other, []byte("# Source: other/templates/p.yaml\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{image: a:1.0}]}\n")))
		},
	}
	for i := range add {
		if reverse {
			i = len(add) - 1 - i
		}
		add[i]()
	}
	return l
}

func TestListForms(t *testing.T) {
	const text = "docker.io/library/a:1.0\ndocker.io/library/c@" + digest + "\nexample.com/b:2\nonly.example.com/db:1\n"
	const sync = `docker.io:
  images:
    library/a:
    - "1.0"
    library/c:
    - ` + digest + `
example.com:
  images:
    b:
    - "2"
only.example.com:
  images:
    db:
    - "1"
`
	for _, reverse := range []bool{false, true} {
		l := sample(t, reverse)
		var b strings.Builder
		must(t, l.WriteText(&b))
		if diff := cmp.Diff(text, b.String()); diff != "" {
			t.Errorf("text (-want +got):\n%s", diff)
		}
		b.Reset()
		must(t, l.WriteYAML(&b))
		if diff := cmp.Diff(sync, b.String()); diff != "" {
			t.Errorf("yaml (-want +got):\n%s", diff)
		}
	}
}

func TestListJSON(t *testing.T) {
	var a, b strings.Builder
	must(t, sample(t, false).WriteJSON(&a, []Failure{{Chart: "charts/x", Reason: "no <network>"}}))
	must(t, sample(t, true).WriteJSON(&b, []Failure{{Chart: "charts/x", Reason: "no <network>"}}))
	if diff := cmp.Diff(a.String(), b.String()); diff != "" {
		t.Errorf("another order, another list:\n%s", diff)
	}
	var got struct {
		Images    []Entry
		Undecided []Undecided
		Failures  []Failure
	}
	must(t, json.Unmarshal([]byte(a.String()), &got))
	if n := len(got.Images); n != 4 {
		t.Fatalf("got %d images, want 4", n)
	}
	want := Entry{
		Image: "docker.io/library/a:1.0", Registry: "docker.io", Repository: "library/a", Tag: "1.0",
		Sources: []Origin{
			{Chart: "other", Version: "1.0.0", File: "templates/p.yaml", Key: "Pod/p spec.containers[0].image", From: "rendered"},
			{Chart: "other", Version: "1.0.0", File: "values.yaml", Key: "image", From: "values"},
			{Chart: "web", Version: "1.0.0", File: "charts/db/values.yaml", Key: "db.tool.repository", From: "values", Disabled: true},
			{Chart: "web", Version: "1.0.0", File: "values.yaml", Key: "tool.repository", From: "values"},
		},
	}
	if diff := cmp.Diff(want, got.Images[0]); diff != "" {
		t.Errorf("first image (-want +got):\n%s", diff)
	}
	if c := got.Images[1]; c.Tag != "8" || c.Digest != digest {
		t.Errorf("an image with a digest: got tag %q and digest %q", c.Tag, c.Digest)
	}
	if !got.Images[3].Disabled || got.Images[0].Disabled {
		t.Error("disabled: want it where no chart has the image enabled, and only there")
	}
	doubt := []Undecided{{Origin: Origin{Chart: "web", Version: "1.0.0", File: "values.yaml", Key: "bad.image", From: "values"}, Value: "x", Reason: "no tag and no digest"}}
	if diff := cmp.Diff(doubt, got.Undecided); diff != "" {
		t.Errorf("undecided (-want +got):\n%s", diff)
	}
	if !strings.Contains(a.String(), `"no <network>"`) || len(got.Failures) != 1 {
		t.Errorf("failures: got %v", got.Failures)
	}
}

// TestEmptyList: no image is an empty list in each form, not null.
func TestEmptyList(t *testing.T) {
	var text, yaml, js strings.Builder
	l := new(List)
	must(t, l.WriteText(&text))
	must(t, l.WriteYAML(&yaml))
	must(t, l.WriteJSON(&js, nil))
	if text.String() != "" || yaml.String() != "{}\n" || strings.Contains(js.String(), "null") {
		t.Errorf("got %q, %q, %q", &text, &yaml, &js)
	}
}
