package pkgr

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/fileid"
	"chartserve/internal/roots"
	"chartserve/internal/unixtest"
)

// What stands in a chart's directory and gets into the archive of Helm 4, and
// what makes `helm package` or Helm's loader refuse the chart.
func TestLoadTrees(t *testing.T) {
	big := strings.Repeat("x", 6<<20)
	sub := string(archiveOf(t, member{name: "s/Chart.yaml", body: minimalNamed("s", "1.0.0")}, member{name: "s/templates/a", body: "A"}))
	tests := map[string]struct {
		files tree
		want  []string // members besides c/Chart.yaml, without c/
		kind  error
		says  []string
	}{
		"no Chart.yaml":          {files: tree{"Chart.yaml": "", "values.yaml": ""}, kind: chart.ErrMetadata, says: []string{"Chart.yaml"}},
		"no Chart.yaml at all":   {files: tree{"Chart.yaml/": "", "values.yaml": ""}, kind: chart.ErrMetadata, says: []string{"Chart.yaml", "missing", "helm create"}},
		"chart.yaml":             {files: tree{"Chart.yaml/": "", "chart.yaml": minimal}, kind: chart.ErrMetadata, says: []string{"there is chart.yaml", "rename"}},
		"Chart.yml":              {files: tree{"Chart.yaml/": "", "Chart.yml": minimal}, kind: chart.ErrMetadata, says: []string{"there is Chart.yml", "rename"}},
		"bad metadata":           {files: tree{"Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.2.3.4\n"}, kind: chart.ErrMetadata, says: []string{"Chart.yaml", "version", "1.2.3.4"}},
		"file in charts":         {files: tree{"charts/README.md": ""}, kind: chart.ErrFile, says: []string{"charts/README.md", ".helmignore"}},
		"junk archive":           {files: tree{"charts/x.tgz": "junk"}, kind: chart.ErrArchive, says: []string{"charts/x.tgz", "not a gzip file"}},
		"empty archive":          {files: tree{"charts/x.tgz": ""}, kind: chart.ErrArchive, says: []string{"charts/x.tgz", "empty"}},
		"archive cut short":      {files: tree{"charts/x.tgz": sub[:len(sub)-12]}, kind: chart.ErrArchive, says: []string{"charts/x.tgz", "cut short"}},
		"directory like archive": {files: tree{"charts/x.tgz/Chart.yaml": minimal}, kind: chart.ErrArchive, says: []string{"charts/x.tgz", "rename"}},
		"no chart in charts":     {files: tree{"charts/x/values.yaml": ""}, kind: chart.ErrMetadata, says: []string{"charts/x/Chart.yaml", "missing"}},
		"bad chart in charts":    {files: tree{"charts/x/Chart.yaml": "name: [\n"}, kind: chart.ErrMetadata, says: []string{"charts/x/Chart.yaml"}},
		"bad chart in archive": {
			files: tree{"charts/x.tgz": string(archiveOf(t, member{name: "x/Chart.yaml", body: "name: x\n"}))},
			kind:  chart.ErrMetadata, says: []string{"charts/x.tgz: Chart.yaml", "version"},
		},
		"bad values in charts":  {files: tree{"charts/x/Chart.yaml": minimal, "charts/x/values.yaml": "- 1\n"}, kind: chart.ErrFile, says: []string{"charts/x/values.yaml", "list"}},
		"values is a list":      {files: tree{"values.yaml": "- 1\n"}, kind: chart.ErrFile, says: []string{"values.yaml", "mapping", "list"}},
		"values is no YAML":     {files: tree{"values.yaml": "a: [\n"}, kind: chart.ErrFile, says: []string{"values.yaml", "line"}},
		"schema is no JSON":     {files: tree{"values.schema.json": "{"}, kind: chart.ErrFile, says: []string{"values.schema.json", "JSON"}},
		"schema is empty":       {files: tree{"values.schema.json": ""}, kind: chart.ErrFile, says: []string{"values.schema.json", "JSON"}},
		"schema of a sub-chart": {files: tree{"charts/x/Chart.yaml": minimal, "charts/x/values.schema.json": "{"}, kind: chart.ErrFile, says: []string{"charts/x/values.schema.json"}},
		"schema in an archive": {
			files: tree{"charts/x.tgz": string(archiveOf(t, member{name: "x/Chart.yaml", body: minimal}, member{name: "x/values.schema.json", body: "{"}))},
			kind:  chart.ErrFile, says: []string{"charts/x.tgz: values.schema.json"},
		},
		"double star":          {files: tree{".helmignore": "a/**/b\n"}, kind: chart.ErrIgnore, says: []string{".helmignore", "**"}},
		"bad pattern":          {files: tree{".helmignore": "a[\n"}, kind: chart.ErrIgnore, says: []string{".helmignore", "a["}},
		"helmignore directory": {files: tree{".helmignore/x": ""}, kind: chart.ErrFile, says: []string{".helmignore"}},
		"helmignore too large": {files: tree{".helmignore": strings.Repeat("# none\n", 200_000)}, kind: chart.ErrIgnore, says: []string{".helmignore", "1400000"}},
		// Helm: "Chart.yaml file is missing".
		"Chart.yaml ignored":    {files: tree{".helmignore": "*.yaml\n"}, kind: chart.ErrMetadata, says: []string{"Chart.yaml", ".helmignore leaves it out"}},
		"all but ignored":       {files: tree{".helmignore": "!templates\n"}, kind: chart.ErrMetadata, says: []string{"Chart.yaml", ".helmignore leaves it out", "!"}},
		"broken link":           {files: tree{"l": "-> none"}, kind: chart.ErrFile, says: []string{"l", "broken", ".helmignore"}},
		"link loop":             {files: tree{"l": "-> l"}, kind: chart.ErrFile, says: []string{"l", "back to itself"}},
		"password file":         {files: tree{"l": "-> /etc/passwd"}, kind: chart.ErrUnsafe, says: []string{"l", "/etc/passwd"}},
		"large file":            {files: tree{"big": big}, kind: chart.ErrLimit, says: []string{"big", "6291456", "--max-file-size", ".helmignore"}},
		"bad requirements":      {files: tree{"requirements.yaml": "dependencies: 1\n"}, kind: chart.ErrDependency, says: []string{"requirements.yaml"}},
		"bad lock":              {files: tree{"Chart.lock": "dependencies: 1\n"}, kind: chart.ErrDependency, says: []string{"Chart.lock"}},
		"bad lock, v1":          {files: tree{"requirements.lock": "a: [\n"}, kind: chart.ErrDependency, says: []string{"requirements.lock"}},
		"parent dots in front":  {files: tree{"..data/x": ""}, kind: chart.ErrUnsafe, says: []string{"..data/x", "rename"}},
		"drive":                 {files: tree{"c:/x": ""}, kind: chart.ErrUnsafe, says: []string{"c:/x", "rename"}},
		"backslash":             {files: tree{`a\Chart.yaml`: minimal}, kind: chart.ErrUnsafe, says: []string{"backslash", "Chart.yaml"}},
		"backslash and parents": {files: tree{`a\..\..\x`: ""}, kind: chart.ErrUnsafe, says: []string{"rename"}},

		"large but ignored":       {files: tree{"big": big, ".helmignore": "big\n.helmignore\n"}},
		"dotfiles":                {files: tree{".a": "", ".git/config": ""}, want: []string{".a", ".git/config"}},
		"gitkeep in charts":       {files: tree{"charts/.gitkeep": "", "charts/_x/a": "", "charts/_y": "", "charts/.z/b": ""}},
		"provenance in charts":    {files: tree{"charts/x.tgz.prov": "p", "charts/y/z.prov": "q", "b": ""}, want: []string{"b", "charts/x.tgz.prov", "charts/y/z.prov"}},
		"sub-chart directory":     {files: tree{"charts/d/Chart.yaml": minimalNamed("s", "1.0.0"), "charts/d/x": ""}, want: []string{"charts/s/Chart.yaml", "charts/s/x"}},
		"sub-chart archive":       {files: tree{"charts/s-1.0.0.tgz": sub}, want: []string{"charts/s/Chart.yaml", "charts/s/templates/a"}},
		"archive elsewhere":       {files: tree{"files/x.tgz": "junk", "x.tgz": "junk"}, want: []string{"files/x.tgz", "x.tgz"}},
		"archive that is skipped": {files: tree{"charts/_old/x.tgz": "junk", "charts/_x.tgz": "junk"}},
		"empty values":            {files: tree{"values.yaml": ""}, want: []string{"values.yaml"}},
		"comment values":          {files: tree{"values.yaml": "# none\n"}, want: []string{"values.yaml"}},
		"order of kinds": {
			files: tree{
				"a": "", "values.yaml": "", "values.schema.json": "{}", "templates/t": "", "crds/c": "", "Chart.lock": "dependencies: []\n",
				"charts/s/Chart.yaml": minimalNamed("s", "1.0.0"), "z": "",
			},
			want: []string{"Chart.lock", "values.yaml", "values.schema.json", "templates/t", "a", "crds/c", "z", "charts/s/Chart.yaml"},
		},
		"missing dependency is not for us": {
			files: tree{"Chart.yaml": minimal + "dependencies: [{name: x, version: 1.0.0, repository: http://example.com}]\n"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, ok := tt.files["Chart.yaml"]; !ok {
				tt.files["Chart.yaml"] = minimal
			}
			if _, ok := tt.files["Chart.yaml/"]; ok {
				delete(tt.files, "Chart.yaml")
				delete(tt.files, "Chart.yaml/")
			}
			dir := newTreeDir(t, tt.files)
			c, err := loadIn(dir, dir, Limits{})
			if tt.kind != nil {
				wantError(t, err, tt.kind, tt.says...)
				return
			}
			must(t, err)
			var want []string
			for _, n := range append([]string{"Chart.yaml"}, tt.want...) {
				want = append(want, "c/"+n)
			}
			archive := pack(t, c)
			wantDiff(t, "members", names(members(t, archive)), want)
			if _, err := check(archive); err != nil {
				t.Errorf("our own archive is refused: %v", err)
			}
		})
	}
}

func TestLoadKeepsBytes(t *testing.T) {
	dir := newTreeDir(t, tree{
		"Chart.yaml":  "\xef\xbb\xbf# comment\r\nname: c\r\nversion: 1.0.0\r\nunknown: 1",
		"values.yaml": "\xef\xbb\xbfa: 1\r\n",
		"templates/t": "\xef\xbb\xbf\xef\xbb\xbfx\r\n",
	})
	wantDiff(t, "contents", contents(t, pack(t, load(t, dir))), map[string]string{
		"c/Chart.yaml":  "# comment\r\nname: c\r\nversion: 1.0.0\r\nunknown: 1",
		"c/values.yaml": "a: 1\r\n",
		"c/templates/t": "\xef\xbb\xbfx\r\n",
	})
}

func TestLoadVersions(t *testing.T) {
	const v1 = "apiVersion: v1\nname: c\nversion: 1.0.0\n"
	const deps = "dependencies:\n- name: d\n  version: 1.0.0\n  repository: http://example.com\n"
	const lockA = "dependencies: []\ndigest: a\ngenerated: \"2020-01-01T00:00:00Z\"\n"
	const lockB = "dependencies: []\ndigest: b\ngenerated: \"2020-01-01T00:00:00Z\"\n"
	tests := map[string]struct {
		files   tree
		want    []string
		deps    int
		lock    string
		chart   string // of what Chart.yaml must hold
		warning string
	}{
		"v1": {
			files: tree{"Chart.yaml": v1, "requirements.yaml": deps, "requirements.lock": lockA, "a": "", "z": ""},
			want:  []string{"Chart.yaml", "a", "requirements.lock", "requirements.yaml", "z"},
			deps:  1, lock: "a", chart: v1,
		},
		"v1 with Chart.lock": {
			files: tree{"Chart.yaml": v1, "Chart.lock": lockA},
			want:  []string{"Chart.yaml"},
			lock:  "a", chart: v1,
		},
		"v1, dependencies in Chart.yaml": {
			files: tree{"Chart.yaml": v1 + deps},
			want:  []string{"Chart.yaml"},
			deps:  1, chart: v1 + deps,
		},
		"no apiVersion": {
			files: tree{"Chart.yaml": "name: c\nversion: 1.0.0\n", "requirements.yaml": deps},
			want:  []string{"Chart.yaml", "requirements.yaml"},
			deps:  1, chart: "name: c\nversion: 1.0.0\n",
		},
		"v2": {
			files: tree{"Chart.yaml": minimal + deps, "Chart.lock": lockA},
			want:  []string{"Chart.yaml", "Chart.lock"},
			deps:  1, lock: "a", chart: minimal + deps,
		},
		"v2 with requirements.lock": {
			files: tree{"Chart.yaml": minimal, "requirements.lock": lockB},
			want:  []string{"Chart.yaml", "Chart.lock"},
			lock:  "b", chart: minimal,
		},
		"v2 with both locks": {
			files: tree{"Chart.yaml": minimal, "Chart.lock": lockA, "requirements.lock": lockB},
			want:  []string{"Chart.yaml", "Chart.lock"},
			lock:  "b", chart: minimal,
		},
		"v2 with requirements": {
			files: tree{"Chart.yaml": minimal, "requirements.yaml": deps},
			want:  []string{"Chart.yaml"},
			deps:  1, chart: "apiVersion: v2\ndependencies:\n- name: d\n  repository: http://example.com\n  version: 1.0.0\nname: c\nversion: 1.0.0\n", warning: "the archive has them there",
		},
		"v2 with requirements without any": {
			files: tree{"Chart.yaml": minimal + deps, "requirements.yaml": "# none\n"},
			want:  []string{"Chart.yaml"},
			deps:  1, chart: minimal + deps,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := load(t, newTreeDir(t, tt.files))
			wantDiff(t, "files", fileNames(c), tt.want)
			if got := len(c.Metadata.Dependencies); got != tt.deps {
				t.Errorf("%d dependencies, want %d", got, tt.deps)
			}
			lock := ""
			if c.Lock != nil {
				lock = c.Lock.Digest
			}
			if lock != tt.lock {
				t.Errorf("lock %q, want %q", lock, tt.lock)
			}
			if lock != "" && c.Files[len(c.Files)-1].Name == "Chart.lock" && !bytes.Contains(c.Files[len(c.Files)-1].Data, []byte("digest: "+lock)) {
				t.Errorf("Chart.lock holds another lock: %s", c.Files[len(c.Files)-1].Data)
			}
			wantDiff(t, "Chart.yaml", string(c.Files[0].Data), tt.chart)
			if got := strings.Join(c.Warnings, "\n"); !strings.Contains(got, tt.warning) || tt.warning == "" && got != "" {
				t.Errorf("warnings %q, want %q", got, tt.warning)
			}
		})
	}
}

// Between listing and reading a file can become anything.
func TestLoadAfterChange(t *testing.T) {
	tests := map[string]struct {
		change func(t *testing.T, dir string)
		want   string // of a
		kind   error
	}{
		"written": {change: func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, "a"), []byte("new"), 0o644))
		}, want: "new"},
		"written to the same size": {change: func(t *testing.T, dir string) {
			time.Sleep(10 * time.Millisecond)
			must(t, os.WriteFile(filepath.Join(dir, "a"), []byte("OLD"), 0o644))
		}, want: "OLD"},
		"renamed over": {change: func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, "tmp"), []byte("new"), 0o644))
			must(t, os.Rename(filepath.Join(dir, "tmp"), filepath.Join(dir, "a")))
		}, want: "new"},
		"removed":           {change: func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "a"))) }, want: "none"},
		"directory removed": {change: func(t *testing.T, dir string) { must(t, os.RemoveAll(filepath.Join(dir, "d"))) }, want: "old"},
		"ignored": {change: func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, "a"), []byte("new"), 0o644))
			must(t, os.WriteFile(filepath.Join(dir, ".helmignore"), []byte("a\n"), 0o644))
		}, want: "none"},
		"a link out": {change: func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(dir, "a")))
			must(t, os.Symlink("/etc/hostname", filepath.Join(dir, "a")))
		}, kind: chart.ErrUnsafe},
		"its directory a link out": {change: func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "d")))
			must(t, os.Symlink("/etc", filepath.Join(dir, "d")))
		}, kind: chart.ErrUnsafe},
		"a fifo": {change: func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(dir, "a")))
			must(t, unixtest.Fifo(filepath.Join(dir, "a")))
		}, kind: chart.ErrFile},
		"its directory a fifo": {change: func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "d")))
			must(t, unixtest.Fifo(filepath.Join(dir, "d")))
		}, kind: chart.ErrFile},
		"the chart gone": {change: func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) }, kind: os.ErrNotExist},
		"the chart a fifo": {change: func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir))
			must(t, unixtest.Fifo(dir))
		}, kind: chart.ErrFile},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := newTreeDir(t, tree{"c/Chart.yaml": minimal, "c/a": "old", "c/d/b": "", "c/e": ""})
			dir := filepath.Join(root, "c")
			tr, err := NewChecker(Limits{}).List(dir, []string{root}, nil)
			must(t, err)
			tt.change(t, dir)
			c, err := tr.Load()
			if tt.kind != nil {
				wantError(t, err, tt.kind)
				return
			}
			must(t, err)
			got := "none"
			for _, f := range c.Files {
				if f.Name == "a" {
					got = string(f.Data)
				}
			}
			if got != tt.want {
				t.Errorf("a is %q, want %q", got, tt.want)
			}
			fresh, err := NewChecker(Limits{}).List(dir, []string{root}, nil)
			must(t, err)
			if fresh.Fingerprint != tr.Fingerprint {
				t.Error("the fingerprint is not that of what was loaded")
			}
		})
	}
}

// A file that changes at each listing is given up on.
func TestLoadGivesUp(t *testing.T) {
	dir := newTreeDir(t, tree{"Chart.yaml": minimal, "a": "", "l": "-> sub/x", "sub/x": ""})
	lists := 0
	tr, err := NewChecker(Limits{}).List(dir, []string{dir}, func(d string) {
		// The link is followed after its directory was listed: the listing of "a"
		// is out of date already.
		if filepath.Base(d) == "sub" {
			lists++
			must(t, os.WriteFile(filepath.Join(dir, "a"), bytes.Repeat([]byte("x"), lists), 0o644))
		}
	})
	must(t, err)
	_, err = tr.Load()
	wantError(t, err, chart.ErrFile, "a", "changed while it was read")
	if !errors.Is(err, errChanged) || lists < 3 {
		t.Errorf("listed %d times, error %v", lists, err)
	}
}

// Reading looks again at what it has opened, without waiting for a writer, and not
// for one that is there but silent either.
func TestReadListedFIFO(t *testing.T) {
	dir := newTreeDir(t, tree{"f": "x"})
	at := filepath.Join(dir, "f")
	fi, err := os.Lstat(at)
	must(t, err)
	must(t, os.Remove(at))
	must(t, unixtest.Fifo(at))
	in := roots.New(dir)
	defer in.Close()
	read := func() {
		t.Helper()
		done := make(chan error, 1)
		go func() { done <- readListed(in, at, fileid.ExactOf(fi), make([]byte, 1)) }()
		select {
		case err := <-done:
			if !errors.Is(err, errChanged) {
				t.Errorf("error %v, want %v", err, errChanged)
			}
		case <-time.After(10 * time.Second):
			t.Error("it waits")
		}
	}
	read()
	writer, err := os.OpenFile(at, os.O_RDWR, 0)
	must(t, err)
	defer writer.Close()
	read()
}

// busy is a file that is written to while it is read.
type busy struct {
	*os.File
	write func()
}

func (b busy) Read(p []byte) (int, error) {
	n, err := b.File.Read(p)
	b.write()
	return n, err
}

func TestReadWhileWritten(t *testing.T) {
	at := filepath.Join(newTreeDir(t, tree{"f": "before"}), "f")
	fi, err := os.Lstat(at)
	must(t, err)
	f, err := os.Open(at)
	must(t, err)
	defer f.Close()
	buf := make([]byte, 6)
	must(t, readSame(busy{f, func() {}}, fileid.ExactOf(fi), buf))
	_, err = f.Seek(0, 0)
	must(t, err)
	grow := func() { must(t, os.WriteFile(at, []byte("after it"), 0o644)) }
	if err := readSame(busy{f, grow}, fileid.ExactOf(fi), buf); !errors.Is(err, errChanged) {
		t.Errorf("error %v, want %v", err, errChanged)
	}
}

func TestLoadUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root can read everything")
	}
	for _, name := range []string{"values.yaml", "templates"} {
		dir := newTreeDir(t, tree{"Chart.yaml": minimal, "values.yaml": "", "templates/a": ""})
		must(t, os.Chmod(filepath.Join(dir, name), 0))
		_, err := loadIn(dir, dir, Limits{})
		wantError(t, err, chart.ErrFile, name, "permission denied", "readable")
		must(t, os.Chmod(filepath.Join(dir, name), 0o755))
	}
}
