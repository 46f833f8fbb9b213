package index

import (
	"encoding/json"
	"fmt"
	"testing"

	"sigs.k8s.io/yaml"
)

// perChart is how many versions a chart of the benchmarks has.
const perChart = 10

// BenchmarkEncodeOneChange is one archive added to a repository of many.
func BenchmarkEncodeOneChange(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			charts := corpus(b, n, perChart)
			builder := build(Auto, charts)
			size := len(builder.Encode().JSON.Data.Bytes())
			name := fmt.Sprintf("chart-%05d", n/perChart/2)
			base := charts[name]
			var added []*Entry
			for i := range 100 {
				added = append(added, entry(b, metadata(name, fmt.Sprintf("2.0.%d", i))))
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; b.Loop(); i++ {
				builder.Set(name, append(base[:perChart:perChart], added[i%len(added)]))
				builder.Encode()
			}
		})
	}
}

// BenchmarkEncodeAll is the first index after a start.
func BenchmarkEncodeAll(b *testing.B) {
	for _, format := range []Format{YAML, JSON} {
		b.Run(string(format), func(b *testing.B) {
			charts := corpus(b, 10_000, perChart)
			b.SetBytes(int64(len(build(format, charts).Encode().YAML.Data.Bytes())))
			b.ReportAllocs()
			for b.Loop() {
				build(format, charts).Encode()
			}
		})
	}
}

func BenchmarkNewEntry(b *testing.B) {
	md := metadata("chart-00001", "1.2.3")
	url, e := FileURL("", md.ArchiveName()), entry(b, md)
	b.SetBytes(int64(len(e.Record)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewEntry(md, url, e.Digest, e.Created); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEntryYAML(b *testing.B) {
	e := entry(b, metadata("chart-00001", "1.2.3"))
	piece := makePieces(e.Name, []*Entry{e})[0]
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(e.Record)))
		for b.Loop() {
			piece.yaml()
		}
	})
	b.Run("sigs", func(b *testing.B) {
		b.SetBytes(int64(len(e.Record)))
		for b.Loop() {
			if _, err := yaml.JSONToYAML(e.Record); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	e := build(YAML, corpus(b, 10_000, perChart)).Encode()
	b.Run("json", func(b *testing.B) {
		data := e.JSON.Data.Bytes()
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Decode(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		data := e.JSON.Data.Bytes()
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			var f struct{ Entries map[string][]record }
			if err := json.Unmarshal(data, &f); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("yaml", func(b *testing.B) {
		data := e.YAML.Data.Bytes()
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Decode(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
