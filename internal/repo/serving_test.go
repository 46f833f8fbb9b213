package repo

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// Readers that wait for the next View get it, however many they are, and so do those of a
// subset.
func TestSuperseded(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	r := f.run()
	r.until("the index is compressed", func(map[string]string, Status) bool { return r.r.View().Index.YAML.Gzip.Len() > 0 })
	subset := NewSubset(func(string) bool { return true })
	// follow reads Views until one has the version.
	follow := func(version string) error {
		for deadline := time.After(15 * time.Second); ; {
			v := r.r.View()
			seen := subset.View(v)
			if v.Chart("a").Version(version) != nil {
				return nil
			}
			select {
			case <-seen.Superseded():
				if r.r.View() == v {
					return fmt.Errorf("%s: superseded by itself", version)
				}
			case <-deadline:
				return fmt.Errorf("%s: not seen", version)
			}
		}
	}
	before := r.r.View()
	var readers sync.WaitGroup
	for i := range 200 {
		readers.Go(func() {
			if err := follow(fmt.Sprintf("1.0.%d", 1+i%2)); err != nil {
				t.Error(err)
			}
		})
	}
	for _, version := range []string{"1.0.1", "1.0.2"} {
		f.add(chartFiles("a", "a", version))
		r.until(version, func(served map[string]string, _ Status) bool { return served["a-"+version] != "" })
	}
	readers.Wait()
	select {
	case <-before.Superseded():
	default:
		t.Error("the View of before is not superseded")
	}
	if EmptyView(Options{}, time.Now()).Superseded() != nil || NewView(nil).Superseded() != nil {
		t.Error("a View without a Repository has a channel")
	}
}

// While the first index is being made Views say how far that is, and no longer.
func TestProgressUntilReady(t *testing.T) {
	f := newFixture(t)
	var told []string
	f.setOptions(Options{Jobs: 1, Progress: func(what string, done, total int) { told = append(told, fmt.Sprint(what, done, total)) }})
	for i := range 4 {
		f.add(chartFiles(fmt.Sprint("c", i), fmt.Sprint("c", i), "1.0.0"))
	}
	f.fail(func(string, string) error {
		time.Sleep(progressEvery / 3)
		return nil
	})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	first := r.View()
	built := make(chan error)
	go func() { built <- r.Build(t.Context()) }()
	var seen []string
	for v := first; v.Index == nil; v = r.View() {
		<-v.Superseded()
		if v, p := r.View(), r.Status().Progress; v.Index == nil && p != nil {
			seen = append(seen, fmt.Sprint(p.What, p.Done, p.Total))
			if text, err := json.Marshal(v.Status); err != nil || !strings.Contains(string(text), `"progress":{"what":"archives made","done":`) {
				t.Errorf("%v %s", err, text)
			}
		}
	}
	must(t, <-built)
	if len(seen) == 0 || len(seen) > len(told) || first.Status.Progress != nil {
		t.Errorf("saw %q of %q", seen, told)
	}
	ready := r.View()
	r.opts.Progress("charts read", 1, 2)
	if r.View() != ready || ready.Status.Progress != nil {
		t.Errorf("progress of a repository that is ready: %+v", r.Status().Progress)
	}
}
