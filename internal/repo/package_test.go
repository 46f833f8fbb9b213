package repo

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPackage(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1"+here, "stored ^1"+here), chartFiles("kit", "kit", "1.0.0"), chartFiles("newer/kit", "kit", "1.5.0"), chartFiles("other", "other", "1.0.0"),
		chartFiles("c1", "c1", "1.0.0", "c2 1 file://../c2"), chartFiles("c2", "c2", "1.0.0", "c1 1 file://../c1"),
		chartFiles("bad", "bad", "1.0.0", "gone ^1 file://../gone"), chartFiles("plain", "plain", "2.0.0+x"), map[string]string{
			"stored.tgz": string(archiveOf(t, "stored", "1.1.0")), "older/stored.tgz": string(archiveOf(t, "stored", "1.0.0")), "file": "x",
			"warned/Chart.yaml": "apiVersion: v2\nname: warned\nversion: 1.0.0\ndependencies:\n- {name: kit, version: ^1, repository: 'file://../gone'}\n",
		}, vendor("warned", "kit", "1.0.0"))
	var log bytes.Buffer
	in := func(name string) string { return filepath.Join(f.tree, name) }
	cases := map[string]struct {
		dirs  []string
		set   func(o *PackageOptions)
		want  []string
		fails string
		logs  string
	}{
		"dependencies beside it": {dirs: []string{in("app")}, want: []string{"app-1.0.0.tgz: kit-1.5.0 stored-1.1.0"}},
		"dependencies elsewhere": {dirs: []string{in("app")}, set: func(o *PackageOptions) { o.Sources = []string{in("newer")} }, fails: "dependency stored"},
		"another version":        {dirs: []string{in("plain")}, set: func(o *PackageOptions) { o.Version, o.AppVersion = "3.0.0", "2026" }, want: []string{"plain-3.0.0.tgz 2026:"}},
		"build metadata":         {dirs: []string{in("plain"), in("kit")}, set: func(o *PackageOptions) { o.BuildMetadata = "abc" }, want: []string{"kit-1.0.0+abc.tgz:", "plain-2.0.0+x.abc.tgz:"}},
		"metadata and version":   {dirs: []string{in("plain")}, set: func(o *PackageOptions) { o.BuildMetadata, o.Version = "abc", "3.0.0" }, want: []string{"plain-3.0.0+abc.tgz:"}},
		"one of two":             {dirs: []string{in("bad"), in("kit")}, want: []string{"kit-1.0.0.tgz:"}, fails: "no chart at that path"},
		"a cycle":                {dirs: []string{in("c1")}, fails: "dependency cycle"},
		"no chart":               {dirs: []string{in("older")}, fails: "Chart.yaml"},
		"no directory":           {dirs: []string{in("none")}, fails: "no such directory"},
		"a file":                 {dirs: []string{in("file")}, fails: "not a directory"},
		"too large":              {dirs: []string{in("kit")}, set: func(o *PackageOptions) { o.Limits.Chart = 10 }, fails: "--max-chart-size"},
		"a warning":              {dirs: []string{in("warned")}, want: []string{"warned-1.0.0.tgz: kit-1.0.0"}, logs: "the copy in charts/ is used"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dest := filepath.Join(t.TempDir(), "new", "dest")
			t.Setenv("TMPDIR", t.TempDir())
			log.Reset()
			o := PackageOptions{Options: Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}}
			if c.set != nil {
				c.set(&o)
			}
			paths, failures, err := Package(context.Background(), c.dirs, dest, o)
			must(t, err)
			var got []string
			for _, p := range paths {
				fi, err := os.Stat(p)
				must(t, err)
				if fi.Mode() != 0o644 {
					t.Errorf("%s has mode %v", p, fi.Mode())
				}
				out := &fixture{t: t, repo: dest}
				line := filepath.Base(p)
				if v := out.chart(line).Metadata.AppVersion; v != "" {
					line += " " + v
				}
				got = append(got, strings.TrimSpace(line+": "+strings.Join(out.members(filepath.Base(p)), " ")))
			}
			slices.Sort(got)
			wantNames(t, got, c.want...)
			if c.fails == "" && len(failures) > 0 || c.fails != "" && (len(failures) != 1 || !strings.Contains(failures[0].Reason, c.fails) || failures[0].Path != c.dirs[0]) {
				t.Errorf("failures %+v, want %q", failures, c.fails)
			}
			if !strings.Contains(log.String(), c.logs) || c.logs == "" && strings.Contains(log.String(), "level=WARN") {
				t.Errorf("log: %s", &log)
			}
			left, err := os.ReadDir(dest)
			must(t, err)
			scratch, err := os.ReadDir(os.TempDir())
			must(t, err)
			if len(left) != len(paths) || len(scratch) > 0 {
				t.Errorf("%d files for %d archives, left in the temporary directory: %v", len(left), len(paths), scratch)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if paths, _, err := Package(ctx, []string{in("kit")}, t.TempDir(), PackageOptions{}); !errors.Is(err, context.Canceled) || len(paths) > 0 {
		t.Errorf("after the end: %v, %v", paths, err)
	}
	if _, _, err := Package(context.Background(), []string{in("kit")}, in("file"), PackageOptions{}); err == nil || !strings.Contains(err.Error(), "destination") {
		t.Errorf("a file as destination: %v", err)
	}
}
