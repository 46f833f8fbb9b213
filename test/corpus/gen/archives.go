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
	// pool is the text that files are cut from, as lines of poolLine bytes. Making
	// text for each archive would take longer than packing it.
	pool []byte
	zips sync.Pool
}

const (
	poolLine  = 64
	poolLines = 1 << 15
	// poolRatio is how well the pool compresses at level 1, measured.
	poolRatio = 3.3
)

// NewArchives prepares the archives of seed.
func NewArchives(seed uint64) *Archives {
	r := seeded(seed, "archives/pool")
	var pool bytes.Buffer
	for range poolLines {
		line := "    " + r.words(r.between(1, 2), "_") + ": " + r.words(r.between(1, 5), " ")
		if r.n(12) == 0 {
			line = "    digest: " + r.hex(32)
		}
		line = (line + strings.Repeat(" ", poolLine))[:poolLine-1]
		pool.WriteString(line + "\n")
	}
	return &Archives{seed: seed, pool: pool.Bytes(), zips: sync.Pool{New: func() any {
		zw, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
		must(err)
		return zw
	}}}
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
	chart := seeded(a.seed, "archives/"+name)
	own := seeded(a.seed, fmt.Sprint("archives/", i))
	// Sizes are spread evenly over their logarithm: many small charts, few big ones.
	target := 5600 * math.Pow(7.2, float64(chart.n(1000))/1000)
	left := int(target * poolRatio)

	list := []member{{name + "/Chart.yaml", []byte(metadata(chart, name, version))}}
	list = append(list, member{name + "/values.yaml", append([]byte("replicas: 1\ndefaults: |\n"), a.cut(own, min(left/5, 8000))...)})
	left -= len(list[1].data)
	for n := 0; left > poolLine; n++ {
		// One template in four changes between versions, as in life.
		r := chart
		if n%4 == 3 {
			r = own
		}
		head := fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-%d\ndata:\n  text: |\n", n)
		body := append([]byte(head), a.cut(r, min(left, r.between(500, 6000)))...)
		list = append(list, member{fmt.Sprintf("%s/templates/configmap-%02d.yaml", name, n), body})
		left -= len(body)
	}
	at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Minute)
	return name + "-" + version + ".tgz", a.fastPack(list, at)
}

// cut takes n bytes of text out of the pool, in whole lines.
func (a *Archives) cut(r *source, n int) []byte {
	lines := max(1, n/poolLine)
	start := r.n(poolLines-lines) * poolLine
	return a.pool[start : start+lines*poolLine : start+lines*poolLine]
}

// fastPack is pack at the lowest level.
func (a *Archives) fastPack(list []member, at time.Time) []byte {
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
// missing, on all cores, and tells how many bytes they are.
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
