package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMirrorStage resumes from what stands in the stage, whatever state it is in.
func TestMirrorStage(t *testing.T) {
	u := newUpstream(t)
	nova, heat := u.add("nova", "1.0.0", true), u.add("heat", "1.0.0", false)
	prov := u.files["/pool/nova-1.0.0.tgz.prov"]
	old, _ := packed(t, "glance", "1.0.0")
	files := map[string][]byte{"nova-1.0.0.tgz": nova, "nova-1.0.0.tgz.prov": prov, "heat-1.0.0.tgz": heat}
	for name, c := range map[string]struct {
		staged map[string][]byte
		want   []string // requests besides the index
	}{
		"whole":       {map[string][]byte{"nova-1.0.0.tgz": nova, "nova-1.0.0.tgz.prov": prov, "heat-1.0.0.tgz": heat}, nil},
		"cut":         {map[string][]byte{"nova-1.0.0.tgz": nova, "nova-1.0.0.tgz.prov": prov, "heat-1.0.0.tgz": heat[:len(heat)-9]}, []string{"GET /pool/heat-1.0.0.tgz", "GET /pool/heat-1.0.0.tgz.prov"}},
		"misnamed":    {map[string][]byte{"nova-1.0.0.tgz": nova, "nova-1.0.0.tgz.prov": prov, "heat-1.0.0.tgz": old}, []string{"GET /pool/heat-1.0.0.tgz", "GET /pool/heat-1.0.0.tgz.prov"}},
		"not wanted":  {map[string][]byte{"nova-1.0.0.tgz": nova, "nova-1.0.0.tgz.prov": prov, "heat-1.0.0.tgz": heat, "glance-1.0.0.tgz": old, "junk": nil}, nil},
		"a lone prov": {map[string][]byte{"nova-1.0.0.tgz": nova, "nova-1.0.0.tgz.prov": prov, "heat-1.0.0.tgz.prov": prov}, []string{"GET /pool/heat-1.0.0.tgz", "GET /pool/heat-1.0.0.tgz.prov"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "site")
			for file, data := range c.staged {
				writeFile(t, filepath.Join(dir, ".staging-mirror", file), string(data))
			}
			u.requests()
			out, _ := mirrored(t, 0, dir, u.URL)
			wantText(t, "stdout", out, ": 2 new, 0 unchanged, 0 failed; ")
			wantRequests(t, u, append(c.want, "GET /index.yaml")...)
			holds(t, dir, files)
		})
	}
}

// TestMirrorDelivered is a run that was killed between its delivery and the
// publishing of it.
func TestMirrorDelivered(t *testing.T) {
	u := newUpstream(t)
	nova := u.add("nova", "1.0.0", false)
	from, dir := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "site")
	mirrored(t, 0, from, u.URL)
	for _, name := range []string{"nova-1.0.0.tgz", "index.yaml"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, ".incoming", name), string(data))
	}
	u.requests()
	out, _ := mirrored(t, 0, dir, u.URL)
	wantText(t, "stdout", out, ": 0 new, 1 unchanged, 0 failed; ")
	wantRequests(t, u, "GET /index.yaml")
	holds(t, dir, map[string][]byte{"nova-1.0.0.tgz": nova})
}

// TestMirrorProvenance keeps what is provenance and nothing else.
func TestMirrorProvenance(t *testing.T) {
	u := newUpstream(t)
	page, denied, broken := u.add("page", "1.0.0", false), u.add("denied", "1.0.0", false), u.add("broken", "1.0.0", true)
	u.answer(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		switch name := r.URL.Path; {
		case name == "/pool/page-1.0.0.tgz.prov":
			w.Write([]byte("<html>not found</html>" + strings.Repeat(" ", 100)))
		case name == "/pool/denied-1.0.0.tgz.prov": // as S3 answers
			w.WriteHeader(http.StatusForbidden)
		case name == "/pool/broken-1.0.0.tgz.prov":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			return false
		}
		return true
	})
	dir := filepath.Join(t.TempDir(), "site")
	_, errs := mirrored(t, 1, dir, u.URL, "--keep-going", "--retries", "0")
	wantText(t, "stderr", errs, "chartserve: broken 1.0.0: ", "status 500", "none and is left out", "chart=page")
	if strings.Contains(errs, "chart=denied") {
		t.Errorf("it warns of provenance that is not there:\n%s", errs)
	}
	holds(t, dir, map[string][]byte{"page-1.0.0.tgz": page, "denied-1.0.0.tgz": denied})
	u.answer(nil)
	u.requests()
	mirrored(t, 0, dir, u.URL)
	wantRequests(t, u, "GET /index.yaml", "GET /pool/broken-1.0.0.tgz", "GET /pool/broken-1.0.0.tgz.prov")
	holds(t, dir, map[string][]byte{"page-1.0.0.tgz": page, "denied-1.0.0.tgz": denied,
		"broken-1.0.0.tgz": broken, "broken-1.0.0.tgz.prov": u.files["/pool/broken-1.0.0.tgz.prov"]})
}

// TestMirrorWithoutDigests takes archives from an index that has no digests, and
// leaves them alone once they are here.
func TestMirrorWithoutDigests(t *testing.T) {
	u := newUpstream(t)
	nova := u.add("nova", "1.0.0", false)
	u.files["/index.yaml"] = bytes.ReplaceAll(u.files["/index.yaml"], []byte("digest"), []byte("x-digest"))
	dir := filepath.Join(t.TempDir(), "site")
	mirrored(t, 0, dir, u.URL)
	holds(t, dir, map[string][]byte{"nova-1.0.0.tgz": nova})
	out, _ := mirrored(t, 0, dir, u.URL)
	wantText(t, "stdout", out, ": 0 new, 1 unchanged, 0 failed; ")
}

// TestMirrorNames lets no name of an index out of the folder.
func TestMirrorNames(t *testing.T) {
	u := newUpstream(t)
	u.add("nova", "1.0.0", false)
	u.files["/index.yaml"] = bytes.ReplaceAll(u.files["/index.yaml"], []byte("name: nova"), []byte("name: ../nova"))
	u.files["/index.yaml"] = bytes.ReplaceAll(u.files["/index.yaml"], []byte("  nova:"), []byte("  ../nova:"))
	top := t.TempDir()
	mirrored(t, 0, filepath.Join(top, "site"), u.URL)
	if found, _ := filepath.Glob(filepath.Join(top, "*.tgz")); len(found) > 0 {
		t.Errorf("it wrote %q", found)
	}
}

// TestMirrorSharedNames refuses two charts whose archives have one file name.
func TestMirrorSharedNames(t *testing.T) {
	u := newUpstream(t)
	first := u.add("a", "1.0.0-2.0.0", false)
	_, info := packed(t, "a-1.0.0", "2.0.0")
	u.put(info, "pool/other.tgz")
	dir := filepath.Join(t.TempDir(), "site")
	_, errs := mirrored(t, 1, dir, u.URL, "--devel", "--keep-going")
	wantText(t, "stderr", errs, "a-1.0.0 2.0.0: its archive would have the same file name as that of a 1.0.0-2.0.0")
	holds(t, dir, map[string][]byte{"a-1.0.0-2.0.0.tgz": first})
}
