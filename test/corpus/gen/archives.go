package gen

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// versionsPerChart is how many archives one chart name has in a repository.
const versionsPerChart = 20

// Archives makes the packaged charts of a repository, one at a time. The i-th
// archive is the same however many are made, so that a repository of 10,000 is
// part of one of 100,000. Safe for concurrent use.
type Archives struct {
	seed uint64
	// stanzas are manifests and scripts that templates are put together from. Making
	// text for each archive would take longer than packing it.
	stanzas []string
	zips    sync.Pool
}

// How well the parts of an archive compress, measured.
const (
	valuesRatio   = 3.6
	templateRatio = 5.5
)

// NewArchives prepares the archives of seed.
func NewArchives(seed uint64) *Archives {
	r := seeded(seed, "archives/stanzas")
	a := &Archives{seed: seed, zips: sync.Pool{New: func() any { return gzip.NewWriter(nil) }}}
	for range 40 {
		for _, s := range sections("charts.txtar") {
			name, part := r.words(2, "-"), r.word()
			a.stanzas = append(a.stanzas, fill(s.text, map[string]string{
				"name": name, "name_": underscored(name), "part": part, "part_": part, "type": r.word(),
				"helper": r.word(), "policyAPI": "policy/v1", "batchAPI": "batch/v1", "bin": r.word(),
			}), shell(r, r.between(200, 800)))
		}
	}
	return a
}

// Identity is the name and version of the i-th archive.
func (a *Archives) Identity(i int) (name, version string) {
	chart, v := i/versionsPerChart, i%versionsPerChart
	first := chart % len(words)
	second := (chart/len(words) + 7*first) % len(words)
	name = words[first] + "-" + words[second]
	if round := chart / (len(words) * len(words)); round > 0 {
		name = fmt.Sprintf("%s-%d", name, round)
	}
	switch v {
	case 11:
		return name, "2.0.0-rc.1"
	case 12, 13: // two builds of one version
		return name, "1.3.0+" + seeded(a.seed, fmt.Sprint("build/", i)).hex(9)
	}
	return name, fmt.Sprintf("1.%d.%d", v/4, v%4)
}

// Archive is the i-th archive: its file name and its bytes, 5 to 40 KB.
func (a *Archives) Archive(i int) (file string, data []byte) {
	name, version := a.Identity(i)
	at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Minute)
	return name + "-" + version + ".tgz", a.pack(a.members(name, version, i%versionsPerChart), at)
}

// members are the files of the v-th version of a chart. Sizes are spread evenly
// over their logarithm: many small charts, few big ones, and values.yaml grows
// with the chart.
func (a *Archives) members(name, version string, v int) []member {
	r := seeded(a.seed, "archives/"+name)
	list := []member{{name + "/Chart.yaml", []byte(metadata(r, name, version))}}
	place := float64(r.n(1000)) / 1000
	left := 4300 * math.Pow(7.4, place)
	add := func(file, data string, ratio float64) {
		list = append(list, member{name + "/" + file, []byte(data)})
		left -= float64(len(data)) / ratio
	}
	size := int(2000 * math.Pow(29, min(max(0, place+float64(r.n(400)-200)/1000), 1)))
	// Half of the new versions of real charts bring another values.yaml, and an
	// eighth of their other files are new.
	add("values.yaml", a.settings(name, a.revision(name, "values", v, 50), size), valuesRatio)
	if r.n(12) == 0 {
		add("values.schema.json", schema(a.revision(name, "schema", v, 15), r.between(5, 40)), templateRatio)
	}
	if r.n(8) == 0 {
		sub := []string{"common", "mariadb", "memcached", "postgresql", "rabbitmq", "redis"}[r.n(6)]
		add("requirements.yaml", "dependencies:\n  - name: "+sub+"\n    version: 1.2.3\n    repository: https://charts.example.org/stable\n", 2)
		own := seeded(a.seed, "archives/charts/"+sub)
		add("charts/"+sub+"/Chart.yaml", metadata(own, sub, "1.2.3"), 2)
		add("charts/"+sub+"/values.yaml", a.settings(sub, own, 2500), valuesRatio)
		add("charts/"+sub+"/templates/"+sub+".yaml", a.template(own, 2), templateRatio)
	}
	add("README.md", restructured(a.revision(name, "README.md", v, 20), name, r.between(600, 2500+int(left/4))), 3)
	for n := 0; left > 0 || n == 0; n++ {
		file := fmt.Sprintf("templates/%s-%02d.yaml", r.word(), n)
		add(file, a.template(a.revision(name, file, v, 13), r.between(1, 4)), templateRatio)
	}
	return list
}

// revision is the stream of numbers for a file of the v-th version of a chart.
// Each version before it has changed the file with a likelihood of percent.
func (a *Archives) revision(name, file string, v, percent int) *source {
	r, revision := seeded(a.seed, "archives/"+name+"/"+file), 0
	for i := range v {
		if r.n(100) < percent {
			revision = i + 1
		}
	}
	return seeded(a.seed, fmt.Sprintf("archives/%s/%s/%d", name, file, revision))
}

// settings is a values.yaml of size bytes. The authors of a chart keep their
// manner.
func (a *Archives) settings(name string, r *source, size int) string {
	write := seeded(a.seed, "archives/"+name+"/manner")
	m := configured(write)
	if write.n(2) == 0 {
		m = documented(write)
	}
	w := &writer{}
	fmt.Fprintf(w, "# Default values for %s.\n# This is a YAML-formatted file.\n# Declare variables to be passed into your templates.\n", name)
	w.mapping(r, m, 0, size, size)
	return w.String()
}

// template is one file of n stanzas.
func (a *Archives) template(r *source, n int) string {
	var b strings.Builder
	b.WriteString(templateLicense)
	for range n {
		b.WriteString(a.stanzas[r.n(len(a.stanzas))])
	}
	return b.String()
}

// schema is a values.schema.json that any values pass.
func schema(r *source, n int) string {
	var properties []string
	for i := range n {
		properties = append(properties, fmt.Sprintf("    \"%s%d\": {\n      \"title\": %q,\n      \"description\": %q\n    }", r.word(), i, r.words(2, " "), r.sentence(50)))
	}
	return "{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n  \"type\": \"object\",\n  \"properties\": {\n" + strings.Join(properties, ",\n") + "\n  }\n}\n"
}

// pack is the function pack with a compressor from an earlier archive.
func (a *Archives) pack(list []member, at time.Time) []byte {
	zw := a.zips.Get().(*gzip.Writer)
	defer a.zips.Put(zw)
	var out bytes.Buffer
	zw.Reset(&out)
	must(writeTar(zw, list, at))
	must(zw.Close())
	return out.Bytes()
}

func metadata(r *source, name, version string) string {
	var b strings.Builder
	// v1, because Helm 2 and its server skip any other.
	fmt.Fprintf(&b, "apiVersion: v1\nname: %s\nversion: %s\n", name, version)
	fmt.Fprintf(&b, "appVersion: \"%d.%d\"\ndescription: %s\n", r.n(20), r.n(30), r.sentence(r.between(30, 90)))
	fmt.Fprintf(&b, "home: https://docs.example.org/%s\nicon: https://docs.example.org/%s.svg\n", name, name)
	fmt.Fprintf(&b, "keywords:\n  - %s\n  - %s\n", r.word(), r.word())
	fmt.Fprintf(&b, "maintainers:\n  - name: %s\n    email: %s@example.org\n", r.word(), r.word())
	fmt.Fprintf(&b, "sources:\n  - https://code.example.org/%s\n", name)
	switch r.n(10) {
	case 0:
		b.WriteString("deprecated: true\n")
	case 1, 2:
		b.WriteString("kubeVersion: \">= 1.23.0-0\"\n")
	case 3:
		fmt.Fprintf(&b, "annotations:\n  category: %s\n", r.word())
	}
	return b.String()
}

// WriteArchives writes the first n archives of seed into dir, made where it is
// missing, on all cores, and returns how many bytes they are.
func WriteArchives(dir string, n int, seed uint64) (int64, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, fmt.Errorf("write archives: %w", err)
	}
	a := NewArchives(seed)
	workers := runtime.GOMAXPROCS(0)
	type result struct {
		bytes int64
		err   error
	}
	results := make(chan result, workers)
	for w := range workers {
		go func() {
			var r result
			for i := w; i < n && r.err == nil; i += workers {
				name, data := a.Archive(i)
				r.bytes += int64(len(data))
				r.err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
			}
			results <- r
		}()
	}
	var total int64
	var err error
	for range workers {
		r := <-results
		total += r.bytes
		if r.err != nil {
			err = fmt.Errorf("write archives: %w", r.err)
		}
	}
	return total, err
}
