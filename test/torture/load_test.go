//go:build linux

package torture

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartserve/test/corpus/gen"
)

// TestConsistencyUnderLoad has many clients fetch the index, and then a random
// archive of it, while all charts change once a second. With content addresses in
// the index, what is fetched is always what the index promised.
func TestConsistencyUnderLoad(t *testing.T) {
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	must(t, gen.TacoV2(1).Write(tree))
	s := serve(t, filepath.Join(dir, "repo"), "--digest-urls", tree)
	random := newRandom(t)

	l := &load{base: s.url, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 200}}}
	end := time.Now().Add(pick(15*time.Second, time.Minute))
	var clients sync.WaitGroup
	for range 200 {
		own := rand.New(rand.NewPCG(random.Uint64(), 1))
		clients.Go(func() {
			for time.Now().Before(end) {
				l.fetch(own)
			}
		})
	}
	toolkit, edits := filepath.Join(tree, "helm-toolkit", "templates", "_torture.tpl"), 0
	for tick := time.NewTicker(time.Second); time.Now().Before(end); <-tick.C {
		edits++
		must(t, os.WriteFile(toolkit, fmt.Appendf(nil, "{{- define \"torture\" -}}%d{{- end -}}\n", edits), 0o644))
	}
	clients.Wait()
	for _, p := range l.problems {
		t.Error(p)
	}
	t.Logf("%d fetches by 200 clients, %d different indexes seen while %d edits changed 80 charts, %d problems",
		l.count.Load(), len(l.indexes), edits, len(l.problems))
	if len(l.indexes) < 3 {
		t.Error("hardly anything changed: this tested nothing")
	}
	want := cleanBuild(t, "--digest-urls", tree)
	until(t, settleTime, func() error {
		if _, body := s.get("index.yaml"); string(body) != string(want.raw) {
			return fmt.Errorf("the index is not that of a clean build")
		}
		return nil
	})
}

type load struct {
	base   string
	client *http.Client
	count  atomic.Int64

	mu       sync.Mutex
	indexes  map[string]index // by ETag
	problems []string
}

func (l *load) problem(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.problems) < 20 {
		l.problems = append(l.problems, fmt.Sprintf(format, args...))
	}
}

func (l *load) get(path string) (http.Header, []byte, bool) {
	resp, err := l.client.Get(l.base + "/" + path)
	if err != nil {
		l.problem("%s: %v", path, err)
		return nil, nil, false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		l.problem("%s answers %d, %v", path, resp.StatusCode, err)
		return nil, nil, false
	}
	return resp.Header, body, true
}

// fetch does what a Helm client does.
func (l *load) fetch(random *rand.Rand) {
	header, body, ok := l.get("index.yaml")
	if !ok {
		return
	}
	x, err := l.parsed(header.Get("ETag"), body)
	if err != nil {
		l.problem("index.yaml: %v", err)
		return
	}
	entries := make([]entry, 0, len(x))
	for _, e := range x {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.Name+a.Version, b.Name+b.Version) })
	e := entries[random.IntN(len(entries))]
	if _, body, ok = l.get(e.URL); ok && digest(body) != e.Digest {
		l.problem("%s has digest %s", e.URL, digest(body))
	}
	l.count.Add(1)
}

// parsed parses each index once, to leave the machine to the server.
func (l *load) parsed(etag string, body []byte) (index, error) {
	key := etag + digest(body)
	l.mu.Lock()
	x := l.indexes[key]
	l.mu.Unlock()
	if x != nil {
		return x, nil
	}
	x, err := parseIndex(body)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.indexes == nil {
		l.indexes = map[string]index{}
	}
	l.indexes[key] = x
	return x, nil
}
