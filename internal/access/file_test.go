package access

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/reload"
)

func TestAccessFile(t *testing.T) {
	g := guardOf(t, `
anonymousRead: true
htpasswd: [users]
tokenFiles: [tokens]
certificates:
- subject: "*.build.example.com"
  name: ci
- subject: ops@example.com
grants:
- names: ["*"]
  rights: [read]
- names: [ann, ci]
  rights: [upload]
  charts: ["web-*", db]
- names: ["ops@*"]
  rights: [upload, delete]
  repositories: [team]
`, map[string]string{"users": "ann:" + bySHA1 + "\nbob:" + bySHA1 + "\n", "tokens": "deploy " + hashed + " rights=delete charts=db\n"})

	build, ops, stranger := certificateOf(""), certificateOf("Ops"), certificateOf("stranger")
	build.DNSNames = []string{"a.example.com", "b.build.example.com"}
	ops.EmailAddresses = []string{"ops@example.com"}
	type may map[string]bool // "right repository/chart"
	for name, c := range map[string]struct {
		id    func() (Identity, error)
		named string
		may   may
	}{
		"nobody":      {func() (Identity, error) { return g.Identify(t.Context(), nil, nil, "192.0.2.1") }, "", may{"read /web-a": true, "upload /web-a": false}},
		"skopeo":      {func() (Identity, error) { return g.Identify(t.Context(), []string{"Basic Og=="}, nil, "192.0.2.1") }, "", may{"read /web-a": true, "delete /web-a": false}},
		"ann":         {func() (Identity, error) { return g.Identify(t.Context(), basic("ann", password), nil, "192.0.2.1") }, "ann", may{"read /x": true, "upload /web-a": true, "upload /db": true, "upload /dba": false, "delete /db": false, "upload team/db": true}},
		"bob":         {func() (Identity, error) { return g.Identify(t.Context(), basic("bob", password), nil, "192.0.2.1") }, "bob", may{"read /x": true, "upload /web-a": false}},
		"token":       {func() (Identity, error) { return g.Identify(t.Context(), []string{"bEaReR  token "}, nil, "") }, "deploy", may{"read /x": true, "upload /db": false, "delete /db": true, "delete /x": false}},
		"as password": {func() (Identity, error) { return g.Identify(t.Context(), basic("deploy", "token"), nil, "") }, "deploy", may{"delete /db": true}},
		"build":       {func() (Identity, error) { return g.Identify(t.Context(), nil, connection(build), "") }, "ci", may{"read /x": true, "upload /db": true}},
		"ops":         {func() (Identity, error) { return g.Identify(t.Context(), nil, connection(ops), "") }, "ops@example.com", may{"upload /x": false, "upload team/x": true, "delete team/x": true, "delete teams/x": false}},
		"stranger":    {func() (Identity, error) { return g.Identify(t.Context(), nil, connection(stranger), "") }, "", may{"read /x": true, "upload /db": false}},
		"both": {func() (Identity, error) {
			return g.Identify(t.Context(), basic("bob", password), connection(build), "")
		}, "bob", may{"upload /db": false}},
	} {
		id, err := c.id()
		if err != nil || id.Name != c.named {
			t.Errorf("%s: got %q, %v, want %q", name, id.Name, err, c.named)
		}
		for what, want := range c.may {
			right, at, _ := strings.Cut(what, " ")
			repository, chart, _ := strings.Cut(at, "/")
			if got := id.May(Right(right), repository, chart); got != want {
				t.Errorf("%s: %s: got %v, want %v", name, what, got, want)
			}
		}
	}
}

// Whoever was not verified has no name, whatever the certificate says.
func TestUnverifiedCertificate(t *testing.T) {
	g := newGuard(t, Options{Certificates: true})
	c := connection(certificateOf("ann"))
	if id, err := g.Identify(t.Context(), nil, c, ""); err != nil || id.Name != "ann" || !id.May(Delete, "", "x") {
		t.Errorf("verified: got %q, %v", id.Name, err)
	}
	c.VerifiedChains = nil
	if id, err := g.Identify(t.Context(), nil, c, ""); err != nil || id.Name != "" || id.MaySome(Read, "") {
		t.Errorf("not verified: got %q, %v", id.Name, err)
	}
}

func TestBadAccessFiles(t *testing.T) {
	const users = "htpasswd: [users]\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":           {"", "nobody can log in"},
		"unknown key":     {users + "grant: []\n", "line 2: unknown key grant (docs/access.schema.json"},
		"key twice":       {users + users, "line 2: htpasswd is there twice"},
		"deep":            {users + "grants:\n- names: [a]\n  right: [read]\n", "line 4: unknown key right"},
		"not a list":      {"htpasswd: {a: b}\n", "line 1: a map can't be there"},
		"not a bool":      {users + "anonymousRead: s3cret\n", "line 2: a str can't be there"},
		"no YAML":         {users + "grants: [\n", "line 2: did not find"},
		"only anonymous":  {"anonymousRead: true\n", "nobody can log in"},
		"no grants":       {users, "grants: nobody has a right"},
		"null grant":      {users + "grants: [null]\n", "grants[0].names: write the names"},
		"no names":        {users + "grants: [{rights: [read]}]\n", "grants[0].names: write the names"},
		"bad name":        {users + "grants: [{names: ['['], rights: [read]}]\n", "line 2: grants[0].names[0]: not a name or a glob"},
		"no rights":       {users + "grants: [{names: [a]}]\n", "grants[0].rights: there are none"},
		"unknown right":   {users + "grants: [{names: [a], rights: [read, write]}]\n", "line 2: grants[0].rights[1]: not a right (write some of read,upload,delete)"},
		"the second":      {users + "grants:\n- names: [a]\n  rights: [read]\n- names: [b]\n  rights: [write]\n", "line 5: grants[1].rights[0]: not a right"},
		"bad chart":       {users + "grants: [{names: [a], rights: [upload], charts: [a, '']}]\n", "line 2: grants[0].charts[1]: not a name or a glob"},
		"bad repository":  {users + "grants: [{names: [a], rights: [read], repositories: ['[']}]\n", "grants[0].repositories[0]"},
		"no subject":      {"certificates: [{name: a}]\n", "line 1: certificates[0].subject: write a common name"},
		"bad certificate": {"certificates: [{subject: a, name: 'a b'}]\n", "line 1: certificates[0].name: the name"},
		"no such file":    {"htpasswd: [none]\ngrants: [{names: [a], rights: [read]}]\n", "open "},
		"bad users":       {"htpasswd: [plain]\ngrants: [{names: [a], rights: [read]}]\n", "plain: line 1: the password of ann is plain text"},
		"users twice":     {"htpasswd: [users, users]\ngrants: [{names: [a], rights: [read]}]\n", "users: ann is in another file too"},
		"tokens twice":    {"tokenFiles: [tokens, tokens]\n", "tokens: deploy is in another file too"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "users", "ann:"+bySHA1)
			write(t, dir, "plain", "ann:s3cret")
			write(t, dir, "tokens", "deploy "+hashed+" rights=read")
			_, err := New(Options{File: write(t, dir, "access.yaml", c.text)})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "access: ") {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "access.document") {
				t.Errorf("the error holds a secret, or a type: %v", err)
			}
		})
	}
}

func TestLargeFile(t *testing.T) {
	path := write(t, t.TempDir(), "users", strings.Repeat("#\n", reload.MaxFile/2+1))
	if _, err := New(Options{Htpasswd: path}); err == nil || !strings.Contains(err.Error(), path+": larger than the") {
		t.Errorf("got %v", err)
	}
}

// TestDocsExample reads the files of the documentation.
func TestDocsExample(t *testing.T) {
	doc, err := os.ReadFile("../../docs/access.md")
	if err != nil {
		t.Fatal(err)
	}
	file := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(doc)
	line := regexp.MustCompile(`(?m)^    (ci sha256:HEX .*)$`).FindSubmatch(doc)
	if file == nil || line == nil {
		t.Fatal("the page has no access file, or no line of a token file")
	}
	token := strings.Replace(string(line[1]), "sha256:HEX", hashed, 1)
	g := guardOf(t, string(file[1]), map[string]string{"users": "ann:" + bySHA1, "tokens": token})
	id, err := g.Identify(t.Context(), basic("ann", password), nil, "")
	if err != nil || !id.May(Read, "", "x") || !id.May(Upload, "", "web-a") || id.May(Upload, "", "x") {
		t.Errorf("ann: %+v, %v", id, err)
	}
}

// Whatever is in an access file, it is read or refused; one that is read gives nobody
// a right who has no name, but to read.
func FuzzAccessFile(f *testing.F) {
	f.Add("anonymousRead: true\nhtpasswd: [users]\ngrants: [{names: ['*'], rights: [read, upload]}]\n")
	f.Add("tokenFiles: [a]\ncertificates: [{subject: '*.x', name: y}]\ngrants:\n- names: [a]\n  rights: [delete]\n  charts: [b]\n  repositories: [c]\n")
	f.Add("grants: &a\n- *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDocument([]byte(text))
		if err != nil {
			return
		}
		s := &state{document: *d}
		id, named := s.anonymous(), s.identity("ann")
		if id.MaySome(Upload, "") || id.MaySome(Delete, "") || id.May(Read, "", "x") != d.AnonymousRead {
			t.Errorf("nobody has rights: %+v", id)
		}
		for _, right := range allRights() {
			if named.May(right, "", "x") && !named.MaySome(right, "") {
				t.Errorf("%s: on a chart, and on none", right)
			}
		}
	})
}

// TestSchema holds docs/access.schema.json against the structs.
func TestSchema(t *testing.T) {
	data, err := os.ReadFile("../../docs/access.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		AdditionalProperties bool
		Properties           map[string]struct{ Type string }
	}
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	types := map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Slice: "array"}
	for _, c := range []struct {
		of  any
		got object
	}{{document{}, schema.object}, {certificate{}, schema.Defs["certificate"]}, {grant{}, schema.Defs["grant"]}} {
		want, got := map[string]string{}, map[string]string{}
		for _, f := range reflect.VisibleFields(reflect.TypeOf(c.of)) {
			if f.IsExported() {
				want[f.Tag.Get("yaml")] = types[f.Type.Kind()]
			}
		}
		for name, p := range c.got.Properties {
			got[name] = p.Type
		}
		if diff := cmp.Diff(want, got); diff != "" || c.got.AdditionalProperties {
			t.Errorf("properties of %T (-struct +schema):\n%s", c.of, diff)
		}
	}
}
