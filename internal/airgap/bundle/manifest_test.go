package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartserve/internal/chart"
	"chartserve/internal/provenance"
	"time"

	"github.com/google/go-cmp/cmp"
)

// valid is a manifest with all that one can have.
func valid() *Manifest {
	at := created()
	sum := strings.Repeat("ab", 32)
	return &Manifest{
		Base: sum,
		Files: []File{
			{Name: IndexName, Size: 10, SHA256: sum},
			{Name: ImagesName, Size: 4, SHA256: sum},
			{Name: "nova-1.0.0.tgz", Size: 100, SHA256: sum, Chart: "nova", Version: "1.0.0", Created: &at},
			{Name: "nova-1.0.0.tgz.prov", Size: 20, SHA256: sum, InBase: true},
		},
		Images: []string{"x:1", "<&>"},
	}
}

func TestManifest(t *testing.T) {
	want := valid()
	got, err := DecodeManifest(want.Encode())
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	newer := bytes.Replace(want.Encode(), []byte(`"format": 1`), []byte(`"format": 2`), 1)
	if _, err := DecodeManifest(newer); !errors.Is(err, ErrNotBundle) || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a newer format: %v", err)
	}
}

// A manifest whose seal fits but whose content nobody should act on.
func TestBadManifests(t *testing.T) {
	at := created()
	named := func(name, chart, version string) func(m *Manifest) {
		return func(m *Manifest) {
			m.Files[2].Name, m.Files[2].Chart, m.Files[2].Version = name, chart, version
			m.Files = m.Files[:3]
		}
	}
	for name, spoil := range map[string]func(m *Manifest){
		"nothing":             func(m *Manifest) { m.Files = nil },
		"no index":            func(m *Manifest) { m.Files = m.Files[2:] },
		"huge index":          func(m *Manifest) { m.Files[0].Size = maxIndex + 1 },
		"an index with chart": func(m *Manifest) { m.Files[0].Chart = "nova" },
		"an index elsewhere":  func(m *Manifest) { m.Files[0].InBase = true },
		"images without list": func(m *Manifest) { m.Files = append(m.Files[:1], m.Files[2:]...) },
		"a path":              named("../nova-1.0.0.tgz", "../nova", "1.0.0"),
		"a directory":         named("a/nova-1.0.0.tgz", "a/nova", "1.0.0"),
		"a backslash":         named(`a\nova-1.0.0.tgz`, `a\nova`, "1.0.0"),
		"hidden":              named(".nova-1.0.0.tgz", ".nova", "1.0.0"),
		"control character":   named("n\nova-1.0.0.tgz", "n\nova", "1.0.0"),
		"too long":            named(strings.Repeat("n", 250)+"-1.0.0.tgz", strings.Repeat("n", 250), "1.0.0"),
		"another's name":      func(m *Manifest) { m.Files[2].Name = "nova-1.0.1.tgz" },
		"not an archive":      func(m *Manifest) { m.Files[2].Chart = "" },
		"not a date":          func(m *Manifest) { m.Files[2].Created = nil },
		"negative":            func(m *Manifest) { m.Files[2].Size = -1 },
		"huge":                func(m *Manifest) { m.Files[2].Size = maxArchive + 1 },
		"no digest":           func(m *Manifest) { m.Files[2].SHA256 = "" },
		"capital digest":      func(m *Manifest) { m.Files[2].SHA256 = strings.Repeat("AB", 32) },
		"huge provenance":     func(m *Manifest) { m.Files[3].Size = provenance.MaxSize + 1 },
		"stray provenance":    func(m *Manifest) { m.Files[3].Name = "nova-1.0.1.tgz.prov" },
		"dated provenance":    func(m *Manifest) { m.Files[3].Created = &at },
		"twice":               func(m *Manifest) { m.Files = append(m.Files, m.Files[3]) },
		"out of order":        func(m *Manifest) { m.Files[2], m.Files[3] = m.Files[3], m.Files[2] },
		"no base":             func(m *Manifest) { m.Base = "" },
		"bad base":            func(m *Manifest) { m.Base = "x" },
		"too many":            func(m *Manifest) { m.Files = append(m.Files, make([]File, maxFiles)...) },
	} {
		m := valid()
		spoil(m)
		if _, err := DecodeManifest(m.Encode()); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v, want ErrDamaged", name, err)
		}
	}
}

// What another tar program makes of the same members is not taken, whatever it is.
func TestForeignTars(t *testing.T) {
	data, dir := small(t)
	_, m := bytesOf(t, folderOf(t, spec{name: "a", version: "1.0.0", text: "1", prov: true}), CreateOptions{Images: []byte("x:1\n")})
	must(t, m.validate())
	for name, change := range map[string]func(h *tar.Header, body []byte) (*tar.Header, []byte, bool){
		"a link": func(h *tar.Header, _ []byte) (*tar.Header, []byte, bool) {
			return &tar.Header{Name: h.Name, Typeflag: tar.TypeSymlink, Linkname: "../x"}, nil, false
		},
		"a hard link": func(h *tar.Header, _ []byte) (*tar.Header, []byte, bool) {
			return &tar.Header{Name: h.Name, Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}, nil, false
		},
		"a device": func(h *tar.Header, _ []byte) (*tar.Header, []byte, bool) {
			return &tar.Header{Name: h.Name, Typeflag: tar.TypeChar}, nil, false
		},
		"a directory": func(h *tar.Header, _ []byte) (*tar.Header, []byte, bool) {
			return &tar.Header{Name: h.Name + "/", Typeflag: tar.TypeDir}, nil, false
		},
		"twice": func(h *tar.Header, b []byte) (*tar.Header, []byte, bool) { return h, b, true },
		"another name": func(h *tar.Header, b []byte) (*tar.Header, []byte, bool) {
			c := *h
			c.Name = "../" + h.Name
			return &c, b, false
		},
		"another mode": func(h *tar.Header, b []byte) (*tar.Header, []byte, bool) {
			c := *h
			c.Mode = 0o4755
			return &c, b, false
		},
		"an owner": func(h *tar.Header, b []byte) (*tar.Header, []byte, bool) {
			c := *h
			c.Uname = "root"
			return &c, b, false
		},
		"another time": func(h *tar.Header, b []byte) (*tar.Header, []byte, bool) {
			c := *h
			c.ModTime = time.Unix(1, 0)
			return &c, b, false
		},
		"a pax record": func(h *tar.Header, b []byte) (*tar.Header, []byte, bool) {
			c := *h
			c.Format = tar.FormatPAX
			c.PAXRecords = map[string]string{"A.b": "c"}
			return &c, b, false
		},
		"left out": func(*tar.Header, []byte) (*tar.Header, []byte, bool) { return nil, nil, false },
		"another chart": func(h *tar.Header, _ []byte) (*tar.Header, []byte, bool) {
			b := spec{name: "a", version: "1.0.0", text: "2"}.archive(t)
			c := *h
			c.Size = int64(len(b))
			return &c, b, false
		},
	} {
		refuses(t, rewrap(t, data, "a-1.0.0.tgz", change), dir, name)
	}
}

// rewrap writes a bundle anew with one member changed.
func rewrap(t *testing.T, data []byte, name string, change func(*tar.Header, []byte) (*tar.Header, []byte, bool)) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	put := func(h *tar.Header, b []byte) {
		must(t, w.WriteHeader(h))
		_, err := w.Write(b)
		must(t, err)
	}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		must(t, err)
		body, err := io.ReadAll(r)
		must(t, err)
		twice := false
		if h.Name == name {
			h, body, twice = change(h, body)
		}
		for n := 0; h != nil && (n == 0 || twice && n == 1); n++ {
			put(h, body)
		}
	}
	must(t, w.Close())
	return out.Bytes()
}

// A manifest that fits its seal, and a bundle whose archives fit the manifest, but
// not the index or each other.
func TestMadeUp(t *testing.T) {
	dir := folderOf(t, spec{name: "a", version: "1.0.0"})
	wrong := spec{name: "b", version: "1.0.0"}.archive(t)
	for name, c := range map[string]struct {
		change func(m *Manifest, files map[string][]byte)
		want   string
	}{
		"nothing":       {func(*Manifest, map[string][]byte) {}, ""},
		"no chart":      {func(m *Manifest, files map[string][]byte) { files["a-1.0.0.tgz"] = []byte("x") }, "no archive that Helm loads"},
		"another chart": {func(m *Manifest, files map[string][]byte) { files["a-1.0.0.tgz"] = wrong }, "it holds the chart b 1.0.0"},
		"another index": {func(m *Manifest, files map[string][]byte) {
			files[IndexName] = bytes.ReplaceAll(files[IndexName], []byte("a-1.0.0.tgz"), []byte("http://example.com/a-1.0.0.tgz"))
		}, "its entry of a 1.0.0"},
		"another digest in it": {func(m *Manifest, files map[string][]byte) {
			files[IndexName] = bytes.ReplaceAll(files[IndexName], []byte(m.Files[1].SHA256), []byte(m.Files[0].SHA256))
		}, "its entry of a 1.0.0"},
		"no index":          {func(m *Manifest, files map[string][]byte) { files[IndexName] = []byte("x") }, "not a chart repository index"},
		"more in the index": {func(m *Manifest, files map[string][]byte) { m.Files = m.Files[:1] }, "the manifest lists 0 archives"},
		"created otherwise": {func(m *Manifest, _ map[string][]byte) { at := created().Add(1); m.Files[1].Created = &at }, "its entry of a 1.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			_, m := bytesOf(t, dir, CreateOptions{})
			files := map[string][]byte{}
			for name, text := range visible(t, dir) {
				files[name] = []byte(text)
			}
			c.change(m, files)
			for i := range m.Files {
				f := &m.Files[i]
				kept := *f
				*f = newFile(f.Name, files[f.Name])
				f.Chart, f.Version, f.Created = kept.Chart, kept.Version, kept.Created
			}
			var b bytes.Buffer
			data := m.Encode()
			must(t, writeMember(&b, newFile(ManifestName, data), bytes.NewReader(data)))
			for _, f := range m.Files {
				must(t, writeMember(&b, f, bytes.NewReader(files[f.Name])))
			}
			b.Write(make([]byte, trailerSize))
			rep, err := Verify(context.Background(), []string{"-"}, ReadOptions{Stdin: &b})
			must(t, err)
			if c.want == "" {
				if len(rep.Findings) > 0 {
					t.Errorf("findings: %v", rep.Findings)
				}
				return
			}
			if !slices.ContainsFunc(rep.Findings, func(f *chart.Error) bool { return strings.Contains(f.Reason, c.want) }) {
				t.Errorf("got %v, want %q", rep.Findings, c.want)
			}
		})
	}
}

func TestReadManifest(t *testing.T) {
	dir, o := cut(t, "1")
	whole, want := fileOf(t, folderOf(t, spec{name: "a", version: "1.0.0", text: "1"}), CreateOptions{})
	alone := filepath.Join(dir, "alone")
	must(t, os.WriteFile(alone, want.Encode(), 0o644))
	for _, path := range []string{whole, alone, o.Files()[0]} {
		got, err := ReadManifest(context.Background(), path)
		must(t, err)
		if got.Digest() != want.Digest() {
			t.Errorf("%s: another manifest", path)
		}
	}
	must(t, os.WriteFile(alone, []byte("{}"), 0o644))
	if _, err := ReadManifest(context.Background(), alone); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), alone) {
		t.Errorf("damaged: %v", err)
	}
}
