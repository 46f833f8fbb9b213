package httpapi

import (
	"fmt"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// usualChart is an archive of 30 KB: 40 templates, and a values.yaml of 350 lines with 250 keys.
func usualChart(t testing.TB) []byte {
	rnd := rand.New(rand.NewSource(1))
	word := func() string { return fmt.Sprintf("%06x", rnd.Intn(1<<24)) }
	words := func() string { return word() + word() + word() + word() + word() + word() + word() }
	files := map[string]string{"README.md": "# Usual\n\n" + strings.Repeat("It has options, and a table of them.\n", 40)}
	var values strings.Builder
	for i := range 50 {
		fmt.Fprintf(&values, "# What the component %d is for, in a line.\ncomponent%[1]d:\n  image: registry.example.org/%s/%s:%[1]d\n  # how many\n  replicas: 1\n  labels:\n    name: %s\n", i, word(), word(), word())
	}
	files["values.yaml"] = values.String()
	for i := range 40 {
		var b strings.Builder
		fmt.Fprintf(&b, "{{- if .Values.component%d.replicas }}\nkind: Deployment\nmetadata:\n  name: %s\nspec:\n  template:\n    spec:\n      containers:\n", i, word())
		for j := range 10 {
			fmt.Fprintf(&b, "        - name: %s\n          image: {{ .Values.component%d.image }}\n          args: [%q, %q]\n", word(), i+j, words(), words())
		}
		files[fmt.Sprintf("templates/part-%d.yaml", i)] = b.String() + "{{- end }}\n"
	}
	return chartArchive(t, "heat", "1.0.0", files)
}

// The pages of a chart, at first, when its archive has to be read, and again.
func BenchmarkPages(b *testing.B) {
	f := newFixture(b, Options{})
	archive := usualChart(b)
	f.heat = f.write("heat-1.0.0.tgz", string(archive))
	f.src.p.Store(f.snapshot(f.heat))
	fresh := func() http.Handler {
		h, err := New(f.src, Options{})
		if err != nil {
			b.Fatal(err)
		}
		return h
	}
	b.Logf("the archive has %d bytes", len(archive))
	for _, target := range []string{"", "values/", "files/", "files/templates/part-1.yaml/", "images/"} {
		for _, first := range []bool{true, false} {
			b.Run(fmt.Sprintf("/chart/heat/1.0.0/%s first=%v", target, first), func(b *testing.B) {
				b.ReportAllocs()
				r := httptest.NewRequest(http.MethodGet, "/chart/heat/1.0.0/"+target, nil)
				h := fresh()
				for b.Loop() {
					if first {
						b.StopTimer()
						h = fresh()
						b.StartTimer()
					}
					h.ServeHTTP(&sink{h: make(http.Header)}, r)
				}
			})
		}
	}
}
