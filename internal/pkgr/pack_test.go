package pkgr

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartserve/internal/unixtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a chart that has something of everything.
func sample(t testing.TB) tree {
	t.Helper()
	sub := archiveOf(t,
		member{name: "s/templates/a", body: "A"},
		member{name: "s/Chart.yaml", body: minimalNamed("s", "1.0.0")},
		member{name: "s/charts/deep/Chart.yaml", body: minimalNamed("deep", "2.0.0")},
	)
	return tree{
		"Chart.yaml":                   minimal + "# kept\n",
		"values.yaml":                  benchValues(5),
		"values.schema.json":           "{}",
		"templates/a.yaml":             "{{ .Values }}\n",
		"templates/b/c.yaml":           strings.Repeat("0123456789abcdef\n", 1000),
		"templates/NOTES.txt":          "CRLF\r\n",
		"files/größe":                  "not ASCII",
		strings.Repeat("d/", 70) + "x": "long",
		strings.Repeat("n", 120):       "too long for ustar",
		"empty":                        "",
		"block":                        strings.Repeat("b", 512),
		"charts/s-1.0.0.tgz":           string(sub),
		"charts/other/Chart.yaml":      minimalNamed("other", "0.1.0"),
		"charts/other/templates/x":     "X",
		"link":                         "-> templates/a.yaml",
	}
}

func TestPackIsDeterministic(t *testing.T) {
	files := sample(t)
	want := pack(t, load(t, newTreeDir(t, files)))
	tests := map[string]func(t *testing.T) string{
		"elsewhere": func(t *testing.T) string { return newTreeDir(t, files) },
		"deeper": func(t *testing.T) string {
			dir := filepath.Join(newTreeDir(t, nil), "some", "where", "else")
			files.write(t, dir)
			return dir
		},
		"other order of creation": func(t *testing.T) string {
			dir := newTreeDir(t, nil)
			keys := sortedKeys(files)
			for _, name := range slices.Backward(keys) {
				tree{name: files[name]}.write(t, dir)
			}
			return dir
		},
		"other times": func(t *testing.T) string {
			dir := newTreeDir(t, files)
			must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
				if err == nil && d.Type()&os.ModeSymlink == 0 {
					err = os.Chtimes(path, time.Unix(1, 0), time.Unix(2e9, 12345))
				}
				return err
			}))
			return dir
		},
		"other umask": func(t *testing.T) string {
			defer unixtest.Umask(0o077)()
			return newTreeDir(t, files)
		},
		"executable": func(t *testing.T) string {
			dir := newTreeDir(t, files)
			must(t, os.Chmod(filepath.Join(dir, "templates/a.yaml"), 0o755))
			return dir
		},
		"one processor": func(t *testing.T) string {
			n := runtime.GOMAXPROCS(1)
			t.Cleanup(func() { runtime.GOMAXPROCS(n) })
			return newTreeDir(t, files)
		},
		"eight processors": func(t *testing.T) string {
			n := runtime.GOMAXPROCS(8)
			t.Cleanup(func() { runtime.GOMAXPROCS(n) })
			return newTreeDir(t, files)
		},
		"time zone": func(t *testing.T) string {
			local := time.Local
			time.Local = time.FixedZone("far", 11*3600)
			t.Cleanup(func() { time.Local = local })
			return newTreeDir(t, files)
		},
		"locale": func(t *testing.T) string {
			t.Setenv("LC_ALL", "ko_KR.UTF-8")
			t.Setenv("TZ", "Asia/Seoul")
			return newTreeDir(t, files)
		},
		"sub-chart unpacked": func(t *testing.T) string {
			unpacked := tree{}
			for name, content := range files {
				if !strings.HasSuffix(name, ".tgz") {
					unpacked[name] = content
				}
			}
			unpacked["charts/s/templates/a"] = "A"
			unpacked["charts/s/Chart.yaml"] = minimalNamed("s", "1.0.0")
			unpacked["charts/s/charts/other-name/Chart.yaml"] = minimalNamed("deep", "2.0.0")
			return newTreeDir(t, unpacked)
		},
		"file in place of a link": func(t *testing.T) string {
			dir := newTreeDir(t, files)
			must(t, os.Remove(filepath.Join(dir, "link")))
			must(t, os.WriteFile(filepath.Join(dir, "link"), []byte(files["templates/a.yaml"]), 0o644))
			return dir
		},
	}
	for name, make := range tests {
		t.Run(name, func(t *testing.T) {
			if !bytes.Equal(pack(t, load(t, make(t))), want) {
				t.Error("the archive is another one")
			}
		})
	}
	t.Run("read and packed again", func(t *testing.T) {
		c, err := NewChecker(Limits{}).Read(bytes.NewReader(want))
		must(t, err)
		if !bytes.Equal(pack(t, c), want) {
			t.Error("the archive is another one")
		}
	})
}

// One Packer serves many goroutines, one after the other and at once, and the
// chunks in which its archives are written don't matter.
func TestPackerIsShared(t *testing.T) {
	big := load(t, newTreeDir(t, sample(t)))
	small := load(t, newTreeDir(t, tree{"Chart.yaml": minimal}))
	want := map[*Chart][]byte{big: pack(t, big), small: pack(t, small)}
	p := NewPacker(time.Time{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				c := big
				if (i+j)%3 == 0 {
					c = small
				}
				var b bytes.Buffer
				digest, err := p.Pack(&b, c)
				sum := sha256.Sum256(b.Bytes())
				if err != nil || !bytes.Equal(b.Bytes(), want[c]) || digest != hex.EncodeToString(sum[:]) {
					t.Errorf("digest %s, error %v", digest, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestPackLayout(t *testing.T) {
	list := members(t, pack(t, load(t, newTreeDir(t, sample(t)))))
	wantDiff(t, "members", names(list), []string{
		"c/Chart.yaml", "c/values.yaml", "c/values.schema.json",
		"c/templates/NOTES.txt", "c/templates/a.yaml", "c/templates/b/c.yaml",
		"c/block", "c/" + strings.Repeat("d/", 70) + "x", "c/empty", "c/files/größe", "c/link", "c/" + strings.Repeat("n", 120),
		"c/charts/other/Chart.yaml", "c/charts/other/templates/x",
		"c/charts/s/Chart.yaml", "c/charts/s/templates/a", "c/charts/s/charts/deep/Chart.yaml",
	})
	for _, m := range list {
		h := m.h
		if h.Mode != 0o644 || h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" || h.Typeflag != tar.TypeReg {
			t.Errorf("%s: mode %o, owner %d %d %q %q, type %c", m.name, h.Mode, h.Uid, h.Gid, h.Uname, h.Gname, h.Typeflag)
		}
		if want := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC); !h.ModTime.Equal(want) {
			t.Errorf("%s: time %v, want %v", m.name, h.ModTime, want)
		}
		pax := m.name == "c/files/größe" || strings.Contains(m.name, "nnnn")
		if format := h.Format; pax != (format == tar.FormatPAX) || !pax && format != tar.FormatUSTAR {
			t.Errorf("%s: format %v", m.name, format)
		}
	}
}

func TestPackTimestamp(t *testing.T) {
	c := load(t, newTreeDir(t, tree{"Chart.yaml": minimal}))
	tests := map[string]struct{ in, want time.Time }{
		"zero":             {time.Time{}, time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)},
		"1970":             {time.Unix(0, 0), time.Unix(0, 0)},
		"given":            {time.Unix(1700000000, 0), time.Unix(1700000000, 0)},
		"parts of seconds": {time.Unix(1700000000, 999), time.Unix(1700000000, 0)},
		"other zone":       {time.Unix(1700000000, 0).In(time.FixedZone("x", 3600)), time.Unix(1700000000, 0)},
		"before 1970":      {time.Unix(-5, 0), time.Unix(-5, 0)},
		"beyond ustar":     {time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			_, err := NewPacker(tt.in).Pack(&b, c)
			must(t, err)
			if got := members(t, b.Bytes())[0].h.ModTime; !got.Equal(tt.want) {
				t.Errorf("the member's time is %v, want %v", got, tt.want)
			}
			info, err := check(b.Bytes())
			must(t, err)
			if !info.Created.Equal(tt.want) || info.Created.Location() != time.UTC {
				t.Errorf("Created is %v, want %v", info.Created, tt.want)
			}
			if head := b.Bytes()[:10]; !bytes.Equal(head[3:8], []byte{0, 0, 0, 0, 0}) || head[9] != 255 {
				t.Errorf("the gzip header % x has a name, a time or a system", head)
			}
		})
	}
}

// Several versions of one chart, which aliases allow, must not fall into one
// directory, and Helm must find every one of them.
func TestPackSubchartDirectories(t *testing.T) {
	sub := func(name, version, content string) *Chart {
		return load(t, newTreeDir(t, tree{"Chart.yaml": minimalNamed(name, version), "x": content}))
	}
	tests := map[string]struct {
		subs []*Chart
		want []string
	}{
		"by name":               {[]*Chart{sub("b", "1.0.0", ""), sub("a", "1.0.0", "")}, []string{"a", "b"}},
		"versions":              {[]*Chart{sub("a", "1.10.0", ""), sub("a", "1.9.0", "")}, []string{"a", "a-1.10.0"}},
		"build metadata":        {[]*Chart{sub("a", "1.0.0+b", ""), sub("a", "1.0.0+a", "")}, []string{"a", "a-1.0.0+b"}},
		"name like a version":   {[]*Chart{sub("a", "1.0.0", ""), sub("a", "2.0.0", ""), sub("a-2.0.0", "1.0.0", "")}, []string{"a", "a-2.0.0", "a-2.0.0-1.0.0"}},
		"same name, version":    {[]*Chart{sub("a", "1.0.0", "1"), sub("a", "1.0.0", "2"), sub("a", "1.0.0", "3")}, []string{"a", "a-1.0.0", "a-1.0.0-2"}},
		"names Helm skips":      {[]*Chart{sub("_a", "1.0.0", "")}, []string{"chart-_a-1.0.0"}},
		"names like an archive": {[]*Chart{sub("a.tgz", "1.0.0", "")}, []string{"a.tgz-1.0.0"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := load(t, newTreeDir(t, tree{"Chart.yaml": minimal})).WithSubcharts(tt.subs)
			archive := pack(t, c)
			var got []string
			for _, n := range names(members(t, archive)) {
				if dir, ok := strings.CutSuffix(n, "/Chart.yaml"); ok && dir != "c" {
					got = append(got, strings.TrimPrefix(dir, "c/charts/"))
				}
			}
			wantDiff(t, "directories", got, tt.want)
			slices.Reverse(tt.subs)
			reversed := c.WithSubcharts(tt.subs)
			if !bytes.Equal(pack(t, reversed), archive) || reversed.ContentKey() != c.ContentKey() {
				t.Error("the order of sub-charts matters")
			}
			literal := &Chart{Metadata: c.Metadata, Files: c.Files, Subcharts: tt.subs}
			if !bytes.Equal(pack(t, literal), archive) || literal.ContentKey() != c.ContentKey() {
				t.Error("the order of sub-charts in a literal matters")
			}
			if _, err := check(archive); err != nil {
				t.Errorf("our own archive is refused: %v", err)
			}
		})
	}
}

func TestPackRefuses(t *testing.T) {
	c := load(t, newTreeDir(t, tree{"Chart.yaml": minimal}))
	t.Run("endless charts in charts", func(t *testing.T) {
		loop := c.WithSubcharts(nil)
		loop.Subcharts = []*Chart{loop}
		if _, err := NewPacker(time.Time{}).Pack(io.Discard, loop); err == nil {
			t.Error("no error")
		}
	})
	t.Run("full disk", func(t *testing.T) {
		full := errors.New("no space left on device")
		p := NewPacker(time.Time{})
		for range 2 {
			if _, err := p.Pack(failing{full}, c); !errors.Is(err, full) {
				t.Errorf("error %v, want %v", err, full)
			}
			if got := pack(t, c); !bytes.Equal(got, pack(t, c)) {
				t.Error("the archive after a failure is another one")
			}
		}
	})
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// The bytes of archives are a promise: digests stand in other people's locks.
func TestGolden(t *testing.T) {
	c := load(t, newTreeDir(t, sample(t)))
	archive := pack(t, c)
	stream := sha256.Sum256(gunzip(t, archive))
	whole := sha256.Sum256(archive)
	got := fmt.Sprintf("layout %d\ntar %x\ngzip %x\nkey %x\n", Layout, stream, whole, c.ContentKey())
	golden := filepath.Join("testdata", "golden")
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	data, err := os.ReadFile(golden)
	must(t, err)
	want := string(data)
	if got == want {
		return
	}
	line := func(s string, n int) string { return append(strings.Split(s, "\n"), "", "", "")[n] }
	why := "The tar stream is another one: names, order, headers or contents have changed.\n" +
		"If that was not the purpose, undo it."
	switch {
	case line(got, 1) == line(want, 1) && line(got, 2) == line(want, 2):
		why = "The archives are the same, only their ContentKey differs: all will be packaged once more."
	case line(got, 1) == line(want, 1):
		why = "The tar stream is the same, only its compression differs: github.com/klauspost/compress\n" +
			"was changed, or the level. Do it for a reason only, never by the way."
	}
	t.Errorf("Archives are not what they were; other bytes are another digest for every chart.\n%s\n"+
		"If it has to be: raise Layout in key.go, so that state kept from before is rebuilt, then run\n"+
		"\tgo test ./internal/pkgr -run TestGolden -update\n"+
		"and say in the CHANGELOG that digests change.\ngot:\n%swant:\n%s", why, got, want)
}
