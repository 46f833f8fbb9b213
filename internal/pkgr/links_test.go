package pkgr

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"chartserve/internal/chart"
	"chartserve/internal/unixtest"
)

// In these tests the chart is src/c, the root is src, and the whole lies in a
// directory that the links can name as ROOT.
func TestLinks(t *testing.T) {
	tests := map[string]struct {
		files tree
		want  map[string]string // by name in the chart, besides Chart.yaml
		kind  error             // or the error
		says  string
	}{
		"to a file beside": {
			files: tree{"src/c/l": "-> f", "src/c/f": "F"},
			want:  map[string]string{"l": "F", "f": "F"},
		},
		"to a file elsewhere in the source": {
			files: tree{"src/c/templates/l": "-> ../../shared/f", "src/shared/f": "F"},
			want:  map[string]string{"templates/l": "F"},
		},
		"to a directory elsewhere in the source": {
			files: tree{"src/c/l": "-> ../shared", "src/shared/f": "F", "src/shared/d/g": "G"},
			want:  map[string]string{"l/f": "F", "l/d/g": "G"},
		},
		"absolute, inside": {
			files: tree{"src/c/l": "-> ROOT/src/shared/f", "src/shared/f": "F"},
			want:  map[string]string{"l": "F"},
		},
		"absolute, inside, by another name of the root": {
			files: tree{"src/c/l": "-> ROOT/alias/shared/f", "src/shared/f": "F", "alias": "-> src"},
			want:  map[string]string{"l": "F"},
		},
		"absolute, with parent parts": {
			files: tree{"src/c/l": "-> ROOT/src/c/../shared/./f", "src/shared/f": "F"},
			want:  map[string]string{"l": "F"},
		},
		"out and back in": {
			files: tree{"src/c/l": "-> ../../src/shared/f", "src/shared/f": "F"},
			want:  map[string]string{"l": "F"},
		},
		"absolute, out and back in": {
			files: tree{"src/c/l": "-> ROOT/src/../src/shared/f", "src/shared/f": "F"},
			want:  map[string]string{"l": "F"},
		},
		"through links to links": {
			files: tree{"src/c/l": "-> ../a/x", "src/a": "-> b", "src/b/x": "-> ../d/f", "src/d": "-> ROOT/src/e", "src/e/f": "F"},
			want:  map[string]string{"l": "F"},
		},
		"parent of a linked directory": {
			// ".." counts from where the link leads, not from where it stands.
			files: tree{"src/c/l": "-> d/../f", "src/c/d": "-> ../far/d", "src/far/d/x": "X", "src/far/f": "far", "src/c/f": "near"},
			want:  map[string]string{"l": "far", "d/x": "X", "f": "near"},
		},
		"in a linked directory": {
			files: tree{"src/c/d": "-> ../far/d", "src/far/d/l": "-> ../f", "src/far/f": "far", "src/c/f": "near"},
			want:  map[string]string{"d/l": "far", "f": "near"},
		},
		"two to one directory": {
			files: tree{"src/c/a": "-> ../shared", "src/c/b": "-> ../shared", "src/shared/f": "F"},
			want:  map[string]string{"a/f": "F", "b/f": "F"},
		},
		"vendored chart": {
			files: tree{"src/c/charts/s": "-> ../../s", "src/s/Chart.yaml": minimalNamed("s", "1.0.0")},
			want:  map[string]string{"charts/s/Chart.yaml": minimalNamed("s", "1.0.0")},
		},
		"to the source itself, outside of the chart": {
			files: tree{"src/c/l": "-> ../x", "src/x/y": "-> ..", "src/x/f": "F"},
			kind:  chart.ErrFile, says: "l/y/c: ",
		},
		"out of the source": {
			files: tree{"src/c/l": "-> ../../secret", "secret": "S"},
			kind:  chart.ErrUnsafe, says: "l",
		},
		"out of the source, absolute": {
			files: tree{"src/c/l": "-> ROOT/secret", "secret": "S"},
			kind:  chart.ErrUnsafe, says: "l",
		},
		"to a name that starts like the root's": {
			files: tree{"src/c/l": "-> ROOT/src2/f", "src2/f": "S"},
			kind:  chart.ErrUnsafe, says: "l",
		},
		"out of the source by a link inside": {
			files: tree{"src/c/l": "-> ../a/f", "src/a": "-> ../away", "away/f": "S"},
			kind:  chart.ErrUnsafe, says: "l",
		},
		"password file": {
			files: tree{"src/c/l": "-> /etc/passwd"},
			kind:  chart.ErrUnsafe, says: ".helmignore",
		},
		"directory out of the source": {
			files: tree{"src/c/l": "-> /etc"},
			kind:  chart.ErrUnsafe, says: "l",
		},
		"broken": {
			files: tree{"src/c/l": "-> none"},
			kind:  chart.ErrFile, says: "broken",
		},
		"through a file": {
			files: tree{"src/c/l": "-> f/x", "src/c/f": "F"},
			kind:  chart.ErrFile, says: "broken",
		},
		"to itself": {
			files: tree{"src/c/l": "-> l"},
			kind:  chart.ErrFile, says: "back to itself",
		},
		"to each other": {
			files: tree{"src/c/a": "-> b", "src/c/b": "-> a"},
			kind:  chart.ErrFile, says: "back to itself",
		},
		"to the chart": {
			files: tree{"src/c/sub/l": "-> .."},
			kind:  chart.ErrFile, says: "sub/l",
		},
		"to its own directory": {
			files: tree{"src/c/sub/l": "-> ."},
			kind:  chart.ErrFile, says: "sub/l",
		},
		"broken but ignored": {
			files: tree{"src/c/l": "-> none", "src/c/.helmignore": "l\n.helmignore\n"},
			want:  map[string]string{},
		},
		"leaves the source but is ignored": {
			files: tree{"src/c/l": "-> /etc/passwd", "src/c/.helmignore": "l\n.helmignore\n"},
			want:  map[string]string{},
		},
		"directory out of the source, ignored as a directory": {
			files: tree{"src/c/l": "-> /etc", "src/c/.helmignore": "l/\n.helmignore\n"},
			want:  map[string]string{},
		},
		"to a file, ignored as a directory": {
			files: tree{"src/c/l": "-> f", "src/c/f": "F", "src/c/.helmignore": "l/\n.helmignore\n"},
			want:  map[string]string{"l": "F", "f": "F"},
		},
		"ignored in a linked directory": {
			files: tree{"src/c/l": "-> ../shared", "src/shared/f": "F", "src/shared/g": "-> none", "src/c/.helmignore": "l/g\n.helmignore\n"},
			want:  map[string]string{"l/f": "F"},
		},
		"helmignore is a link": {
			files: tree{"src/c/.helmignore": "-> ../rules", "src/rules": "*.bak\n.helmignore\n", "src/c/x.bak": ""},
			want:  map[string]string{},
		},
		"helmignore leads out": {
			files: tree{"src/c/.helmignore": "-> /etc/hostname"},
			kind:  chart.ErrUnsafe, says: ".helmignore",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := newTreeDir(t, nil)
			files := tree{"src/c/Chart.yaml": minimal}
			for name, content := range tt.files {
				if len(content) > 7 && content[:7] == "-> ROOT" {
					content = "-> " + dir + content[7:]
				}
				files[name] = content
			}
			files.write(t, dir)
			src := filepath.Join(dir, "src")
			tr, err := NewChecker(Limits{}).List(filepath.Join(src, "c"), []string{src}, nil)
			if tt.kind != nil {
				wantError(t, err, tt.kind, tt.says)
				return
			}
			must(t, err)
			read, err := tr.read()
			must(t, err)
			got := map[string]string{}
			for _, f := range read {
				got[f.Name] = string(f.Data)
			}
			delete(got, "Chart.yaml")
			wantDiff(t, "files", got, tt.want)
		})
	}
}

// Nothing that could block is opened: a FIFO without a writer would hang the
// whole server.
func TestIrregularFiles(t *testing.T) {
	kinds := map[string]func(t *testing.T, at string){
		"fifo": func(t *testing.T, at string) { must(t, unixtest.Fifo(at)) },
		"socket": func(t *testing.T, at string) {
			t.Chdir(filepath.Dir(at)) // the path of a socket must be short
			l, err := net.Listen("unix", filepath.Base(at))
			must(t, err)
			t.Cleanup(func() { l.Close() })
		},
		"device": func(t *testing.T, at string) {
			if err := unixtest.Device(at); err != nil {
				t.Skip("needs root: ", err)
			}
		},
		"link to a fifo": func(t *testing.T, at string) {
			must(t, unixtest.Fifo(filepath.Join(filepath.Dir(at), ".ignored")))
			must(t, os.Symlink(".ignored", at))
		},
	}
	for name, mk := range kinds {
		t.Run(name, func(t *testing.T) {
			dir := newTreeDir(t, tree{"Chart.yaml": minimal, ".helmignore": ".ignored\n"})
			mk(t, filepath.Join(dir, "thing"))
			_, err := NewChecker(Limits{}).List(dir, []string{dir}, nil)
			wantError(t, err, chart.ErrFile, "thing", "regular", ".helmignore")
			must(t, os.WriteFile(filepath.Join(dir, ".helmignore"), []byte(".ignored\nthing\n"), 0o644))
			if _, err := loadIn(dir, dir, Limits{}); err != nil {
				t.Errorf("ignored, and still: %v", err)
			}
		})
	}
	t.Run("helmignore", func(t *testing.T) {
		dir := newTreeDir(t, tree{"Chart.yaml": minimal})
		must(t, unixtest.Fifo(filepath.Join(dir, ".helmignore")))
		_, err := NewChecker(Limits{}).List(dir, []string{dir}, nil)
		wantError(t, err, chart.ErrFile, ".helmignore", "regular")
	})
	t.Run("chart", func(t *testing.T) {
		dir := newTreeDir(t, nil)
		must(t, unixtest.Fifo(filepath.Join(dir, "c")))
		_, err := NewChecker(Limits{}).List(filepath.Join(dir, "c"), []string{dir}, nil)
		wantError(t, err, chart.ErrFile, "directory")
		_, err = NewChecker(Limits{}).List(filepath.Join(dir, "c"), []string{filepath.Join(dir, "c")}, nil)
		wantError(t, err, chart.ErrFile, "directory")
	})
}
