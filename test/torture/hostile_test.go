//go:build linux

package torture

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// refusalTime and refusalMemory (MiB, for the whole process) bound the work of
	// refusing one hostile file.
	refusalTime   = 30 * time.Second
	refusalMemory = 400
)

// target is a server with one good chart, beside which hostile files are put.
type target struct {
	*server
	tree string
}

func newTarget(t *testing.T) *target {
	base := t.TempDir()
	tree := filepath.Join(base, "tree")
	writeChart(t, filepath.Join(tree, "good"), "good", "1.0.0", 1000)
	return &target{serve(t, filepath.Join(base, "repo"), tree), tree}
}

// refuses waits until the file or chart at name, which place puts there, is
// refused; it then takes it away and waits until it is forgotten.
func (s *target) refuses(t *testing.T, name string, place func(path string)) {
	t.Helper()
	s.collect()
	s.resetPeak()
	path := filepath.Join(s.tree, name)
	begun := time.Now()
	place(path)
	var reason string
	until(t, refusalTime, func() error {
		if reason = s.status().failure(name); reason == "" {
			return fmt.Errorf("%s is not refused", name)
		}
		return nil
	})
	took, peak := time.Since(begun), s.peak()
	if peak > refusalMemory {
		t.Errorf("%d MiB, want at most %d", peak, refusalMemory)
	}
	if len(reason) > 2000 {
		t.Errorf("a reason of %d bytes", len(reason))
	}
	if err := s.serves("good-1.0.0"); err != nil {
		t.Error(err)
	}
	if x := s.index(); len(x) != 1 {
		t.Errorf("the index has %v", x)
	}
	t.Logf("%s, peak %d MiB: %s", took.Round(time.Millisecond), peak, reason)
	must(t, os.RemoveAll(path))
	until(t, settleTime, func() error {
		if st := s.status(); len(st.Failures) > 0 || st.failure(name) != "" {
			return fmt.Errorf("%+v, %+v", st.Failures, st.Warnings)
		}
		return nil
	})
}

// put moves data into place in one step, as a careful program does.
func put(t *testing.T, data []byte) func(path string) {
	return func(path string) {
		aside := filepath.Join(t.TempDir(), "aside")
		must(t, os.WriteFile(aside, data, 0o644))
		must(t, os.Rename(aside, path))
	}
}

func TestHostileArchives(t *testing.T) {
	s := newTarget(t)
	chartYAML := func(more string) []member {
		return []member{{name: "evil/Chart.yaml", data: "apiVersion: v2\nname: evil\nversion: 1.0.0\n" + more}}
	}
	with := func(m ...member) []byte { return tarball(t, append(goodMembers("evil"), m...)...) }
	cases := map[string]func() []byte{
		"zip-slip up":            func() []byte { return with(member{name: "evil/../../../etc/x", data: "x"}) },
		"zip-slip at the top":    func() []byte { return with(member{name: "../evil", data: "x"}) },
		"zip-slip absolute":      func() []byte { return with(member{name: "/etc/x", data: "x"}) },
		"zip-slip backslashes":   func() []byte { return with(member{name: `evil\..\..\x`, data: "x"}) },
		"zip-slip mixed slashes": func() []byte { return with(member{name: `evil/..\..\x`, data: "x"}) },
		"zip-slip drive":         func() []byte { return with(member{name: `C:\x`, data: "x"}) },
		"zip-slip drive inside":  func() []byte { return with(member{name: `evil/C:/x`, data: "x"}) },
		"zip-slip UNC":           func() []byte { return with(member{name: `\\host\share\x`, data: "x"}) },
		"zip-slip name in chart": func() []byte {
			return tarball(t, member{name: "e/Chart.yaml", data: "apiVersion: v2\nname: ../e\nversion: 1.0.0\n"})
		},
		"zip-slip version": func() []byte {
			return tarball(t, member{name: "e/Chart.yaml", data: "apiVersion: v2\nname: e\nversion: 1.0.0/../../x\n"})
		},
		"a link":                            func() []byte { return with(member{name: "evil/x", typ: tar.TypeSymlink, link: "/etc/passwd"}) },
		"a hard link":                       func() []byte { return with(member{name: "evil/x", typ: tar.TypeLink, link: "/etc/passwd"}) },
		"a device":                          func() []byte { return with(member{name: "evil/x", typ: tar.TypeChar}) },
		"a FIFO":                            func() []byte { return with(member{name: "evil/x", typ: tar.TypeFifo}) },
		"a sparse member of 8 GB, old form": func() []byte { return sparse(t, tar.TypeGNUSparse) },
		"a sparse member of 8 GB":           func() []byte { return sparse(t, tar.TypeXHeader) },
		"two roots":                         func() []byte { return with(goodMembers("other")...) },
		"Chart.yaml twice":                  func() []byte { return with(goodMembers("evil")...) },
		"no Chart.yaml":                     func() []byte { return tarball(t, member{name: "evil/values.yaml", data: "a: 1\n"}) },
		"files at the top": func() []byte {
			return tarball(t, member{name: "Chart.yaml", data: "apiVersion: v2\nname: e\nversion: 1.0.0\n"})
		},
		"empty":                   func() []byte { return nil },
		"no gzip":                 func() []byte { return []byte("this is no archive") },
		"gzip of nothing":         func() []byte { return compressed(t, nil) },
		"gzip of junk":            func() []byte { return compressed(t, noise(100_000)) },
		"junk after the end":      func() []byte { return append(with(), "junk"...) },
		"bomb of one member":      func() []byte { return bomb(t, 2<<30) },
		"bomb after the end":      func() []byte { return append(with(), bomb(t, 1<<30)...) },
		"a million empty members": func() []byte { return manyMembers(t, 1_000_000) },
		"nested 50 deep":          func() []byte { return nested(t, 50) },
		"Chart.yaml of 50 MB":     func() []byte { return tarball(t, chartYAML("# "+strings.Repeat("x", 50<<20))...) },
		"alias bomb":              func() []byte { return tarball(t, chartYAML(aliasBomb)...) },
		"19 values of 5 MB of keys": func() []byte {
			var list []member
			for i := range 19 {
				dir := fmt.Sprintf("evil/charts/s%d/", i)
				list = append(list, member{name: dir + "Chart.yaml", data: fmt.Sprintf("apiVersion: v2\nname: s%d\nversion: 1.0.0\n", i)},
					member{name: dir + "values.yaml", data: "{" + strings.Repeat("a,", 5<<19-10) + "}"})
			}
			return with(list...)
		},
		"requirements twice": func() []byte {
			return with(member{name: "evil/requirements.yaml", data: "name: other\n"}, member{name: "evil/requirements.yaml", data: "dependencies: []\n"})
		},
		"10,000 dependencies": func() []byte { return tarball(t, chartYAML(dependencies(10_001, "1.0.0"))...) },
		"name of 100 KB": func() []byte {
			return tarball(t, member{name: "e/Chart.yaml", data: "apiVersion: v2\nname: " + strings.Repeat("n", 100<<10) + "\nversion: 1.0.0\n"})
		},
		"version of 100 KB": func() []byte {
			return tarball(t, member{name: "e/Chart.yaml", data: "apiVersion: v2\nname: e\nversion: 1.0.0-" + strings.Repeat("n", 100<<10) + "\n"})
		},
		"member name of 500 KB":     func() []byte { return with(member{name: "evil/" + strings.Repeat("n/", 250_000) + "n", data: "x"}) },
		"flow mapping 100,000 deep": func() []byte { return tarball(t, chartYAML("annotations: "+strings.Repeat("{a: ", 100_000))...) },
	}
	for name, data := range cases {
		t.Run(name, func(t *testing.T) { s.refuses(t, "evil-1.0.0.tgz", put(t, data())) })
		if t.Failed() {
			return // what is left there would spoil the others
		}
	}
}

// sparse is an archive of a chart with a file of 8 GB that is one hole, written in
// GNU tar's old form or as extended header 0.1. archive/tar only reads those.
func sparse(t testing.TB, form byte) []byte {
	const size = 8<<30 - 1
	record := func(key, value string) string {
		for n := len(key) + len(value) + 4; ; n++ {
			if r := fmt.Sprintf("%d %s=%s\n", n, key, value); len(r) == n {
				return r
			}
		}
	}
	var members []byte
	if form == tar.TypeXHeader {
		data := record("GNU.sparse.size", fmt.Sprint(size)) + record("GNU.sparse.numblocks", "1") +
			record("GNU.sparse.map", "0,0") + record("GNU.sparse.name", "evil/x")
		members = append(block("evil/PaxHeaders.0/x", form, len(data)), make([]byte, 512)...)
		copy(members[512:], data)
		members = append(members, block("evil/x", tar.TypeReg, 0)...)
	} else {
		b := block("evil/x", form, 0)
		copy(b[257:265], "ustar  \x00")
		copy(b[386:410], "00000000000\x0000000000000\x00")
		copy(b[483:495], fmt.Sprintf("%011o\x00", size))
		members = sealed(b)
	}
	good, err := gzip.NewReader(bytes.NewReader(tarball(t, goodMembers("evil")...)))
	must(t, err)
	whole, err := io.ReadAll(good)
	must(t, err)
	return compressed(t, append(whole[:len(whole)-1024], append(members, make([]byte, 1024)...)...))
}

// block is the header of one member of a tar archive.
func block(name string, typ byte, size int) []byte {
	b := make([]byte, 512)
	copy(b, name)
	copy(b[100:], "0000644\x000000000\x000000000\x00")
	copy(b[124:], fmt.Sprintf("%011o\x0000000000000\x00", size))
	b[156] = typ
	copy(b[257:], "ustar\x0000")
	return sealed(b)
}

func sealed(b []byte) []byte {
	copy(b[148:156], "        ")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// TestEvilConstraint: a constraint that would take long to parse is not parsed.
func TestEvilConstraint(t *testing.T) {
	s := newTarget(t)
	s.refuses(t, "evil-1.0.0.tgz", put(t, tarball(t, member{name: "evil/Chart.yaml",
		data: "apiVersion: v2\nname: evil\nversion: 1.0.0\n" + dependencies(1, strings.Repeat(">=1.0.0 || ", 50_000))})))
}

func compressed(t testing.TB, data []byte) []byte {
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	_, err := gz.Write(data)
	must(t, err)
	must(t, gz.Close())
	return buf.Bytes()
}

const aliasBomb = "x-a: &a [z,z,z,z,z,z,z,z,z]\nx-b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nx-c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
	"x-d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\nx-e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nx-f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n" +
	"x-g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nx-h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]\nkeywords: *h\n"

func dependencies(n int, constraint string) string {
	var b strings.Builder
	b.WriteString("dependencies:\n")
	for i := range n {
		fmt.Fprintf(&b, "- {name: d%d, version: %q, repository: \"\"}\n", i, constraint)
	}
	return b.String()
}

// bomb is an archive with one member of size zeros: 1,000 to 1.
func bomb(t testing.TB, size int64) []byte {
	var buf bytes.Buffer
	gz, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	must(t, err)
	tw := tar.NewWriter(gz)
	m := goodMembers("evil")[0]
	must(t, tw.WriteHeader(&tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.data))}))
	_, err = io.WriteString(tw, m.data)
	must(t, err)
	must(t, tw.WriteHeader(&tar.Header{Name: "evil/zeros", Mode: 0o644, Size: size}))
	zeros := make([]byte, 1<<20)
	for ; size > 0; size -= int64(len(zeros)) {
		_, err = tw.Write(zeros)
		must(t, err)
	}
	must(t, tw.Close())
	must(t, gz.Close())
	return buf.Bytes()
}

func manyMembers(t testing.TB, n int) []byte {
	var buf bytes.Buffer
	gz, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	must(t, err)
	tw := tar.NewWriter(gz)
	for i := range n {
		must(t, tw.WriteHeader(&tar.Header{Name: fmt.Sprintf("evil/f/%d", i), Mode: 0o644}))
	}
	must(t, tw.Close())
	must(t, gz.Close())
	return buf.Bytes()
}

// nested is an archive in the charts/ of an archive, and so on.
func nested(t testing.TB, depth int) []byte {
	data := tarball(t, goodMembers("evil")...)
	for range depth {
		data = tarball(t, append(goodMembers("evil"), member{name: "evil/charts/evil-1.0.0.tgz", data: string(data)})...)
	}
	return data
}

// TestDamagedArchives cuts a small archive at every byte, and flips bits in it.
// What is published all the same must hold the same content as the whole one.
func TestDamagedArchives(t *testing.T) {
	whole := tarball(t, goodMembers("evil")...)
	content := unpacked(t, whole)
	random := newRandom(t)
	damaged := map[string][]byte{}
	for n := range len(whole) {
		damaged[fmt.Sprintf("cut-%05d.tgz", n)] = whole[:n]
	}
	for n := range pick(1000, 10_000) {
		flipped := bytes.Clone(whole)
		bit := random.IntN(8 * len(whole))
		flipped[bit/8] ^= 1 << (bit % 8)
		damaged[fmt.Sprintf("flip-%05d.tgz", n)] = flipped
	}
	s := newTarget(t)
	s.resetPeak()
	aside, place := filepath.Join(t.TempDir(), "damaged"), filepath.Join(s.tree, "damaged")
	must(t, os.Mkdir(aside, 0o755))
	must(t, os.Rename(aside, place))
	begun, bad := time.Now(), 0
	for name, data := range damaged {
		must(t, os.WriteFile(filepath.Join(place, name), data, 0o644))
		if !bytes.Equal(unpacked(t, data), content) {
			bad++
		}
	}
	until(t, settleTime, func() error {
		if n := len(s.status().Failures); n < bad {
			return fmt.Errorf("%d of %d damaged archives are refused", n, bad)
		}
		return nil
	})
	st := s.status()
	for name, data := range damaged {
		if reason := st.failure(name); reason == "" && !bytes.Equal(unpacked(t, data), content) {
			t.Errorf("%s is not refused", name)
		}
	}
	if err := s.serves("good-1.0.0"); err != nil {
		t.Error(err)
	}
	t.Logf("%d damaged archives, %d of them with other content, all of which are refused after %s; peak %d MiB",
		len(damaged), bad, time.Since(begun).Round(time.Millisecond), s.peak())
}

// unpacked is what an archive's gzip layer holds; nil when it is damaged.
func unpacked(t testing.TB, data []byte) []byte {
	gz, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(gz)
	if err != nil {
		return nil
	}
	return out
}

// TestHostileCharts puts chart directories that no package can be made of.
func TestHostileCharts(t *testing.T) {
	s := newTarget(t)
	const head = "apiVersion: v2\nname: evil\nversion: 1.0.0\n"
	file := func(name, text string) func(string) {
		return func(dir string) { must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)) }
	}
	cases := map[string]func(dir string){
		"Chart.yaml of 50 MB":       file("Chart.yaml", head+"# "+strings.Repeat("x", 50<<20)),
		"alias bomb":                file("Chart.yaml", head+aliasBomb),
		"alias bomb in values":      file("values.yaml", aliasBomb),
		"10,000 dependencies":       file("Chart.yaml", head+dependencies(10_001, "1.0.0")),
		"evil constraint":           file("Chart.yaml", head+dependencies(1, strings.Repeat(">=1.0.0 || ", 50_000))),
		"many missing dependencies": file("Chart.yaml", head+dependencies(9_999, "1.0.0")),
		"name of 100 KB":            file("Chart.yaml", "apiVersion: v2\nname: "+strings.Repeat("n", 100<<10)+"\nversion: 1.0.0\n"),
		"name with a slash":         file("Chart.yaml", "apiVersion: v2\nname: ../../evil\nversion: 1.0.0\n"),
		"name with a newline":       file("Chart.yaml", "apiVersion: v2\nname: \"a\\nb\"\nversion: 1.0.0\n"),
		"Chart.yaml of NULs":        file("Chart.yaml", strings.Repeat("\x00", 100_000)),
		"flow mapping, deep":        file("Chart.yaml", head+"annotations: "+strings.Repeat("{a: ", 100_000)),
		"values, deep":              file("values.yaml", strings.Repeat("[", 1_000_000)),
		"file over the limit":       file("huge", strings.Repeat("x", 6<<20)),
		"pattern with two stars":    file(".helmignore", "a/**/b\n"),
		"Chart.yaml is a FIFO": func(dir string) {
			must(t, os.Remove(filepath.Join(dir, "Chart.yaml")))
			must(t, syscall.Mkfifo(filepath.Join(dir, "Chart.yaml"), 0o644))
		},
		"Chart.yaml is a folder": func(dir string) {
			must(t, os.Remove(filepath.Join(dir, "Chart.yaml")))
			must(t, os.Mkdir(filepath.Join(dir, "Chart.yaml"), 0o755))
		},
		"Chart.yaml leads out": func(dir string) {
			must(t, os.Remove(filepath.Join(dir, "Chart.yaml")))
			must(t, os.Symlink("/etc/hostname", filepath.Join(dir, "Chart.yaml")))
		},
		"a file is a FIFO":   func(dir string) { must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644)) },
		"a link to a device": func(dir string) { must(t, os.Symlink("/dev/zero", filepath.Join(dir, "zero"))) },
		"a link leads out":   func(dir string) { must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "passwd"))) },
		"a folder leads out": func(dir string) { must(t, os.Symlink("/etc", filepath.Join(dir, "etc"))) },
		"a link to itself":   func(dir string) { must(t, os.Symlink("loop", filepath.Join(dir, "loop"))) },
		"a link to above":    func(dir string) { must(t, os.Symlink("..", filepath.Join(dir, "templates", "up"))) },
		"a broken link":      func(dir string) { must(t, os.Symlink("nowhere", filepath.Join(dir, "broken"))) },
		"a socket": func(dir string) {
			fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			must(t, err)
			defer syscall.Close(fd)
			must(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: filepath.Join(dir, "s")}))
		},
		"a name that is not UTF-8 and a backslash": func(dir string) {
			must(t, os.WriteFile(filepath.Join(dir, "\xff\\..\\x"), nil, 0o644))
		},
		"a path of 5,000 bytes": func(dir string) { deepFile(t, dir, 5000) },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			s.refuses(t, "evil", func(path string) {
				aside := filepath.Join(filepath.Dir(s.tree), "aside")
				writeChart(t, aside, "evil", "1.0.0", 0)
				spoil(aside)
				must(t, os.Rename(aside, path))
			})
		})
		if t.Failed() {
			return
		}
	}
}

// deepFile makes a file whose path below dir is of size bytes, and whose absolute
// path is longer than the system takes at once.
func deepFile(t testing.TB, dir string, size int) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	must(t, err)
	part := strings.Repeat("d", 200)
	for left := size; left > 0; left -= len(part) + 1 {
		must(t, root.Mkdir(part, 0o755))
		next, err := root.OpenRoot(part)
		must(t, err)
		root.Close()
		root = next
	}
	must(t, errors.Join(root.WriteFile("f", nil, 0o644), root.Close()))
}
