package pkgr

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"chartserve/internal/chart"
)

// readers are the two ways to read an archive, which must agree.
func readers(l Limits) map[string]func(io.Reader) error {
	return readersOf(NewChecker(l))
}

func readersOf(k *Checker) map[string]func(io.Reader) error {
	return map[string]func(io.Reader) error{
		"check": func(r io.Reader) error { _, err := k.Check(r); return err },
		"read":  func(r io.Reader) error { _, err := k.Read(r); return err },
	}
}

func TestCheckInfo(t *testing.T) {
	archive := archiveOf(t,
		member{name: "c/x", body: "x", h: &tar.Header{Name: "c/x", Size: 1, ModTime: time.Unix(5, 0)}},
		member{body: minimal, h: &tar.Header{Name: "c/Chart.yaml", Size: int64(len(minimal)), ModTime: time.Unix(1234567890, 0)}},
		member{body: minimalNamed("s", "9.9.9"), h: &tar.Header{Name: "c/charts/s/Chart.yaml", Size: int64(len(minimalNamed("s", "9.9.9"))), ModTime: time.Unix(7, 0)}},
	)
	archive = append(archive, make([]byte, 100)...)
	// However the bytes arrive, all of them count.
	for name, r := range map[string]io.Reader{
		"at once":         bytes.NewReader(archive),
		"byte by byte":    iotest.OneByteReader(bytes.NewReader(archive)),
		"error with data": iotest.DataErrReader(bytes.NewReader(archive)),
		"halves":          iotest.HalfReader(bytes.NewReader(archive)),
	} {
		t.Run(name, func(t *testing.T) {
			info, err := NewChecker(Limits{}).Check(r)
			must(t, err)
			sum := sha256.Sum256(archive)
			if info.Digest != hex.EncodeToString(sum[:]) || info.Size != int64(len(archive)) {
				t.Errorf("digest %s and size %d of %d bytes", info.Digest, info.Size, len(archive))
			}
			if want := time.Unix(1234567890, 0).UTC(); info.Created != want {
				t.Errorf("Created is %v, want %v", info.Created, want)
			}
			if info.Metadata.Name != "c" || info.Metadata.Version != "1.0.0" || len(info.Warnings) > 0 {
				t.Errorf("metadata %+v, warnings %q", info.Metadata, info.Warnings)
			}
		})
	}
}

// The order of members means nothing, but for duplicates, of which the last counts.
func TestReadArchiveOrder(t *testing.T) {
	list := good(
		member{name: "c/values.yaml", body: "a: 1\n"}, member{name: "c/templates/a", body: "A"}, member{name: "c/templates/b/c", body: "C"},
		member{name: "c/files/x", body: "X"}, member{name: "c/files/y", body: "Y"}, member{name: "c/files-z", body: "Z"},
		member{name: "c/charts/s/Chart.yaml", body: minimalNamed("s", "1.0.0")}, member{name: "c/charts/s/x", body: "SX"},
		member{name: "c/charts/t/Chart.yaml", body: minimalNamed("t", "1.0.0")},
	)
	read := func(list []member) *Chart {
		c, err := NewChecker(Limits{}).Read(bytes.NewReader(archiveOf(t, list...)))
		must(t, err)
		return c
	}
	want := pack(t, read(list))
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		if !bytes.Equal(pack(t, read(list)), want) {
			t.Fatalf("another order, another archive: %q", names(list))
		}
	}
	old := member{name: "c/files/x", body: "old"}
	if !bytes.Equal(pack(t, read(append([]member{old, old}, list...))), want) {
		t.Error("not the last of three members counts")
	}
}

func TestCheckReadError(t *testing.T) {
	broken := errors.New("input/output error")
	_, err := NewChecker(Limits{}).Check(io.MultiReader(strings.NewReader("\x1f\x8b\x08"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("in the gzip header: error %v, want %v", err, broken)
	}
	archive := archiveOf(t, good(member{name: "c/x", body: strings.Repeat("xyz", 1000)})...)
	for _, n := range []int{0, 1, 20, len(archive) - 1} {
		_, err := NewChecker(Limits{}).Check(io.MultiReader(bytes.NewReader(archive[:n]), iotest.ErrReader(broken)))
		wantError(t, err, chart.ErrFile, "input/output error")
	}
}

// Helm takes an archive that lacks its last bytes; a copy that is under way must
// not be published.
func TestTruncated(t *testing.T) {
	archives := map[string][]byte{
		"small":        archiveOf(t, good()...),
		"ours":         pack(t, load(t, newTreeDir(t, sample(t)))),
		"concatenated": append(zip(t, tarOf(t, good()...)), zip(t, make([]byte, 1024))...),
	}
	first := len(zip(t, tarOf(t, good()...)))
	for name, archive := range archives {
		for how, read := range readers(Limits{}) {
			for n := range len(archive) {
				if name == "concatenated" && n == first {
					continue // this is whole
				}
				if err := read(bytes.NewReader(archive[:n])); !errors.Is(err, chart.ErrArchive) {
					t.Fatalf("%s, %s, %d of %d bytes: error %v", name, how, n, len(archive), err)
				}
			}
			must(t, read(bytes.NewReader(archive)))
		}
	}
}

// What is wrong with a file says nothing when the whole archive is damaged.
func TestDamageComesFirst(t *testing.T) {
	sub := archiveOf(t, member{name: "s/values.yaml", body: "- 1\n"})
	for name, list := range map[string][]member{
		"values": good(member{name: "c/values.yaml", body: "- 1\n"}),
		"nested": good(member{name: "c/charts/s.tgz", body: string(sub)}),
	} {
		archive := archiveOf(t, list...)
		for how, read := range readers(Limits{}) {
			t.Run(name+"/"+how, func(t *testing.T) {
				if err := read(bytes.NewReader(archive)); err == nil {
					t.Fatal("no error for the whole archive")
				}
				wantError(t, read(bytes.NewReader(archive[:len(archive)-1])), chart.ErrArchive, "cut short")
			})
		}
	}
}

// No byte can be wrong without notice, but for those that say the same otherwise.
func TestFlippedBits(t *testing.T) {
	archive := archiveOf(t, good(member{name: "c/templates/x", body: strings.Repeat("0123456789", 50)})...)
	k := NewChecker(Limits{})
	for i := range archive {
		damaged := bytes.Clone(archive)
		damaged[i] ^= 0x10
		_, err := k.Check(bytes.NewReader(damaged))
		if err == nil && !bytes.Equal(gunzip(t, damaged), gunzip(t, archive)) {
			t.Errorf("byte %d of %d is wrong, and there is no error", i, len(archive))
		}
	}
}

func TestNestedDepth(t *testing.T) {
	nested := func(archive []byte, n int) []byte {
		for range n {
			archive = archiveOf(t, member{name: "c/Chart.yaml", body: minimal}, member{name: "c/charts/c.tgz", body: string(archive)})
		}
		return archive
	}
	nest := func(n int) []byte { return nested(archiveOf(t, good()...), n) }
	dirs := func(n int) []byte {
		var list []member
		for i := range n + 1 {
			list = append(list, member{name: "c/" + strings.Repeat("charts/c/", i) + "Chart.yaml", body: minimal})
		}
		return archiveOf(t, list...)
	}
	for how, read := range readers(Limits{}) {
		for what, mk := range map[string]func(int) []byte{"archives": nest, "directories": dirs} {
			if err := read(bytes.NewReader(mk(maxDepth))); err != nil {
				t.Errorf("%s, %s, as deep as may be: %v", how, what, err)
			}
			wantError(t, read(bytes.NewReader(mk(maxDepth+1))), chart.ErrLimit, "deep")
			wantError(t, read(bytes.NewReader(mk(100))), chart.ErrLimit, "deep")
		}
		// What lies deeper is not even looked at.
		wantError(t, read(bytes.NewReader(nested([]byte("junk"), maxDepth+1))), chart.ErrLimit, "deep")
	}
}

// repeat is an endless stream of one block.
type repeat struct {
	block []byte
	at    int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.block[r.at:])
	r.at = (r.at + n) % len(r.block)
	return n, nil
}

// bomb compresses a stream as it is read.
func bomb(t *testing.T, r io.Reader) io.Reader {
	pr, pw := io.Pipe()
	t.Cleanup(func() { pr.Close() })
	go func() {
		gz, _ := gzipFast(pw)
		_, err := io.Copy(gz, r)
		if err == nil {
			err = gz.Close()
		}
		pw.CloseWithError(err)
	}()
	return pr
}

func TestBombs(t *testing.T) {
	header := func(name string, size int64) []byte {
		var b bytes.Buffer
		must(t, tar.NewWriter(&b).WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size}))
		return b.Bytes()
	}
	prefix := tarOf(t, good()...)[:1024]
	pax := tarOf(t, member{h: &tar.Header{Name: "c/x", PAXRecords: map[string]string{"comment": strings.Repeat("x", 1<<19)}}})
	pax = pax[:len(pax)-1024-512] // an extended header without its member
	tests := map[string]struct {
		stream io.Reader
		says   string
	}{
		"a million empty members":  {&repeat{block: header("c/x", 0)}, "more than 100000 files"},
		"endless zeros":            {io.MultiReader(bytes.NewReader(make([]byte, 1024)), &repeat{block: make([]byte, 4096)}), "--max-chart-size"},
		"huge file":                {io.MultiReader(bytes.NewReader(header("c/x", 1<<32)), &repeat{block: make([]byte, 4096)}), "--max-file-size"},
		"many large files":         {&repeat{block: append(header("c/x", 5<<20), make([]byte, 5<<20)...)}, "--max-chart-size"},
		"endless extended headers": {&repeat{block: pax}, "--max-chart-size"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := NewChecker(Limits{}).Check(bomb(t, io.MultiReader(bytes.NewReader(prefix), tt.stream)))
			wantError(t, err, chart.ErrLimit, tt.says)
			t.Log(time.Since(start))
		})
	}
	t.Run("endless padding", func(t *testing.T) {
		_, err := NewChecker(Limits{}).Check(io.MultiReader(bytes.NewReader(archiveOf(t, good()...)), &repeat{block: make([]byte, 1<<16)}))
		wantError(t, err, chart.ErrLimit)
	})
	t.Run("endless gzip members", func(t *testing.T) {
		_, err := NewChecker(Limits{}).Check(io.MultiReader(bytes.NewReader(zip(t, prefix)), &repeat{block: zip(t, nil)}))
		wantError(t, err, chart.ErrLimit)
	})
	t.Run("nested", func(t *testing.T) {
		// Each level holds ten copies of the one below: they share one allowance.
		archive := archiveOf(t, good(member{name: "c/zeros", body: strings.Repeat("\x00", 5<<20)})...)
		for range 4 {
			list := good()
			for i := range 10 {
				list = append(list, member{name: fmt.Sprintf("c/charts/%d.tgz", i), body: string(archive)})
			}
			archive = archiveOf(t, list...)
		}
		for _, read := range readers(Limits{}) {
			wantError(t, read(bytes.NewReader(archive)), chart.ErrLimit, "--max-chart-size")
		}
	})
}

func TestCheckerIsShared(t *testing.T) {
	k := NewChecker(Limits{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := fmt.Sprintf("c%d", i)
			archive := archiveOf(t, member{name: name + "/Chart.yaml", body: minimalNamed(name, "1.0.0")})
			for j := range 30 {
				if j%3 == 0 {
					if _, err := k.Check(bytes.NewReader(archive[:len(archive)/2])); err == nil {
						t.Error("half an archive is taken")
					}
					continue
				}
				if info, err := k.Check(bytes.NewReader(archive)); err != nil || info.Metadata.Name != name {
					t.Errorf("info %+v, error %v", info, err)
				}
			}
		})
	}
	wg.Wait()
}

// A check keeps nothing of the files that don't matter.
func TestCheckMemory(t *testing.T) {
	list := good()
	for i := range 20 {
		list = append(list, member{name: fmt.Sprintf("c/files/%d", i), body: strings.Repeat("x", 4<<20)})
	}
	archive := archiveOf(t, list...)
	k := NewChecker(Limits{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := k.Check(bytes.NewReader(archive))
	runtime.ReadMemStats(&after)
	must(t, err)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<20 {
		t.Errorf("a check of 80 MiB allocates %d bytes", allocated)
	}
}

// Of what decides nothing only the parts that are asked for are kept, in sub-charts
// and in archives in charts/ too; the chart is the same.
func TestReadParts(t *testing.T) {
	c := load(t, newTreeDir(t, tree{
		"Chart.yaml": minimal, "values.yaml": "a: 1\n", "templates/a.yaml": "a\n", "README.md": "much\n",
		"charts/s/Chart.yaml": minimalNamed("s", "1.0.0"), "charts/s/values.yaml": "b: 1\n",
		"charts/s/templates/b.yaml": "b\n", "charts/s/README.md": "more\n",
	}))
	archive := pack(t, c)
	got, _, err := NewChecker(Limits{}).ReadParts(bytes.NewReader(archive), func(name string) bool { return name == "templates/a.yaml" || name == "templates/b.yaml" })
	must(t, err)
	held := func(c *Chart) map[string]string {
		files := map[string]string{}
		for _, f := range c.Files {
			if len(f.Data) > 0 {
				files[f.Name] = string(f.Data)
			}
		}
		return files
	}
	wantDiff(t, "files", held(got), map[string]string{"Chart.yaml": minimal, "values.yaml": "a: 1\n", "templates/a.yaml": "a\n"})
	wantDiff(t, "files of s", held(got.Subcharts[0]),
		map[string]string{"Chart.yaml": minimalNamed("s", "1.0.0"), "values.yaml": "b: 1\n", "templates/b.yaml": "b\n"})
	if got.Metadata.Name != "c" || got.Subcharts[0].Metadata.Name != "s" {
		t.Errorf("got %v with %v", got.Metadata, got.Subcharts[0].Metadata)
	}
}

// An archive without a Chart.yaml in a top directory is none of a chart, whatever Helm
// would say of it; one that is damaged, or meant as a chart, is a bad one.
func TestNoChart(t *testing.T) {
	file := func(name string) member { return member{name: name, body: "x"} }
	link := member{name: "src/l", h: &tar.Header{Typeflag: tar.TypeSymlink, Name: "src/l", Linkname: "/etc/passwd"}}
	whole := archiveOf(t, file("src/main.go"))
	for name, c := range map[string]struct {
		archive []byte
		no      bool
	}{
		"sources":                    {whole, true},
		"two top directories":        {archiveOf(t, file("a/x"), file("b/x")), true},
		"files at the top":           {archiveOf(t, file("README"), file("./x")), true},
		"unsafe names":               {archiveOf(t, file("../x"), file("/y"), link), true},
		"a chart deeper":             {archiveOf(t, file("src/x"), member{name: "src/charts/c/Chart.yaml", body: minimal}), true},
		"large files":                {archiveOf(t, member{name: "src/x", body: strings.Repeat("x", HelmMaxFile+1)}), true},
		"a chart":                    {archiveOf(t, good()...), false},
		"a bad chart":                {archiveOf(t, good(file("../x"))...), false},
		"a chart after a bad name":   {archiveOf(t, append([]member{file("../x")}, good()...)...), false},
		"a chart at the top":         {archiveOf(t, member{name: "Chart.yaml", body: minimal}), false},
		"a chart's name in capitals": {archiveOf(t, member{name: "c/CHART.YAML", body: minimal}), false},
		"damaged":                    {whole[:len(whole)-20], false},
		"empty":                      {archiveOf(t), false},
		"no archive":                 {[]byte("x"), false},
	} {
		for how, check := range map[string]func(*Checker) error{
			"whole":     func(k *Checker) error { _, err := k.Check(bytes.NewReader(c.archive)); return err },
			"structure": func(k *Checker) error { _, err := k.Structure(bytes.NewReader(c.archive)); return err },
		} {
			if err := check(NewChecker(Limits{})); errors.Is(err, ErrNoChart) != c.no {
				t.Errorf("%s, %s: error %v", name, how, err)
			}
		}
	}
}

// What is in an archive of somebody else's stays there: the warning says so, and not what
// packaging a source would have done.
func TestRequirementsInAnArchive(t *testing.T) {
	const deps = "dependencies:\n- {name: d, version: 1.0.0, repository: 'http://example.com'}\n"
	for api, warning := range map[string]string{"v1": "", "v2": "Helm reads them from here all the same"} {
		archive := archiveOf(t, member{name: "c/Chart.yaml", body: "apiVersion: " + api + "\nname: c\nversion: 1.0.0\n"}, member{name: "c/requirements.yaml", body: deps})
		info, err := NewChecker(Limits{}).Check(bytes.NewReader(archive))
		must(t, err)
		if got := strings.Join(info.Warnings, "\n"); len(info.Metadata.Dependencies) != 1 || !strings.Contains(got, warning) || warning == "" && got != "" {
			t.Errorf("%s: dependencies %v, warnings %q, want %q", api, info.Metadata.Dependencies, got, warning)
		}
	}
}
