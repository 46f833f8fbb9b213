package e2e

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// good is a small sound chart that the cases below spoil.
var good = files{
	"Chart.yaml":          "apiVersion: v2\nname: t\nversion: 1.0.0\n",
	"values.yaml":         "a: 1\n",
	"templates/cm.yaml":   "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n",
	"templates/NOTES.txt": "ok\n",
}

// treeCases make a chart directory odd. Helm is asked what it thinks; where the
// design differs, want says how and the comment says why.
var treeCases = map[string]struct {
	more  files
	spoil func(t *testing.T, dir string)
	want  verdict
}{
	"nothing odd":                 {},
	"junk in charts/":             {more: files{"charts/README.md": "# junk\n"}},
	"junk archive in charts/":     {more: files{"charts/x.tgz": "junk"}},
	"underscore in charts/":       {more: files{"charts/_x": "kept aside", "charts/.y": "hidden"}},
	".gitkeep in charts/":         {more: files{"charts/.gitkeep": ""}},
	"provenance in charts/":       {more: files{"charts/x-1.0.0.tgz.prov": "signed"}},
	"a chart in charts/":          {more: files{"charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n"}},
	"no Chart.yaml in charts/sub": {more: files{"charts/sub/values.yaml": "a: 1\n"}},
	"dotfiles and .git":           {more: files{".git/HEAD": "ref\n", ".env": "A=1\n", "templates/.x": "y"}},
	"values are a list":           {more: files{"values.yaml": "- a\n"}},
	"values are a scalar":         {more: files{"values.yaml": "just words\n"}},
	"values are empty":            {more: files{"values.yaml": ""}},
	"values are a comment":        {more: files{"values.yaml": "# nothing yet\n"}},
	"values are null":             {more: files{"values.yaml": "null\n"}},
	"values between --- and ...":  {more: files{"values.yaml": "---\na: 1\n...\n"}},
	"a comment between the two":   {more: files{"values.yaml": "---\n# nothing yet\n...\n"}},
	"values with a tab":           {more: files{"values.yaml": "a:\n\tb: 1\n"}},
	"values with a key twice":     {more: files{"values.yaml": "a: 1\na: 2\n"}},
	"values in two documents":     {more: files{"values.yaml": "a: 1\n---\nb: 2\n"}},
	"values with an anchor":       {more: files{"values.yaml": "a: &x {b: 1}\nc: *x\n"}},
	"values not UTF-8":            {more: files{"values.yaml": "a: \xff\xfe\n"}},
	"schema is not JSON":          {more: files{"values.schema.json": "{\"type\": "}},
	"schema is JSON":              {more: files{"values.schema.json": "{\"type\": \"object\"}"}},
	"template that can't parse":   {more: files{"templates/bad.yaml": "{{ if }}\n"}},
	"a byte order mark":           {more: files{"values.yaml": "\ufeffa: 1\n", "README.md": "\ufeff# t\n"}},
	"a name over 256 bytes":       {more: files{"files/" + strings.Repeat("long-directory/", 12) + strings.Repeat("n", 120) + ".txt": "deep"}},
	"a name that is not UTF-8":    {more: files{"files/\xff\xfe.txt": "x"}},
	// Helm packs it, and reads it back as another file: b.txt at the top.
	"a name with a backslash":  {more: files{"files/a\\b.txt": "x"}, want: refused},
	"a name with blanks":       {more: files{"files/a b .txt": "x"}},
	"a declared, absent chart": {more: files{"Chart.yaml": good["Chart.yaml"] + "dependencies:\n  - name: nowhere\n    version: 1.0.0\n    repository: https://charts.example.org\n"}},
	"a vendored dependency": {more: files{"Chart.yaml": good["Chart.yaml"] + "dependencies:\n  - name: sub\n    version: 1.0.0\n    repository: \"\"\n",
		"charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n"}},
	// Helm 4.3 takes it; Helm 3, and 4 before that, do not.
	"6 MB in one file":         {more: files{"big.bin": strings.Repeat("0123456789abcdef", 6<<16)}, want: refused},
	"6 MB that is ignored":     {more: files{"big.bin": strings.Repeat("0123456789abcdef", 6<<16), ".helmignore": "*.bin\n"}},
	"a pattern with **":        {more: files{".helmignore": "**/x\n"}},
	"a pattern with an open [": {more: files{".helmignore": "a[\n"}},
	"chart.yaml in lower case": {spoil: func(t *testing.T, dir string) {
		must(t, os.Rename(filepath.Join(dir, "Chart.yaml"), filepath.Join(dir, "chart.yaml")))
	}},
	"a FIFO": {spoil: func(t *testing.T, dir string) {
		must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	}},
	"an empty directory": {more: files{"nothing/": ""}},
	"a broken link":      {spoil: link("gone.txt", "files.txt")},
	// Helm resolves first and fails; here what is ignored is not looked at.
	"a broken link that is ignored": {more: files{".helmignore": "files.txt\n"}, spoil: link("gone.txt", "files.txt"), want: packs},
	"a link within the chart":       {spoil: link("values.yaml", "copy.yaml")},
	"a link to a directory within":  {more: files{"real/a.txt": "a"}, spoil: link("real", "linked")},
	// Helm follows it and puts the file into a public archive.
	"a link to /etc/passwd": {spoil: link("/etc/passwd", "passwd"), want: refused},
	"a link to /etc":        {spoil: link("/etc", "etc"), want: refused},
	"a link to itself":      {spoil: link("self", "self")},
	"a link to its parent":  {spoil: link(".", "loop")},
}

func link(target, name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) { must(t, os.Symlink(target, filepath.Join(dir, name))) }
}

// TestTrees: the same for chart directories.
func TestTrees(t *testing.T) {
	for name, c := range treeCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := good.with(c.more).write(t, filepath.Join(t.TempDir(), "t"))
			if c.spoil != nil {
				c.spoil(t, dir)
			}
			compare(t, dir, c.want)
		})
	}
}

var chartFile = file("t/Chart.yaml", good["Chart.yaml"])

// archiveCases are the bytes of archives that somebody put into a SOURCE.
var archiveCases = map[string]struct {
	data func(t *testing.T) []byte
	want verdict
}{
	"sound":              {data: packed(chartFile, file("t/values.yaml", "a: 1\n"))},
	"no top directory":   {data: packed(file("Chart.yaml", good["Chart.yaml"]))},
	"./ in front":        {data: packed(file("./t/Chart.yaml", good["Chart.yaml"]))},
	"absolute names":     {data: packed(file("/t/Chart.yaml", good["Chart.yaml"])), want: passedOver},
	"a name with ..":     {data: packed(chartFile, file("t/../../x", "x"))},
	"a drive letter":     {data: packed(chartFile, file("t/c:/x", "x"))},
	"not gzip":           {data: func(*testing.T) []byte { return []byte("not an archive at all") }},
	"zero bytes":         {data: func(*testing.T) []byte { return nil }},
	"no Chart.yaml":      {data: packed(file("t/values.yaml", "a: 1\n")), want: passedOver},
	"bad version":        {data: packed(file("t/Chart.yaml", "apiVersion: v2\nname: t\nversion: 1.2.3.4\n"))},
	"late Chart.yaml":    {data: packed(file("t/values.yaml", "a: 1\n"), chartFile)},
	"PAX global header":  {data: packed(member{tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}}, ""}, chartFile)},
	"other top name":     {data: packed(file("other/Chart.yaml", good["Chart.yaml"]))},
	"junk in charts/":    {data: packed(chartFile, file("t/charts/x.tgz", "junk"))},
	"110 MB in all":      {data: bomb},
	"gzip members":       {data: func(t *testing.T) []byte { return append(tgz(t, chartFile), gzipped(t, make([]byte, 1024))...) }},
	"a second gzip tail": {data: func(t *testing.T) []byte { return append(tgz(t, chartFile), "trailing junk"...) }, want: refused},
	// Helm stops at the end of the tar and never sees the trailer.
	"cut 12 bytes short": {data: func(t *testing.T) []byte { b := tgz(t, chartFile); return b[:len(b)-12] }, want: refused},
	// A checksum that is wrong was damaged on the way.
	"wrong checksum": {data: func(t *testing.T) []byte { b := tgz(t, chartFile); b[len(b)-6] ^= 0xff; return b }, want: refused},
	// Whose chart would it be?
	"two top directories": {data: packed(chartFile, file("u/Chart.yaml", "apiVersion: v2\nname: u\nversion: 1.0.0\n")), want: refused},
	"two Chart.yaml":      {data: packed(chartFile, file("t/Chart.yaml", "apiVersion: v2\nname: t\nversion: 2.0.0\n")), want: refused},
}

func packed(list ...member) func(*testing.T) []byte {
	return func(t *testing.T) []byte { return tgz(t, list...) }
}

func bomb(t *testing.T) []byte {
	list := []member{chartFile}
	for i := range 24 {
		list = append(list, file("t/files/"+string(rune('a'+i)), strings.Repeat("\x00", 4600<<10)))
	}
	return tgz(t, list...)
}

// TestArchivesInASource: an archive is published if Helm can load it and nothing
// is wrong with it that Helm overlooks. What is refused is reported.
func TestArchivesInASource(t *testing.T) {
	for name, c := range archiveCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "t-1.0.0.tgz")
			data := c.data(t)
			must(t, os.WriteFile(path, data, 0o644))
			h := helm(t, "helm4")
			helms := h.try(t, ".", "template", "x", path)
			if name == "sound" && !helms.ok() {
				t.Fatalf("helm4 on a sound archive: %s", helms.all())
			}
			r := serveTool(t, dir, "index", ".", "--strict")
			if want := c.want == packs || c.want == passedOver || c.want == asHelm && helms.ok(); want != r.ok() {
				t.Errorf("chartserve index: exit %d, helm4: exit %d\nchartserve: %shelm4: %s", r.code, helms.code, r.all(), helms.all())
			}
			if (!r.ok() || c.want == passedOver) && !strings.Contains(r.all(), "t-1.0.0.tgz") {
				t.Errorf("the reason does not name the archive:\n%s", r.all())
			}
			if c.want == passedOver && (helms.ok() || strings.Contains(read(t, filepath.Join(dir, "index.yaml")), "t-1.0.0.tgz")) {
				t.Errorf("published, or a chart to Helm: %s", helms.all())
			}
			if !bytes.Equal([]byte(read(t, path)), data) {
				t.Error("the archive was changed")
			}
		})
	}
}
