package pkgr

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"

	"chartserve/internal/chart"
)

// TestArchives is what is taken and what is refused, by all ways to read an archive.
// Where Helm's verdict is not plain from its loader, what Helm 2.17, 3.22 and 4.2
// said is noted.
func TestArchives(t *testing.T) {
	sub := string(archiveOf(t, member{name: "s/Chart.yaml", body: minimalNamed("s", "1.0.0")}))
	link := func(typ byte, name, target string) member {
		return member{h: &tar.Header{Typeflag: typ, Name: name, Linkname: target, Mode: 0o777}}
	}
	v1 := func(more ...member) []member {
		return append([]member{{name: "c/Chart.yaml", body: "name: c\nversion: 1.0.0\n"}}, more...)
	}
	v1dep := member{name: "c/Chart.yaml", body: "name: c\nversion: 1.0.0\ndependencies: [{name: x, repository: r, alias: b}]\n"}
	// What is for Check alone to find: it lies deeper than Structure looks.
	contents := map[string]bool{}
	for _, name := range []string{
		"values is a list", "values of a sub-chart", "good and good values", "bad and good values", "two schemas", "bad lock", "bad lock, good lock",
		"bad and good v1 lock", "file in charts", "no chart in charts", "values of no chart", "schema of no chart", "two Chart.yaml below", "two versions in one folder",
		"junk nested", "nested cut short", "nested link", "nested bad name", "directory like archive", "nested twice", "nested below itself", "nested above itself",
	} {
		contents[name] = true
	}
	tests := map[string]struct {
		archive []byte
		kind    error // nil: accepted
		says    []string
	}{
		"small":                 {archive: archiveOf(t, good()...)},
		"late Chart.yaml":       {archive: archiveOf(t, append([]member{{name: "c/values.yaml", body: "a: 1\n"}, {name: "c/templates/x", body: "x"}}, good()...)...)},
		"wrong top directory":   {archive: archiveOf(t, member{name: "other/Chart.yaml", body: minimal})},
		"backslashes":           {archive: archiveOf(t, member{name: `c\Chart.yaml`, body: minimal}, member{name: `c\templates\x`})},
		"both separators":       {archive: archiveOf(t, member{name: `c/Chart.yaml`, body: minimal}, member{name: `c\templates\x`})},
		"directories":           {archive: archiveOf(t, append([]member{{h: &tar.Header{Name: "c/", Typeflag: tar.TypeDir, Mode: 0o755}}, {h: &tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755}}}, good()...)...)},
		"PAX global header":     {archive: archiveOf(t, append([]member{{h: &tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "g", PAXRecords: map[string]string{"comment": "x"}}}}, good()...)...)},
		"PAX and GNU names":     {archive: archiveOf(t, good(member{name: "c/" + strings.Repeat("é/", 200) + "x"}, member{h: &tar.Header{Name: "c/" + strings.Repeat("y", 300), Format: tar.FormatGNU}})...)},
		"BOM":                   {archive: archiveOf(t, member{name: "c/Chart.yaml", body: "\xef\xbb\xbf" + minimal}, member{name: "c/values.yaml", body: "\xef\xbb\xbfa: 1\n"})},
		"link members":          {archive: archiveOf(t, good(link(tar.TypeSymlink, "c/a", "b/../x"), link(tar.TypeLink, "c/b", "c/Chart.yaml"))...)},
		"other duplicates":      {archive: archiveOf(t, good(member{name: "c/x", body: "1"}, member{name: "c/x", body: "2"})...)},
		"concatenated":          {archive: append(zip(t, tarOf(t, good()...)[:1024]), zip(t, tarOf(t, good()...)[1024:])...)},
		"padded with zeros":     {archive: append(archiveOf(t, good()...), make([]byte, 70000)...)},
		"no end of tar":         {archive: zip(t, tarOf(t, good()...)[:1024])},
		"no padding in the tar": {archive: zip(t, tarOf(t, good()...)[:700])},
		"zeros behind the tar":  {archive: zip(t, append(tarOf(t, good()...), make([]byte, 50000)...))},
		"nested archive":        {archive: archiveOf(t, good(member{name: "c/charts/s-1.0.0.tgz", body: sub})...)},
		"nested directory":      {archive: archiveOf(t, good(member{name: "c/charts/s/Chart.yaml", body: minimalNamed("s", "1.0.0")}, member{name: "c/charts/s/templates/x"})...)},
		"skipped in charts":     {archive: archiveOf(t, good(member{name: "c/charts/_x/y.tgz", body: "junk"}, member{name: "c/charts/.gitkeep"}, member{name: "c/charts/a.tgz.prov"})...)},
		"same sub-chart twice":  {archive: archiveOf(t, good(member{name: "c/charts/a.tgz", body: sub}, member{name: "c/charts/b.tgz", body: sub})...)},
		"bad schema":            {archive: archiveOf(t, good(member{name: "c/values.schema.json", body: "{"})...)},
		"v1":                    {archive: archiveOf(t, member{name: "c/Chart.yaml", body: "name: c\nversion: 1.0.0\n"}, member{name: "c/requirements.yaml", body: "dependencies: []\n"})},

		// What `tar czf x.tgz -C chart .` makes: all Helms load it.
		"dot in front":    {archive: archiveOf(t, member{name: "./Chart.yaml", body: minimal}, member{name: "./values.yaml", body: "a: 1\n"}, link(tar.TypeSymlink, "./a", "values.yaml"), member{name: "./charts/s.tgz", body: sub})},
		"templates twice": {archive: archiveOf(t, good(member{name: "c/templates/x", body: "1"}, member{name: "c/templates/x", body: "2"})...)},

		"zero bytes":                  {archive: nil, kind: chart.ErrArchive, says: []string{"empty"}},
		"not gzip":                    {archive: []byte(minimal), kind: chart.ErrArchive, says: []string{"not a gzip file", "helm package"}},
		"a web page":                  {archive: []byte("<!DOCTYPE html><html>"), kind: chart.ErrArchive, says: []string{"not a gzip file"}},
		"gzip, not tar":               {archive: zip(t, []byte(strings.Repeat("x", 2000))), kind: chart.ErrArchive, says: []string{"damaged"}},
		"gzip of nothing":             {archive: zip(t, nil), kind: chart.ErrArchive, says: []string{"no files"}},
		"empty tar":                   {archive: archiveOf(t), kind: chart.ErrArchive, says: []string{"no files"}},
		"only directories":            {archive: archiveOf(t, member{h: &tar.Header{Name: "c/", Typeflag: tar.TypeDir}}), kind: chart.ErrArchive, says: []string{"no files"}},
		"no Chart.yaml":               {archive: archiveOf(t, member{name: "c/values.yaml"}), kind: chart.ErrMetadata, says: []string{"Chart.yaml", "missing"}},
		"chart.yaml":                  {archive: archiveOf(t, member{name: "c/chart.yaml", body: minimal}), kind: chart.ErrMetadata, says: []string{"Chart.yaml", "missing"}},
		"bad metadata":                {archive: archiveOf(t, member{name: "c/Chart.yaml", body: "apiVersion: v2\nname: c\n"}), kind: chart.ErrMetadata, says: []string{"Chart.yaml", "version"}},
		"two Chart.yaml":              {archive: archiveOf(t, append(good(), good()...)...), kind: chart.ErrArchive, says: []string{"Chart.yaml", "twice"}},
		"two Chart.yaml apart":        {archive: archiveOf(t, append(good(member{name: "c/x"}, member{name: "c/a"}), good()...)...), kind: chart.ErrArchive, says: []string{"Chart.yaml", "twice"}},
		"two spellings of Chart.yaml": {archive: archiveOf(t, append(good(), member{name: "c/./Chart.yaml", body: minimal})...), kind: chart.ErrArchive, says: []string{"twice"}},
		"two Chart.yaml below":        {archive: archiveOf(t, good(member{name: "c/charts/s/Chart.yaml", body: minimal}, member{name: "c/charts/s/Chart.yaml", body: minimal})...), kind: chart.ErrArchive, says: []string{"charts/s/Chart.yaml", "twice"}},
		// Helm writes this for two versions of one chart, which aliases allow.
		"two versions in one folder": {archive: archiveOf(t, good(member{name: "c/charts/s/Chart.yaml", body: minimalNamed("s", "1.0.0")}, member{name: "c/charts/s/Chart.yaml", body: minimalNamed("s", "2.0.0")})...), kind: chart.ErrArchive, says: []string{"charts/s/Chart.yaml", "twice", "chartserve package"}},
		// Helm 3 and 4 read each of two, and fail at the bad one; Helm 2 reads none here.
		"bad lock, good lock":       {archive: archiveOf(t, good(member{name: "c/Chart.lock", body: "a: ["}, member{name: "c/Chart.lock", body: "digest: x\n"})...), kind: chart.ErrArchive, says: []string{"Chart.lock", "twice"}},
		"bad and good requirements": {archive: archiveOf(t, v1(member{name: "c/requirements.yaml", body: "a: ["}, member{name: "c/requirements.yaml", body: "dependencies: []\n"})...), kind: chart.ErrArchive, says: []string{"requirements.yaml", "twice"}},
		"bad and good v1 lock":      {archive: archiveOf(t, v1(member{name: "c/requirements.lock", body: "a: ["}, member{name: "c/requirements.lock", body: "digest: x\n"})...), kind: chart.ErrArchive, says: []string{"requirements.lock", "twice"}},
		"good and good values":      {archive: archiveOf(t, good(member{name: "c/values.yaml", body: "a: 1\n"}, member{name: "c/values.yaml", body: "a: 2\n"})...), kind: chart.ErrArchive, says: []string{"values.yaml", "twice"}},
		"bad and good values":       {archive: archiveOf(t, good(member{name: "c/values.yaml", body: "- 1\n"}, member{name: "c/values.yaml", body: "a: 2\n"})...), kind: chart.ErrFile, says: []string{"values.yaml", "list"}},
		"two schemas":               {archive: archiveOf(t, good(member{name: "c/values.schema.json", body: "{}"}, member{name: "c/values.schema.json", body: "{}"})...), kind: chart.ErrArchive, says: []string{"twice"}},
		// Helm takes the first, tar unpacks the last.
		"nested twice": {archive: archiveOf(t, good(member{name: "c/charts/s.tgz", body: sub}, member{name: "c/charts/s.tgz", body: sub})...), kind: chart.ErrArchive, says: []string{"charts/s.tgz", "twice"}},
		// Helm: "expected s.tgz, got s.tgz/x"; with the archive first it takes that, and tar fails.
		"nested below itself": {archive: archiveOf(t, good(member{name: "c/charts/s.tgz/x"}, member{name: "c/charts/s.tgz", body: sub})...), kind: chart.ErrArchive, says: []string{"charts/s.tgz", "directory"}},
		"nested above itself": {archive: archiveOf(t, good(member{name: "c/charts/s.tgz", body: sub}, member{name: "c/charts/s.tgz/x"})...), kind: chart.ErrArchive, says: []string{"charts/s.tgz", "directory"}},
		// All Helms: Chart.yaml is missing.
		"values of no chart": {archive: archiveOf(t, good(member{name: "c/charts/s/values.yaml", body: "a: 1\n"})...), kind: chart.ErrMetadata, says: []string{"charts/s/Chart.yaml", "missing"}},
		"schema of no chart": {archive: archiveOf(t, good(member{name: "c/charts/s/values.schema.json", body: "{}"})...), kind: chart.ErrMetadata, says: []string{"charts/s/Chart.yaml", "missing"}},
		// Helm 3 and 4 would load evil 6.6.6, see chart.ParseRequirements.
		"another identity":     {archive: archiveOf(t, v1(member{name: "c/requirements.yaml", body: "name: evil\nversion: 6.6.6\ntype: library\n"}, member{name: "c/requirements.yaml", body: "dependencies: []\n"})...), kind: chart.ErrArchive, says: []string{"requirements.yaml", "twice"}},
		"another description":  {archive: archiveOf(t, v1(member{name: "c/requirements.yaml", body: "description: x\n"})...), kind: chart.ErrDependency, says: []string{"requirements.yaml", "description"}},
		"mixed dependencies":   {archive: archiveOf(t, v1dep, member{name: "c/requirements.yaml", body: "dependencies: [{name: x, repository: r}]\n"}), kind: chart.ErrDependency, says: []string{"requirements.yaml", "Chart.yaml declares"}},
		"Chart.yaml is a link": {archive: archiveOf(t, link(tar.TypeSymlink, "c/Chart.yaml", "x")), kind: chart.ErrMetadata},
		"no top directory":     {archive: archiveOf(t, member{name: "Chart.yaml", body: minimal}), kind: chart.ErrUnsafe, says: []string{"Chart.yaml", "directory"}},
		// All Helms: "Chart.yaml file is missing".
		"dot and name in front":  {archive: archiveOf(t, member{name: "./c/Chart.yaml", body: minimal}), kind: chart.ErrUnsafe, says: []string{`"./"`, "chart's directory"}},
		"dot beside the name":    {archive: archiveOf(t, good(member{name: "./values.yaml"})...), kind: chart.ErrArchive, says: []string{"second top directory"}},
		"dot, link out":          {archive: archiveOf(t, member{name: "./Chart.yaml", body: minimal}, link(tar.TypeSymlink, "./a", "../x")), kind: chart.ErrUnsafe, says: []string{"link"}},
		"two roots":              {archive: archiveOf(t, good(member{name: "d/x"})...), kind: chart.ErrArchive, says: []string{"d/x", "second top directory"}},
		"absolute":               {archive: archiveOf(t, good(member{name: "/etc/passwd"})...), kind: chart.ErrUnsafe, says: []string{"/etc/passwd", "absolute"}},
		"absolute below":         {archive: archiveOf(t, good(member{name: "c//etc/passwd"})...), kind: chart.ErrUnsafe, says: []string{"absolute"}},
		"parent":                 {archive: archiveOf(t, good(member{name: "c/../x"})...), kind: chart.ErrUnsafe, says: []string{"parent"}},
		"parent in front":        {archive: archiveOf(t, good(member{name: "../x"})...), kind: chart.ErrUnsafe, says: []string{"parent"}},
		"parent within":          {archive: archiveOf(t, good(member{name: "c/a/../b"})...), kind: chart.ErrUnsafe, says: []string{"parent"}},
		"parent, backslashes":    {archive: archiveOf(t, good(member{name: `c\..\..\x`})...), kind: chart.ErrUnsafe, says: []string{"parent"}},
		"parent, mixed":          {archive: archiveOf(t, good(member{name: `c/a\../..\x`})...), kind: chart.ErrUnsafe, says: []string{"parent"}},
		"drive":                  {archive: archiveOf(t, member{name: "c:/Chart.yaml", body: minimal}), kind: chart.ErrUnsafe, says: []string{"drive"}},
		"drive, backslash":       {archive: archiveOf(t, member{name: `c:\Chart.yaml`, body: minimal}), kind: chart.ErrUnsafe, says: []string{"drive"}},
		"drive below":            {archive: archiveOf(t, good(member{name: "c/d:/x"})...), kind: chart.ErrUnsafe, says: []string{"drive"}},
		"bad directory":          {archive: archiveOf(t, good(member{h: &tar.Header{Name: "c/../../d/", Typeflag: tar.TypeDir}})...), kind: chart.ErrUnsafe, says: []string{"directory"}},
		"link out":               {archive: archiveOf(t, good(link(tar.TypeSymlink, "c/a/b", "../../x"))...), kind: chart.ErrUnsafe, says: []string{"a/b", "link"}},
		"link to the root":       {archive: archiveOf(t, good(link(tar.TypeSymlink, "c/a", "/etc"))...), kind: chart.ErrUnsafe, says: []string{"link", "/etc"}},
		"hard link out":          {archive: archiveOf(t, good(link(tar.TypeLink, "c/a", "etc/passwd"))...), kind: chart.ErrUnsafe, says: []string{"link"}},
		"device":                 {archive: archiveOf(t, good(member{h: &tar.Header{Typeflag: tar.TypeChar, Name: "c/null"}})...), kind: chart.ErrUnsafe, says: []string{"null", "device"}},
		"fifo":                   {archive: archiveOf(t, good(member{h: &tar.Header{Typeflag: tar.TypeFifo, Name: "c/f"}})...), kind: chart.ErrUnsafe, says: []string{"f", "pipe"}},
		"long name":              {archive: archiveOf(t, good(member{name: "c/" + strings.Repeat("x", 9000)})...), kind: chart.ErrUnsafe, says: []string{"8192"}},
		"values is a list":       {archive: archiveOf(t, good(member{name: "c/values.yaml", body: "- 1\n"})...), kind: chart.ErrFile, says: []string{"values.yaml", "list"}},
		"values of a sub-chart":  {archive: archiveOf(t, good(member{name: "c/charts/s/Chart.yaml", body: minimal}, member{name: "c/charts/s/values.yaml", body: "- 1\n"})...), kind: chart.ErrFile, says: []string{"charts/s/values.yaml"}},
		"file in charts":         {archive: archiveOf(t, good(member{name: "c/charts/README.md"})...), kind: chart.ErrFile, says: []string{"charts/README.md"}},
		"no chart in charts":     {archive: archiveOf(t, good(member{name: "c/charts/s/x"})...), kind: chart.ErrMetadata, says: []string{"charts/s/Chart.yaml"}},
		"bad lock":               {archive: archiveOf(t, good(member{name: "c/Chart.lock", body: "a: ["})...), kind: chart.ErrDependency, says: []string{"Chart.lock"}},
		"bad requirements":       {archive: archiveOf(t, good(member{name: "c/requirements.yaml", body: "dependencies: 1"})...), kind: chart.ErrDependency, says: []string{"requirements.yaml"}},
		"junk nested":            {archive: archiveOf(t, good(member{name: "c/charts/s.tgz", body: "junk"})...), kind: chart.ErrArchive, says: []string{"charts/s.tgz: not a gzip file"}},
		"nested cut short":       {archive: archiveOf(t, good(member{name: "c/charts/s.tgz", body: sub[:len(sub)-1]})...), kind: chart.ErrArchive, says: []string{"charts/s.tgz: cut short"}},
		"nested link":            {archive: archiveOf(t, good(link(tar.TypeSymlink, "c/charts/s.tgz", "x"))...), kind: chart.ErrArchive, says: []string{"charts/s.tgz"}},
		"nested bad name":        {archive: archiveOf(t, good(member{name: "c/charts/s.tgz", body: string(archiveOf(t, good(member{name: "../x"})...))})...), kind: chart.ErrUnsafe, says: []string{"charts/s.tgz", "../x"}},
		"directory like archive": {archive: archiveOf(t, good(member{name: "c/charts/s.tgz/Chart.yaml", body: minimal})...), kind: chart.ErrArchive, says: []string{"charts/s.tgz"}},
		"junk behind":            {archive: append(archiveOf(t, good()...), "junk"...), kind: chart.ErrArchive, says: []string{"behind the end"}},
		"junk behind zeros":      {archive: append(archiveOf(t, good()...), "\x00\x00junk"...), kind: chart.ErrArchive, says: []string{"behind the end"}},
		"second member cut":      {archive: append(zip(t, tarOf(t, good()...)), zip(t, make([]byte, 5000))[:12]...), kind: chart.ErrArchive, says: []string{"cut short"}},
		// Helm (compress/gzip under archive/tar) runs into the zeros: "gzip: invalid header".
		"no end of tar, zeros behind": {archive: append(zip(t, tarOf(t, good()...)[:1024]), make([]byte, 600)...), kind: chart.ErrArchive, says: []string{"zeros behind", "no end"}},
		"half an end, zeros behind":   {archive: append(zip(t, tarOf(t, good()...)[:1536]), 0), kind: chart.ErrArchive, says: []string{"zeros behind", "no end"}},
		"tar cut short":               {archive: zip(t, tarOf(t, good()...)[:530]), kind: chart.ErrArchive, says: []string{"cut short"}},
		"6 MiB file":                  {archive: archiveOf(t, good(member{name: "c/big", body: strings.Repeat("x", 6<<20)})...), kind: chart.ErrLimit, says: []string{"big", "6291456", "--max-file-size"}},
	}
	for name, tt := range tests {
		for how, read := range readers(Limits{}) {
			t.Run(name+"/"+how, func(t *testing.T) {
				err := read(bytes.NewReader(tt.archive))
				if tt.kind == nil {
					must(t, err)
					return
				}
				wantError(t, err, tt.kind, tt.says...)
			})
		}
		t.Run(name+"/structure", func(t *testing.T) {
			k := NewChecker(Limits{})
			got, err := k.Structure(bytes.NewReader(tt.archive))
			want, wantErr := k.Check(bytes.NewReader(tt.archive))
			switch {
			case wantErr == nil:
				must(t, err)
				got.Warnings, want.Warnings = nil, nil // Check may have more
				wantDiff(t, "info", got, want)
			case (err == nil) != contents[name]:
				t.Errorf("error %v, Check says %v", err, wantErr)
			}
			delete(contents, name)
		})
	}
	for name := range contents {
		t.Errorf("%s is no case", name)
	}
}
