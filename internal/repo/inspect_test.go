package repo

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// hollow is an archive whose structure is good and whose values.yaml no Helm loads.
func hollow(t *testing.T, name string) string {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	for _, m := range [][2]string{{"Chart.yaml", "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n"}, {"values.yaml", "- a list\n"}} {
		must(t, w.WriteHeader(&tar.Header{Name: name + "/" + m[0], Mode: 0o644, Size: int64(len(m[1]))}))
		_, err := w.Write([]byte(m[1]))
		must(t, err)
	}
	must(t, w.Close())
	must(t, zip.Close())
	return out.String()
}

// A folder of archives is served once their structure is good; what Helm would refuse for
// its contents is set aside soon after, with its reason, and is not served at the next
// start. A build looks at everything first.
func TestContentsAreCheckedAfterwards(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(map[string]string{"bad.tgz": hollow(t, "bad"), "good.tgz": string(archiveOf(t, "good", "1.0.0"))})
	write(t, f.repo, map[string]string{"foreign-1.0.0.tgz": hollow(t, "foreign"), "fine-1.0.0.tgz": string(archiveOf(t, "fine", "1.0.0"))})
	check := func(when string) {
		t.Helper()
		r := f.run()
		r.until(when, func(served map[string]string, st Status) bool {
			return len(served) == 2 && served["good-1.0.0"] != "" && served["fine-1.0.0"] != "" && st.Unchecked == 0
		})
		if got := reasons(r.r.Status()); strings.Count(got, "values.yaml") != 2 || !strings.Contains(got, "bad.tgz") || !strings.Contains(got, "foreign-1.0.0.tgz") {
			t.Errorf("%s: reasons %s", when, got)
		}
		for name, want := range map[string]bool{"bad-1.0.0.tgz": false, "foreign-1.0.0.tgz": true} {
			if _, err := os.Stat(filepath.Join(f.repo, name)); (err == nil) != want {
				t.Errorf("%s: %s is there: %v", when, name, err)
			}
		}
	}
	t.Run("first start", func(t *testing.T) { f.t = t; check("first start") })
	t.Run("second start", func(t *testing.T) {
		f.t = t
		r, err := Open(f.repo, f.opts)
		must(t, err)
		r.serving = true
		must(t, r.pass(t.Context(), mail{change: changeOf()}))
		if got := len(r.View().Index.Entries().Bytes()); r.View().Chart("bad") != nil || r.View().Chart("foreign") != nil {
			t.Errorf("a start publishes what the last one set aside (%d bytes)", got)
		}
		must(t, r.Close())
		check("second start")
	})
	t.Run("build", func(t *testing.T) {
		f.t = t
		must(t, os.Remove(filepath.Join(f.repo, stateName)))
		r, err := Open(f.repo, f.opts)
		must(t, err)
		defer r.Close()
		must(t, r.Build(context.Background()))
		wantNames(t, f.names(), "fine-1.0.0", "good-1.0.0")
	})
}

// What is known of the contents is in the state: nothing is inspected twice.
func TestInspectedOnce(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(map[string]string{"a.tgz": string(archiveOf(t, "a", "1.0.0", map[string]string{"a/values.yaml": "x: 1\n"})), "b.tgz": string(archiveOf(t, "b", "1.0.0"))})
	t.Run("first", func(t *testing.T) {
		f.t = t
		f.run().until("inspected", func(_ map[string]string, st Status) bool { return st.Unchecked == 0 && st.Charts == 2 })
	})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(t.Context()))
	if got := r.folder.suspects(); len(got) > 0 {
		t.Errorf("still to be inspected: %v", got)
	}
	if got := r.judge.checker.Verdicts(); len(got) == 0 {
		t.Error("no verdict on a file was kept")
	}
}

// A good verdict is no reason for a pass, and a bad one outlives a pass that fails.
func TestVerdicts(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = settledNow
	f.add(map[string]string{"bad.tgz": hollow(t, "bad"), "good.tgz": string(archiveOf(t, "good", "1.0.0"))})
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	r.serving = true
	must(t, r.pass(t.Context(), rescan()))
	var good, bad []verdict
	i := inspector{checker: r.judge.checker}
	for _, s := range r.folder.suspects() {
		v, err := i.inspect(r.store.Reader, s)
		must(t, err)
		if v.err == nil {
			good = append(good, v)
		} else {
			bad = append(bad, v)
		}
	}
	before := r.View()
	must(t, r.pass(t.Context(), mail{verdicts: good}))
	if r.View() != before || len(r.folder.suspects()) != 1 {
		t.Errorf("a pass was made for a good verdict; suspects: %v", r.folder.suspects())
	}
	f.fail(func(op, _ string) error {
		if op == "write" {
			return syscall.ENOSPC
		}
		return nil
	})
	if err := r.pass(t.Context(), mail{verdicts: bad}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v", err)
	}
	f.fail(nil)
	must(t, r.pass(t.Context(), rescan()))
	wantNames(t, f.names(), "good-1.0.0")
}
