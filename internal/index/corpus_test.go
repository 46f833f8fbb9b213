package index

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"chartserve/internal/chart"
)

// words make descriptions that compress about as well as real ones.
var words = []string{
	"OpenStack", "service", "chart", "for", "Kubernetes", "deploys", "the", "database", "cluster", "of", "a",
	"highly", "available", "message", "queue", "with", "persistent", "volumes", "and", "metrics", "exporter",
	"identity", "compute", "network", "block", "storage", "image", "dashboard", "ingress", "controller", "backup",
}

// metadata is like what charts in public repositories have: 600 to 1,200 bytes an
// entry.
func metadata(name, version string) *chart.Metadata {
	sum := sha256.Sum256([]byte(name))
	rnd := rand.New(rand.NewChaCha8(sum))
	md := &chart.Metadata{
		APIVersion: "v2", Name: name, Version: version, AppVersion: version,
		Type: "application",
		Home: "https://docs.example.org/charts/" + name + "/latest/",
		Icon: "https://static.example.org/logos/" + name + ".png",
	}
	for range 8 + rnd.IntN(8) {
		md.Description += words[rnd.IntN(len(words))] + " "
	}
	md.Description = md.Description[:len(md.Description)-1]
	for range rnd.IntN(5) {
		md.Keywords = append(md.Keywords, words[rnd.IntN(len(words))])
	}
	md.Sources = []string{"https://git.example.org/" + name, "https://git.example.org/charts"}
	md.Maintainers = []*chart.Maintainer{{Name: "The Chart Authors", Email: "charts@example.org"}}
	if rnd.IntN(2) == 0 {
		md.Dependencies = []*chart.Dependency{{Name: "helm-toolkit", Version: ">= 0.1.0", Repository: "file://../helm-toolkit"}}
	}
	if rnd.IntN(4) == 0 {
		md.Annotations = map[string]string{"category": words[rnd.IntN(len(words))], "licenses": "Apache-2.0"}
	}
	return md
}

func entry(tb testing.TB, md *chart.Metadata) *Entry {
	tb.Helper()
	sum := sha256.Sum256([]byte(md.Name + md.Version + md.Description))
	created := time.Date(2020, 1, 1, 0, 0, int(sum[0])<<16|int(sum[1])<<8, 0, time.UTC)
	e, err := NewEntry(md, FileURL("", md.ArchiveName()), hex.EncodeToString(sum[:]), created)
	if err != nil {
		tb.Fatalf("NewEntry(%s): %v", md.Name, err)
	}
	return e
}

// corpus is a repository of n versions, a number of them for each chart.
func corpus(tb testing.TB, n, versions int) map[string][]*Entry {
	tb.Helper()
	charts := make(map[string][]*Entry)
	for i := range n {
		name := fmt.Sprintf("chart-%05d", i/versions)
		charts[name] = append(charts[name], entry(tb, metadata(name, fmt.Sprintf("1.%d.%d", i%versions/10, i%versions%10))))
	}
	return charts
}

func build(f Format, charts map[string][]*Entry) *Builder {
	b := NewBuilder(f)
	for name, entries := range charts {
		b.Set(name, entries)
	}
	return b
}
