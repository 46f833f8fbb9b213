package pkgr

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"chartserve/internal/chart"
)

func TestContentKey(t *testing.T) {
	base := tree{"Chart.yaml": minimal, "values.yaml": "a: 1\n", "templates/x": "X", "charts/s/Chart.yaml": minimalNamed("s", "1.0.0"), "charts/s/y": "Y"}
	key := func(changes tree) [32]byte {
		files := tree{}
		for name, content := range base {
			files[name] = content
		}
		for name, content := range changes {
			files[name] = content
		}
		return load(t, newTreeDir(t, files)).ContentKey()
	}
	want := key(nil)
	if got := key(tree{"charts/_x/ignored": "x", "empty/": ""}); got != want {
		t.Error("what is not in the archive changes the key")
	}
	seen := map[[32]byte]string{want: "nothing"}
	for name, changes := range map[string]tree{
		"content":       {"templates/x": "Z"},
		"new file":      {"templates/z": ""},
		"moved border":  {"templates/x": "", "templates/xX": ""},
		"sub-chart":     {"charts/s/y": "Z"},
		"new sub-chart": {"charts/t/Chart.yaml": minimalNamed("t", "1.0.0")},
		"version":       {"Chart.yaml": minimalNamed("c", "1.0.1")},
	} {
		got := key(changes)
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s have one key", name, other)
		}
		seen[got] = name
	}
	// The key is that of the archive, wherever the chart comes from.
	c := load(t, newTreeDir(t, base))
	again, err := NewChecker(Limits{}).Read(bytes.NewReader(pack(t, c)))
	must(t, err)
	if again.ContentKey() != want {
		t.Error("read back from its archive, the chart has another key")
	}
	literal := &Chart{Metadata: c.Metadata, Files: c.Files, Subcharts: c.Subcharts}
	if literal.ContentKey() != want {
		t.Error("the key depends on how the chart was made")
	}
	if c.ContentKey() != want {
		t.Error("loaded again, the chart has another key")
	}
}

// Where a name ends and the content begins is part of the key.
func TestContentKeyBorders(t *testing.T) {
	eight := func(n byte) string { return string([]byte{n, 0, 0, 0, 0, 0, 0, 0}) }
	a := &Chart{Files: []File{{Name: "a", Data: []byte(eight(1) + "b")}}}
	b := &Chart{Files: []File{{Name: "a" + eight(9), Data: []byte("b")}}}
	if a.ContentKey() == b.ContentKey() {
		t.Error("two charts have one key")
	}
}

func TestWithSubcharts(t *testing.T) {
	c := load(t, newTreeDir(t, tree{"Chart.yaml": minimal, "charts/old/Chart.yaml": minimalNamed("old", "1.0.0")}))
	sub := load(t, newTreeDir(t, tree{"Chart.yaml": minimalNamed("new", "1.0.0"), "f": "12345"}))
	subs := []*Chart{sub}
	d := c.WithSubcharts(subs)
	subs[0] = nil
	if got := names(members(t, pack(t, d))); strings.Join(got, " ") != "c/Chart.yaml c/charts/new/Chart.yaml c/charts/new/f" {
		t.Errorf("members %q", got)
	}
	if got := names(members(t, pack(t, c))); strings.Join(got, " ") != "c/Chart.yaml c/charts/old/Chart.yaml" {
		t.Errorf("the original has members %q", got)
	}
	if got, want := size(d), int64(len(minimal)+len(minimalNamed("new", "1.0.0"))+5); got != want {
		t.Errorf("size %d, want %d", got, want)
	}
	if c.ContentKey() == d.ContentKey() || d.ContentKey() != c.WithSubcharts([]*Chart{sub}).ContentKey() {
		t.Error("the keys don't follow the sub-charts")
	}
	if bare := c.WithSubcharts(nil); bare.ContentKey() != load(t, newTreeDir(t, tree{"Chart.yaml": minimal})).ContentKey() {
		t.Error("without sub-charts the key is another one than that of a chart that never had any")
	}
}

func TestDuplicateSubcharts(t *testing.T) {
	old := string(archiveOf(t, member{name: "s/Chart.yaml", body: minimalNamed("s", "1.0.0")}, member{name: "s/from", body: "archive"}))
	c := load(t, newTreeDir(t, tree{
		"Chart.yaml": minimal, "charts/s-1.0.0.tgz": old,
		"charts/s/Chart.yaml": minimalNamed("s", "1.0.0"), "charts/s/from": "directory",
		"charts/t/Chart.yaml": minimalNamed("s", "2.0.0"),
	}))
	if len(c.Subcharts) != 2 || c.Subcharts[0].Metadata.Version != "1.0.0" || c.Subcharts[1].Metadata.Version != "2.0.0" {
		t.Fatalf("sub-charts %v", c.Subcharts)
	}
	if got := string(c.Subcharts[0].Files[1].Data); got != "directory" {
		t.Errorf("the copy from the %s won, want the first in path order", got)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "charts/s-1.0.0.tgz") {
		t.Errorf("warnings %q", c.Warnings)
	}
}

func TestLimits(t *testing.T) {
	const mib = 1 << 20
	file := func(n int) string { return strings.Repeat("x", n) }
	sub := func(n int) string {
		return string(archiveOf(t, member{name: "s/Chart.yaml", body: minimalNamed("s", "1.0.0")}, member{name: "s/big", body: file(n)}))
	}
	small := Limits{File: 1000, Chart: 3000}
	raised := Limits{File: 8 * mib, Chart: 200 * mib}
	tests := map[string]struct {
		files  tree
		limits Limits
		says   []string // of the error; nil: good
		warns  string
	}{
		"file at Helm's limit":      {files: tree{"big": file(5 * mib)}},
		"file over Helm's limit":    {files: tree{"big": file(5*mib + 1)}, says: []string{"big", "5242881", "--max-file-size", "5 MiB"}},
		"file over, limit raised":   {files: tree{"big": file(6 * mib)}, limits: raised, warns: "big: 6291456 bytes: Helm 3, and Helm 4 before 4.3, refuse"},
		"file over raised limit":    {files: tree{"big": file(8*mib + 1)}, limits: raised, says: []string{"big", "--max-file-size"}},
		"file over lowered limit":   {files: tree{"big": file(1001)}, limits: small, says: []string{"big", "1001", "1000"}},
		"chart over lowered limit":  {files: tree{"a": file(900), "b": file(900), "c": file(900), "d": file(900)}, limits: small, says: []string{"3000", "--max-chart-size", ".helmignore"}},
		"ignored files don't count": {files: tree{"a": file(900), "b": file(900), "c": file(900), "d": file(9000), ".helmignore": "d\n"}, limits: small},
		"vendored file":             {files: tree{"charts/s.tgz": sub(1001)}, limits: small, says: []string{"charts/s.tgz: big", "--max-file-size"}},
		"vendored chart":            {files: tree{"charts/s.tgz": sub(900), "a": file(900), "b": file(900), "c": file(300)}, limits: small, says: []string{"--max-chart-size"}},
		"vendored, limit raised":    {files: tree{"charts/s.tgz": sub(6 * mib)}, limits: raised, warns: "charts/s/big: 6291456"},
		"in a directory":            {files: tree{"charts/s/Chart.yaml": minimalNamed("s", "1.0.0"), "charts/s/big": file(6 * mib)}, limits: raised, warns: "charts/s/big: 6291456"},
		"vendored archive itself":   {files: tree{"charts/s.tgz": file(1001)}, limits: small, says: []string{"charts/s.tgz", "--max-file-size"}},
		"chart over, limit raised": {
			files: tree{
				"1": file(8 * mib), "2": file(8 * mib), "3": file(8 * mib), "4": file(8 * mib), "5": file(8 * mib), "6": file(8 * mib),
				"7": file(8 * mib), "8": file(8 * mib), "9": file(8 * mib), "a": file(8 * mib), "b": file(8 * mib), "c": file(8 * mib), "d": file(8 * mib),
			},
			limits: raised, warns: "bytes in all: Helm 3 and 4 refuse",
		},
		"chart over": {
			files: tree{
				"1": file(5 * mib), "2": file(5 * mib), "3": file(5 * mib), "4": file(5 * mib), "5": file(5 * mib), "6": file(5 * mib), "7": file(5 * mib),
				"8": file(5 * mib), "9": file(5 * mib), "a": file(5 * mib), "b": file(5 * mib), "c": file(5 * mib), "d": file(5 * mib), "e": file(5 * mib),
				"f": file(5 * mib), "g": file(5 * mib), "h": file(5 * mib), "i": file(5 * mib), "j": file(5 * mib), "k": file(5 * mib), "l": file(5 * mib),
			},
			says: []string{"104857600", "--max-chart-size", "100 MiB"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.files["Chart.yaml"] = minimal
			dir := newTreeDir(t, tt.files)
			c, err := loadIn(dir, dir, tt.limits)
			if _, ok := tt.files["charts/s.tgz"]; tt.says != nil && !ok {
				// What the listing shows is refused before anything is read.
				_, err := NewChecker(tt.limits).List(dir, []string{dir}, nil)
				wantError(t, err, chart.ErrLimit)
			}
			if tt.says != nil {
				wantError(t, err, chart.ErrLimit, tt.says...)
				return
			}
			must(t, err)
			if got := strings.Join(c.Warnings, "\n"); !strings.Contains(got, tt.warns) || tt.warns == "" && got != "" {
				t.Errorf("warnings %q, want %q", got, tt.warns)
			}
			// The archive is judged like its source.
			info, err := NewChecker(tt.limits).Check(bytes.NewReader(pack(t, c)))
			must(t, err)
			wantDiff(t, "warnings about the archive", info.Warnings, c.Warnings)
			if _, err := NewChecker(Limits{}).Check(bytes.NewReader(pack(t, c))); (err != nil) != (tt.warns != "") {
				t.Errorf("within Helm's limits: %v", err)
			}
		})
	}
}

func TestCheckLimits(t *testing.T) {
	sub := load(t, newTreeDir(t, tree{"Chart.yaml": minimalNamed("s", "1.0.0"), "f": strings.Repeat("x", 2000)}))
	c := load(t, newTreeDir(t, tree{"Chart.yaml": minimal})).WithSubcharts([]*Chart{sub})
	_, err := c.CheckLimits(Limits{File: 1000})
	wantError(t, err, chart.ErrLimit, "charts/s/f", "--max-file-size")
	_, err = c.CheckLimits(Limits{Chart: 2000})
	wantError(t, err, chart.ErrLimit, "--max-chart-size")
	// Helm refuses a chart that just reaches the limit, and takes a file that does.
	archive := pack(t, c)
	for limits, want := range map[Limits]error{
		{Chart: size(c)}:     chart.ErrLimit,
		{Chart: size(c) + 1}: nil,
		{File: 1999}:         chart.ErrLimit,
		{File: 2000}:         nil,
	} {
		if _, err := c.CheckLimits(limits); !errors.Is(err, want) {
			t.Errorf("%+v: error %v, want %v", limits, err, want)
		}
		if _, err := NewChecker(limits).Check(bytes.NewReader(archive)); !errors.Is(err, want) {
			t.Errorf("%+v: the archive has error %v, want %v", limits, err, want)
		}
	}
	if warnings, err := c.CheckLimits(Limits{}); err != nil || len(warnings) > 0 {
		t.Errorf("warnings %q, error %v", warnings, err)
	}
}
