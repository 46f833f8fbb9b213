package pkgr

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// benchValues is a values.yaml in the manner of openstack-helm's, about 500 bytes
// for each of n sections.
func benchValues(n int) string {
	var b strings.Builder
	b.WriteString("# Licensed under the Apache License, Version 2.0\n---\nrelease_group: null\n")
	for i := range n {
		fmt.Fprintf(&b, `section_%d:
  tags:
    bootstrap: docker.io/openstackhelm/heat:2024.1-ubuntu_jammy
    test: "docker.io/xrally/xrally-openstack:2.0.0"
  pull_policy: "IfNotPresent"
  exclude:
    - dep_check
    - image_repo_sync
  # NOTE: probes are the same for all
  probes: {}
  resources:
    enabled: false
    api:
      requests: { memory: "128Mi", cpu: "100m" }
  hosts:
  - name: public
    ports: [80, 443]
  script: |
    set -ex
    openstack token issue
      if true; then echo "x: y"; fi
`, i)
	}
	b.WriteString("...\n")
	return b.String()
}

// benchText compresses about as templates do.
func benchText(r *rand.Rand, n int) string {
	words := strings.Fields("{{- $envAll := . }} {{ tuple $envAll include helm-toolkit.snippets.kubernetes metadata: name: namespace: spec: containers: image: env: - valueFrom: secretKeyRef: key: value: | if range end toYaml indent 8 nindent quote volumes: mountPath: readOnly: true")
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(words[r.IntN(len(words))])
		if r.IntN(5) == 0 {
			fmt.Fprintf(&b, "\n%*s", 2*r.IntN(8), "")
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// benchChart is a chart of n templates with 2.5 KB each, and values.
func benchChart(name string, n int) tree {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	files := tree{
		"Chart.yaml":  "---\napiVersion: v2\nname: " + name + "\ndescription: A chart of the usual size\nversion: 0.1.0\nappVersion: v1.0.0\nhome: https://example.com/\nsources:\n  - https://example.com/a\n  - https://example.com/b\nmaintainers:\n  - name: Authors\n...\n",
		"values.yaml": benchValues(n / 2),
		"README.md":   benchText(r, 1000),
	}
	for i := range n {
		dir := []string{"", "bin/", "manifests/"}[i%3]
		files[fmt.Sprintf("templates/%s_file%d.tpl", dir, i)] = benchText(r, 2500)
	}
	return files
}

func benchTrees(b *testing.B) (leaf, toolkit string) {
	return newTreeDir(b, benchChart("leaf", 40)), newTreeDir(b, benchChart("helm-toolkit", 110))
}

func BenchmarkList(b *testing.B) {
	leaf, _ := benchTrees(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewChecker(Limits{}).List(leaf, []string{leaf}, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListLoad(b *testing.B) {
	leaf, _ := benchTrees(b)
	b.SetBytes(size(load(b, leaf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := loadIn(leaf, leaf, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPack(b *testing.B) {
	leaf, toolkit := benchTrees(b)
	c := load(b, leaf).WithSubcharts([]*Chart{load(b, toolkit)})
	p := NewPacker(time.Time{})
	b.SetBytes(size(c))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Pack(io.Discard, c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkContentKey(b *testing.B) {
	leaf, toolkit := benchTrees(b)
	c := load(b, leaf).WithSubcharts([]*Chart{load(b, toolkit)})
	b.ReportAllocs()
	for b.Loop() {
		c.ContentKey()
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{8, 40} {
		archive := pack(b, load(b, newTreeDir(b, benchChart("leaf", n))))
		k := NewChecker(Limits{})
		for how, check := range map[string]func(io.Reader) (*Info, error){"whole": k.Check, "structure": k.Structure} {
			b.Run(fmt.Sprintf("%s/%dKB", how, len(archive)/1000), func(b *testing.B) {
				r := bytes.NewReader(nil)
				b.SetBytes(int64(len(gunzip(b, archive))))
				b.ReportAllocs()
				for b.Loop() {
					r.Reset(archive)
					if _, err := check(r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkReadArchive(b *testing.B) {
	archive := pack(b, load(b, newTreeDir(b, benchChart("leaf", 40))))
	k := NewChecker(Limits{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Read(bytes.NewReader(archive)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValues(b *testing.B) {
	data := []byte(benchValues(50))
	k := NewChecker(Limits{})
	for name, f := range map[string]func() error{
		"parsed": func() error { _, err := checkValues(data); return err },
		"known":  func() error { _, err := k.values(newBudget(k.limits), data); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
