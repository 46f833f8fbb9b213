package verify

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/repo"
	"chartserve/internal/unixtest"
)

// folder verifies the site with o.
func (s *site) folder(o Options) *Report {
	s.t.Helper()
	v, err := New(o)
	must(s.t, err)
	r, err := v.Folder(s.t.Context(), s.dir)
	must(s.t, err)
	return r
}

func TestCleanFolder(t *testing.T) {
	for name, c := range map[string]struct {
		format index.Format
		change func(*site)
	}{
		"YAML":      {format: index.YAML},
		"JSON":      {format: index.JSON},
		"elsewhere": {change: func(s *site) { s.write(".incoming/x.tgz", []byte("not yet")) }},
		"a copy":    {change: func(s *site) { s.write("a/nova-1.0.0.tgz", s.read("nova-1.0.0.tgz")) }},
		"by digest": {change: func(s *site) { s.rebuild(repo.Options{DigestURLs: true}) }},
		"absolute":  {change: func(s *site) { s.rebuild(repo.Options{URL: "http://localhost:8879/charts"}) }},
		"Helm 2's fields": {change: func(s *site) {
			s.edit("index.yaml", "    version: 1.0.0\n", "    version: 1.0.0\n    engine: gotpl\n    tillerVersion: '>2'\n")
		}},
		"another repository": {change: func(s *site) {
			s.edit("index.yaml", "repository: file://../toolkit", "repository: https://mirror.example.com")
		}},
		"of Helm 2, no dependencies": {change: func(s *site) {
			s.edit("index.yaml", "    dependencies:\n    - name: toolkit\n      repository: http://localhost:8879/charts\n      version: 0.1.0\n", "")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, c.format)
			if c.change != nil {
				c.change(s)
			}
			r := s.folder(Options{Offline: true, Keyring: ring(t, s.key)})
			if len(r.Findings) > 0 {
				t.Errorf("findings in a clean folder: %+v\n%s", r.Findings, s.read("index.yaml"))
			}
			archives := 3
			if name == "a copy" {
				archives = 4
			}
			if r.Entries != 3 || r.Archives != archives || r.Provenance != 1 && name != "a copy" || r.Bytes == 0 {
				t.Errorf("got %+v", r)
			}
			if !r.SignaturesChecked || len(r.Signers) != 1 || r.Signers[0].Archives != 1 {
				t.Errorf("signers: got %+v", r.Signers)
			}
		})
	}
}

// rebuild writes the index again from what stands in the folder.
func (s *site) rebuild(o repo.Options) {
	s.t.Helper()
	r, err := repo.Open(s.dir, o)
	must(s.t, err)
	must(s.t, r.Build(s.t.Context()))
	must(s.t, r.Close())
}

// Each defect is found exactly once, where it is.
func TestDefects(t *testing.T) {
	const (
		nova     = "nova-1.0.0.tgz"
		keystone = "keystone-2.0.0+abc.tgz"
	)
	type defect struct {
		options Options // Offline unless online
		online  bool
		make    func(*site)
		want    *chart.Error
	}
	edit := func(old, with string) func(*site) { return func(s *site) { s.edit("index.yaml", old, with) } }
	for name, c := range map[string]defect{
		// Archives.
		"replaced": {make: func(s *site) {
			s.write(keystone, tgz(t, map[string]string{"Chart.yaml": "name: keystone\nversion: 2.0.0+abc\n"}))
		},
			want: failing(keystone, "entries.keystone[2.0.0+abc].digest", "the index has")},
		"cut short": {make: func(s *site) { data := s.read(keystone); s.write(keystone, data[:len(data)-20]) },
			want: failing(keystone, "", "cut short")},
		"a flipped bit": {make: func(s *site) { data := s.read(keystone); data[len(data)/2] ^= 1; s.write(keystone, data) },
			want: failing(keystone, "", "damaged")},
		"gone": {make: func(s *site) { s.remove(keystone) },
			want: failing("index.yaml", "entries.keystone[2.0.0+abc].urls[0]", "there is no archive at keystone-2.0.0+abc.tgz")},
		"gone, with provenance": {make: func(s *site) { s.remove(nova) },
			want: failing("index.yaml", "entries.nova[1.0.0].urls[0]", "there is no archive at nova-1.0.0.tgz")},
		"not in the index": {make: func(s *site) {
			s.write("x-1.0.0.tgz", tgz(t, map[string]string{"Chart.yaml": "name: x\nversion: 1.0.0\n"}))
		},
			want: failing("x-1.0.0.tgz", "", "not in the index")},
		"other bytes of a version": {make: func(s *site) {
			s.write("z/"+nova, tgz(t, map[string]string{"Chart.yaml": "name: nova\nversion: 1.0.0\n"}))
		}, want: failing("z/"+nova, "", "other bytes for nova 1.0.0, at nova-1.0.0.tgz")},
		"renamed": {make: func(s *site) {
			must(t, os.Rename(s.path(keystone), s.path("other-1.0.0.tgz")))
			s.edit("index.yaml", "keystone-2.0.0+abc.tgz", "other-1.0.0.tgz")
		}, want: failing("other-1.0.0.tgz", "", "its name should be keystone-2.0.0+abc.tgz")},
		"a pipe": {make: func(s *site) { must(t, unixtest.Fifo(s.path("x-1.0.0.tgz"))) },
			want: failing("x-1.0.0.tgz", "", "not a regular file")},
		"a link that leads out": {make: func(s *site) { must(t, os.Symlink("/etc/hostname", s.path("x-1.0.0.tgz"))) },
			want: failing("x-1.0.0.tgz", "", "escapes")},

		// The index.
		"no index":       {make: func(s *site) { s.remove("index.yaml") }, want: failing("index.yaml", "", "no such file")},
		"an empty index": {make: func(s *site) { s.write("index.yaml", nil) }, want: failing("index.yaml", "", "not a chart repository index")},
		"not an index":   {make: func(s *site) { s.write("index.yaml", []byte("<html>")) }, want: failing("index.yaml", "", "not a chart repository index")},
		"an unknown field": {make: edit("    name: nova\n", "    name: nova\n    colour: red\n"),
			want: failing("index.yaml", "entries.nova[0].colour", "unknown field: Helm refuses")},
		"an unknown field of a dependency": {make: edit("    - name: toolkit\n      repository: file", "    - name: toolkit\n      colour: red\n      repository: file"),
			want: failing("index.yaml", "entries.nova[0].dependencies[0].colour", "unknown field")},
		"an unknown field at the top": {make: edit("apiVersion: v1\nentries", "apiVersion: v1\ncolour: red\nentries"),
			want: failing("index.yaml", "colour", "unknown field")},
		"a duplicate key": {make: edit("    name: nova\n", "    name: nova\n    name: nova\n"),
			want: failing("index.yaml", "entries.nova[0].name", "duplicate key")},
		"no apiVersion": {make: edit("apiVersion: v1\nentries", "entries"),
			want: failing("index.yaml", "apiVersion", "missing")},
		"bad generated": {make: edit("generated: \"20", "generated: \"the year 20"),
			want: failing("index.yaml", "generated", "RFC 3339")},
		"bad created": {make: edit("    created: \"20", "    created: \"the year 20"),
			want: failing("index.yaml", "entries.keystone[0]", "RFC 3339")},
		"a version twice": {make: func(s *site) {
			_, entry, _ := strings.Cut(string(s.read("index.yaml")), "  nova:\n")
			entry, _, _ = strings.Cut(entry, "  toolkit:\n")
			s.edit("index.yaml", entry, entry+entry)
		}, want: failing("index.yaml", "entries.nova[1]", "twice")},
		"a number as text": {make: edit("appVersion: \"27.1\"", "appVersion: 27.1"),
			want: failing("index.yaml", "entries.nova[0]", "number")},
		"other metadata": {make: edit("description: compute", "description: storage"),
			want: failing("index.yaml", "entries.nova[1.0.0]", "Chart.yaml says: description")},
		"metadata left out": {make: edit("    description: compute\n", ""),
			want: failing("index.yaml", "entries.nova[1.0.0]", "Chart.yaml says: description")},
		"other dependencies": {make: edit("version: \">= 0.1.0\"", "version: \">= 0.2.0\""),
			want: failing("index.yaml", "entries.nova[1.0.0]", "Chart.yaml says: dependencies")},
		"another version": {make: edit("    version: 1.0.0\n", "    version: 1.0.1\n"),
			want: failing("index.yaml", "entries.nova[1.0.1]", "Chart.yaml says: version")},
		"no digest": {make: func(s *site) { s.digest("nova", "") },
			want: failing("index.yaml", "entries.nova[1.0.0].digest", "missing")},
		"no digest at all": {make: func(s *site) { s.digest("nova", "sha256:1234") },
			want: failing("index.yaml", "entries.nova[1.0.0].digest", "not a SHA-256")},
		"another digest": {make: func(s *site) { s.digest("nova", strings.Repeat("ab", 32)) },
			want: failing(nova, "entries.nova[1.0.0].digest", "the index has abab")},
		"a URL that leads out": {make: edit("- nova-1.0.0.tgz", "- ../nova-1.0.0.tgz"),
			want: failing("index.yaml", "entries.nova[1.0.0].urls[0]", "out of the repository")},
		"a URL of FTP": {make: edit("- nova-1.0.0.tgz", "- ftp://localhost/nova-1.0.0.tgz"),
			want: failing("index.yaml", "entries.nova[1.0.0].urls[0]", "not every client can fetch it")},
		"a URL of a registry": {make: edit("- nova-1.0.0.tgz", "- oci://localhost/nova:1.0.0"),
			want: failing("index.yaml", "entries.nova[1.0.0].urls[0]", "it is not verified")},
		"a URL of nothing": {online: true, make: edit("- nova-1.0.0.tgz", "- https://charts.example.com/nova-1.0.1.tgz"),
			want: failing("index.yaml", "entries.nova[1.0.0].urls[0]", "no archive at https://charts.example.com/nova-1.0.1.tgz")},
		"a URL outside": {make: edit("- nova-1.0.0.tgz", "- https://charts.example.com/stable/nova-1.0.0.tgz?key=secret"),
			want: failing("index.yaml", "entries.nova[1.0.0].urls[0]", "https://charts.example.com/stable/nova-1.0.0.tgz?... is outside")},
		"a URL outside, nothing here": {make: func(s *site) {
			s.edit("index.yaml", "- keystone-2.0.0+abc.tgz", "- //charts.example.com/keystone-2.0.0+abc.tgz")
			s.remove(keystone)
		}, want: failing("index.yaml", "entries.keystone[2.0.0+abc].urls[0]", "is outside")},

		// Dependencies.
		"not vendored": {make: func(s *site) {
			s.chart("x-1.0.0.tgz", map[string]string{"Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies: [{name: lib, version: 1.x.x}]\n"})
		}, want: failing("x-1.0.0.tgz", "Chart.yaml: dependencies[0]", "lib is not in charts/")},
		"not vendored, v1": {make: func(s *site) {
			s.chart("x-1.0.0.tgz", map[string]string{"Chart.yaml": "apiVersion: v1\nname: x\nversion: 1.0.0\n", "requirements.yaml": "dependencies: [{name: lib, version: 1.x.x}]\n"})
		}, want: failing("x-1.0.0.tgz", "requirements.yaml: dependencies[0]", "lib is not in charts/")},
		// Helm 2.17, 3.22 and 4.3 render what charts/ holds whether or not it fits, under
		// its own name: an alias, and a condition by it, mean nothing then.
		"another version in charts/, by an alias": {make: func(s *site) {
			s.chart("x-1.0.0.tgz", withLib("apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies: [{name: lib, version: 2.x.x, alias: other, repository: 'http://localhost'}]\n"))
		}, want: warning("x-1.0.0.tgz", "Chart.yaml: dependencies[0].version", `charts/ has lib 1.2.3, which is not "2.x.x": Helm renders it as lib, and the alias other means nothing`)},
		"not a constraint, by an alias": {make: func(s *site) {
			s.chart("x-1.0.0.tgz", withLib("apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies: [{name: lib, version: new, alias: other}]\n"))
		}, want: warning("x-1.0.0.tgz", "Chart.yaml: dependencies[0].version", `charts/ has lib 1.2.3, which is not "new"`)},
		"another version in charts/, of a repository outside": {make: func(s *site) {
			s.chart("x-1.0.0.tgz", withLib("apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies: [{name: lib, version: 2.x.x, repository: 'https://charts.example.com'}]\n"))
		}, want: warning("x-1.0.0.tgz", "Chart.yaml: dependencies[0].repository", "https://charts.example.com is outside; lib is in charts/")},
		"not vendored, of a repository outside": {make: func(s *site) {
			s.chart("x-1.0.0.tgz", map[string]string{"Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies: [{name: lib, version: 2.x.x, repository: 'https://charts.example.com'}]\n"})
		}, want: failing("x-1.0.0.tgz", "Chart.yaml: dependencies[0]", "lib is not in charts/: Helm refuses to install the chart; helm dependency update would fetch it from https://charts.example.com, which is outside")},
		"a repository outside": {make: func(s *site) {
			s.chart("x-1.0.0.tgz", withLib("apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies: [{name: lib, version: 1.x.x, repository: 'https://u:p@charts.example.com/'}]\n"))
		}, want: warning("x-1.0.0.tgz", "Chart.yaml: dependencies[0].repository", "https://charts.example.com/ is outside; lib is in charts/")},
		"a registry outside": {make: func(s *site) {
			s.chart("x-1.0.0.tgz", withLib("apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies: [{name: lib, version: 1.x.x, repository: 'oci://charts.example.com/y'}]\n"))
		}, want: warning("x-1.0.0.tgz", "Chart.yaml: dependencies[0].repository", "oci://charts.example.com/y is outside")},
		"a lock outside": {make: func(s *site) {
			files := withLib("apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies: [{name: lib, version: 1.x.x}]\n")
			files["Chart.lock"] = "dependencies: [{name: lib, version: 1.2.3, repository: 'https://charts.example.com'}]\n"
			s.chart("x-1.0.0.tgz", files)
		}, want: warning("x-1.0.0.tgz", "Chart.lock: dependencies[0].repository", "is outside")},
		"a lock outside, v1": {make: func(s *site) {
			files := withLib("apiVersion: v1\nname: x\nversion: 1.0.0\n")
			files["requirements.yaml"] = "dependencies: [{name: lib, version: 1.x.x}]\n"
			files["requirements.lock"] = "dependencies: [{name: lib, version: 1.2.3, repository: 'https://charts.example.com'}]\n"
			s.chart("x-1.0.0.tgz", files)
		}, want: warning("x-1.0.0.tgz", "requirements.lock: dependencies[0].repository", "is outside")},
		"a sub-chart outside": {make: func(s *site) {
			s.chart("x-1.0.0.tgz", map[string]string{
				"Chart.yaml":            "apiVersion: v2\nname: x\nversion: 1.0.0\n",
				"charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.2.3\ndependencies: [{name: z, version: 1.x.x, repository: 'https://charts.example.com'}]\n",
			})
		}, want: warning("x-1.0.0.tgz", "charts/lib/Chart.yaml: dependencies[0].repository", "is outside; Helm fetches nothing for sub-charts")},

		// Provenance.
		"no provenance": {options: Options{RequireProvenance: true}, make: func(s *site) {
			s.remove(keystone)
			s.remove("toolkit-0.1.0.tgz")
			s.remove(nova + ".prov")
			s.rebuild(repo.Options{})
		}, want: failing(nova+".prov", "", "missing")},
		"provenance of nothing": {make: func(s *site) { s.write("x-1.0.0.tgz.prov", s.read(nova+".prov")) },
			want: failing("x-1.0.0.tgz.prov", "", "not here")},
		"altered provenance": {make: func(s *site) { s.edit(nova+".prov", "compute", "computer") },
			want: failing(nova+".prov", "", "signature does not fit")},
		"junk as provenance": {make: func(s *site) { s.write(nova+".prov", []byte("<html>")) },
			want: failing(nova+".prov", "", "no whole PGP signed message")},
		"huge provenance": {make: func(s *site) { s.write(nova+".prov", bytes.Repeat([]byte("-----\n"), 1<<20)) },
			want: failing(nova+".prov", "", "larger than")},
		"another key": {make: func(s *site) {
			s.key = newKey(t)
			s.write(nova+".prov", s.sign(nova, nova, novaMetadata))
		}, want: failing(nova+".prov", "", "in no keyring")},
		"provenance of another archive": {make: func(s *site) { s.write(nova+".prov", s.sign(keystone, nova, novaMetadata)) },
			want: failing(nova+".prov", "files", "the archive's is")},
		"provenance of another name": {make: func(s *site) { s.write(nova+".prov", s.sign(nova, "nova-1.0.1.tgz", novaMetadata)) },
			want: failing(nova+".prov", "files", "not a file that it names")},
		"provenance of other metadata": {make: func(s *site) {
			s.write(nova+".prov", s.sign(nova, nova, strings.Replace(novaMetadata, "compute", "storage", 1)))
		}, want: failing(nova+".prov", "", "Chart.yaml says: description")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, index.YAML)
			o := c.options
			o.Keyring, o.Offline = ring(t, s.key), !c.online
			c.make(s)
			s.once(s.folder(o), c.want)
		})
	}
}

// What Helm takes as it is, is no finding: a sub-chart that its declaration does not
// fit is rendered all the same, and what a lock names beside what is declared is never
// fetched (helm dependency build refuses the lock). Seen with Helm 2.17, 3.22 and 4.3.
func TestNoFinding(t *testing.T) {
	const head = "apiVersion: v2\nname: x\nversion: 1.0.0\n"
	for name, files := range map[string]map[string]string{
		"another version in charts/": withLib(head + "dependencies: [{name: lib, version: 2.x.x}]\n"),
		"not a constraint":           withLib(head + "dependencies: [{name: lib, version: new}]\n"),
		"no version":                 withLib(head + "dependencies: [{name: lib, repository: 'file://./charts/lib'}]\n"),
		"a lock of nothing": {
			"Chart.yaml": head,
			"Chart.lock": "dependencies: [{name: gone, version: 1.0.0, repository: 'https://charts.example.com'}]\n",
		},
		"a lock of what is in charts/ and not declared": {
			"Chart.yaml": head, "charts/lib/Chart.yaml": lib,
			"Chart.lock": "dependencies: [{name: lib, version: 1.2.3, repository: 'https://charts.example.com'}]\n",
		},
		"a sub-chart's lock of nothing": {
			"Chart.yaml": head, "charts/lib/Chart.yaml": lib,
			"charts/lib/Chart.lock": "dependencies: [{name: gone, version: 1.0.0, repository: 'https://charts.example.com'}]\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, index.YAML)
			s.chart("x-1.0.0.tgz", files)
			if r := s.folder(Options{Offline: true}); len(r.Findings) > 0 {
				t.Errorf("got %v", r.Findings)
			}
		})
	}
}

// withLib is a chart that has lib 1.2.3 in charts/.
func withLib(metadata string) map[string]string {
	return map[string]string{"Chart.yaml": metadata, "charts/lib/Chart.yaml": lib}
}

const lib = "apiVersion: v2\nname: lib\nversion: 1.2.3\n"

// digest changes the digest that the index has of a chart.
func (s *site) digest(name, digest string) {
	s.t.Helper()
	head, rest, _ := strings.Cut(string(s.read("index.yaml")), "  "+name+":\n")
	before, after, ok := strings.Cut(rest, "    digest: ")
	if !ok {
		s.t.Fatalf("no digest of %s", name)
	}
	_, after, _ = strings.Cut(after, "\n")
	s.write("index.yaml", []byte(head+"  "+name+":\n"+before+"    digest: \""+digest+"\"\n"+after))
}

// failing and warning are what a test wants: problem is a part of the Reason.
func failing(file, field, problem string) *chart.Error {
	return &chart.Error{File: file, Field: field, Reason: problem}
}

func warning(file, field, problem string) *chart.Error {
	return &chart.Error{Severity: chart.Warning, File: file, Field: field, Reason: problem}
}

// once checks that want is all that was found.
func (s *site) once(r *Report, want *chart.Error) {
	s.t.Helper()
	if len(r.Findings) != 1 {
		s.t.Fatalf("got %d findings, want one:\n%+v", len(r.Findings), r.Findings)
	}
	got := r.Findings[0]
	if got.Severity != want.Severity || got.File != want.File || got.Field != want.Field || !strings.Contains(got.Reason, want.Reason) {
		s.t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got.Remedy == "" {
		s.t.Errorf("no remedy: %+v", got)
	}
	if strings.Contains(got.Reason, "secret") || strings.Contains(got.Reason, "u:p") {
		s.t.Errorf("it tells a secret: %+v", got)
	}
}

// Without a keyring only what is signed is compared, not who did.
func TestWithoutKeyring(t *testing.T) {
	s := newSite(t, index.YAML)
	s.edit("nova-1.0.0.tgz.prov", "home: https://nova", "home:  https://nova") // breaks the signature alone
	r := s.folder(Options{})
	if len(r.Findings) > 0 || r.SignaturesChecked || r.Provenance != 1 {
		t.Errorf("got %+v", r)
	}
	s.write("nova-1.0.0.tgz.prov", s.sign("toolkit-0.1.0.tgz", "nova-1.0.0.tgz", novaMetadata))
	s.once(s.folder(Options{}), failing("nova-1.0.0.tgz.prov", "files", "the archive's is"))
}

// The strict reader sees the same in JSON.
func TestStrictJSON(t *testing.T) {
	for name, c := range map[string]struct {
		old, with string
		want      *chart.Error
	}{
		"an unknown field": {`"name":"nova"`, `"name":"nova","colour":{"a":[1]}`, failing("index.yaml", "entries.nova[0].colour", "unknown field: Helm up to 3.12 refuses")},
		"a duplicate key":  {`"name":"nova"`, `"name":"nova","name":"nova"`, failing("index.yaml", "entries.nova[0].name", "duplicate")},
		"no apiVersion":    {`"apiVersion":"v1",`, ``, failing("index.yaml", "apiVersion", "missing")},
		"bad generated":    {`"generated":"20`, `"generated":"x20`, failing("index.yaml", "generated", "RFC 3339")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, index.JSON)
			s.edit("index.yaml", c.old, c.with)
			s.once(s.folder(Options{}), c.want)
		})
	}
}

func TestAllowHosts(t *testing.T) {
	for name, c := range map[string]struct {
		allow string
		url   string
		ok    bool
	}{
		"the host":      {"charts.example.com", "https://charts.example.com/nova-1.0.0.tgz", true},
		"any port":      {"charts.example.com", "https://Charts.example.com:8443/nova-1.0.0.tgz", true},
		"the port":      {"charts.example.com:8443", "https://charts.example.com:8443/nova-1.0.0.tgz", true},
		"another port":  {"charts.example.com:8443", "https://charts.example.com/nova-1.0.0.tgz", false},
		"a sub-domain":  {"example.com", "https://charts.example.com/nova-1.0.0.tgz", false},
		"loopback":      {"", "http://127.1.2.3:8879/charts/nova-1.0.0.tgz", true},
		"IPv6 loopback": {"", "http://[::1]:8879/charts/nova-1.0.0.tgz", true},
		"IPv6":          {"[fd00::1]", "http://[fd00::1]:80/nova-1.0.0.tgz", true},
		"an address":    {"", "http://10.0.0.1/nova-1.0.0.tgz", false},
		"like loopback": {"", "http://localhost.example.com/nova-1.0.0.tgz", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, index.YAML)
			s.edit("index.yaml", "- nova-1.0.0.tgz", "- "+c.url)
			o := Options{Offline: true}
			if c.allow != "" {
				o.AllowHosts = []string{c.allow}
			}
			if r := s.folder(o); (len(r.Findings) == 0) != c.ok {
				t.Errorf("got %+v, want allowed: %v", r.Findings, c.ok)
			}
		})
	}
}

// Where every image is outside that is not "no findings": one for each registry and archive.
func TestImagesOutside(t *testing.T) {
	s := newSite(t, index.YAML)
	s.chart("x-1.0.0.tgz", map[string]string{
		"Chart.yaml":           "apiVersion: v2\nname: x\nversion: 1.0.0\n",
		"values.yaml":          "images: {tags: {api: 'quay.io/a/nova:1', db: 'quay.io/a/db:1', site: 'reg.site:5000/a:1', own: 'localhost:5000/a:1'}}\n",
		"templates/p.yaml":     "image: busybox:1.36\n",
		"charts/t/Chart.yaml":  "apiVersion: v2\nname: t\nversion: 0.1.0\n",
		"charts/t/values.yaml": "image: {repository: quay.io/a/tool, tag: 1}\n",
	})
	only := func(hosts ...string) (about []string) {
		for _, f := range s.folder(Options{Offline: true, AllowHosts: hosts}).Findings {
			if f.Field == "images" {
				about = append(about, f.Severity.String()+" "+f.Reason)
			}
		}
		return about
	}
	want := []string{
		"warning docker.io/library/busybox:1.36: nodes pull it from docker.io, which is outside, unless they have a mirror for it",
		"warning quay.io/a/db:1 and 2 more: nodes pull it from quay.io, which is outside, unless they have a mirror for it",
		"warning reg.site:5000/a:1: nodes pull it from reg.site:5000, which is outside, unless they have a mirror for it",
	}
	if got := only(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := only("docker.io", "quay.io", "reg.site:5000"); len(got) > 0 {
		t.Errorf("all are allowed: got %q", got)
	}
	for _, f := range s.folder(Options{}).Findings {
		if f.Field == "images" {
			t.Errorf("not offline: got %v", f)
		}
	}
}

func TestFolderErrors(t *testing.T) {
	v, err := New(Options{})
	must(t, err)
	if _, err := v.Folder(t.Context(), t.TempDir()+"/none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Folder(ctx, newSite(t, index.YAML).dir); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: got %v", err)
	}
	for _, o := range []Options{{Jobs: -1}, {AllowHosts: []string{"https://example.com"}}, {AllowHosts: []string{""}}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}
