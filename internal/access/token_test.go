package access

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var hashed = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("token")))

func TestTokens(t *testing.T) {
	text := "# tokens\n\nci " + hashed + " rights=upload,delete charts=web-*,db repositories=team expires=2027-01-31\n" +
		"all " + hashed + " rights=read expires=2027-01-31T12:00:00+01:00\r\n"
	got, err := parseTokens([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte("token"))
	want := []*Token{
		{Name: "ci", Rights: []Right{Upload, Delete}, Charts: []string{"web-*", "db"}, repositories: []string{"team"}, hash: hash, Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)},
		{Name: "all", Rights: []Right{Read}, hash: hash, Expires: time.Date(2027, 1, 31, 11, 0, 0, 0, time.UTC)},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Token{})); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}

func TestBadTokens(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"only a name":      {"ci", "line 2: not NAME sha256:HEX rights=..."},
		"the secret":       {"ci secret rights=read", "line 2: not NAME sha256:HEX"},
		"short hash":       {"ci " + hashed[:70] + " rights=read", "line 2: not NAME sha256:HEX"},
		"long hash":        {"ci " + hashed + "00 rights=read", "line 2: not NAME sha256:HEX"},
		"colon in name":    {"c:i " + hashed + " rights=read", "line 2: the name"},
		"no rights":        {"ci " + hashed, "line 2: rights: there are none (write some of read,upload,delete)"},
		"unknown right":    {"ci " + hashed + " rights=write", "line 2: rights[0]: not a right (write some of read,upload,delete)"},
		"unknown field":    {"ci " + hashed + " rights=read secret=x", "line 2: a field is none of rights=,"},
		"field twice":      {"ci " + hashed + " rights=read rights=upload", "line 2: rights is there twice"},
		"bad glob":         {"ci " + hashed + " rights=upload charts=a,[", "line 2: charts[1]: not a name or a glob"},
		"empty glob":       {"ci " + hashed + " rights=upload charts=", "line 2: charts[0]: not a name or a glob"},
		"bad date":         {"ci " + hashed + " rights=read expires=soon", "line 2: expires: write a date such as"},
		"name twice":       {"first " + hashed + " rights=read", "line 2: first is there twice"},
		"bad repositories": {"ci " + hashed + " rights=read repositories=[", "line 2: repositories[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseTokens([]byte("first " + hashed + " rights=read\n" + c.line))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if strings.Contains(err.Error(), "secret ") || strings.Contains(err.Error(), hashed[10:20]) {
				t.Errorf("the error holds a secret: %v", err)
			}
		})
	}
}

// A token that was made logs in, and its secret is not in the file.
func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	first := &Token{Name: "ci", Rights: []Right{Upload}, Charts: []string{"web-*"}, Expires: time.Now().Add(time.Hour)}
	secret, err := first.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: got %v, %v, want 0600", info.Mode(), err)
	}
	other, err := (&Token{Name: "reader", Rights: []Right{Read}}).Create(path)
	if err != nil || other == secret || len(secret) < 50 {
		t.Fatalf("second token: %v, %d characters", err, len(secret))
	}
	data, err := os.ReadFile(path)
	if err != nil || bytes.Contains(data, []byte(secret)) {
		t.Errorf("the file holds the secret, or %v", err)
	}
	g := newGuard(t, Options{TokenFile: path})
	id, err := g.Identify(t.Context(), []string{"Bearer " + secret}, nil, "192.0.2.1:1")
	if err != nil || id.Name != "ci" || !id.May(Upload, "", "web-a") || id.May(Upload, "", "db") || id.MaySome(Read, "") {
		t.Errorf("got %+v, %v", id, err)
	}
}

func TestCreateRefuses(t *testing.T) {
	dir := t.TempDir()
	good := write(t, dir, "good", "# tokens\nci "+hashed+" rights=read") // no line's end
	bad := write(t, dir, "bad", "\nci\n")
	for name, c := range map[string]struct {
		token *Token
		path  string
		want  string
	}{
		"name taken":     {&Token{Name: "ci", Rights: []Right{Read}}, good, good + ": ci has a token (delete its line"},
		"bad file":       {&Token{Name: "new", Rights: []Right{Read}}, bad, bad + ": line 2: not NAME"},
		"bad name":       {&Token{Name: "a b", Rights: []Right{Read}}, good, "the name: write"},
		"a comment":      {&Token{Name: "#ci", Rights: []Right{Read}}, good, "the name: it begins with #"},
		"no rights":      {&Token{Name: "new"}, good, "rights: there are none"},
		"two fields":     {&Token{Name: "new", Rights: []Right{Read}, Charts: []string{"a", "b repositories=c"}}, good, "charts[1]: blanks"},
		"two lines":      {&Token{Name: "new", Rights: []Right{Read}, Charts: []string{"a\nevil"}}, good, "charts[0]: blanks"},
		"no such folder": {&Token{Name: "new", Rights: []Right{Read}}, filepath.Join(dir, "no", "file"), "open "},
	} {
		before, _ := os.ReadFile(c.path)
		if secret, err := c.token.Create(c.path); err == nil || !strings.HasPrefix(err.Error(), c.want) || secret != "" {
			t.Errorf("%s: got %q, %v, want %s", name, secret, err, c.want)
		}
		if after, _ := os.ReadFile(c.path); !bytes.Equal(before, after) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	if _, err := (&Token{Name: "new", Rights: []Right{Read}}).Create(good); err != nil {
		t.Errorf("behind a line without end: %v", err)
	}
}

// Many who make tokens at once lose none, and a server that reads meanwhile sees
// whole lines.
func TestCreateAtOnce(t *testing.T) {
	// What is there takes a while to read, so that they meet.
	path := write(t, t.TempDir(), "tokens", strings.Repeat("# a line that is no token\n", 10_000))
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if _, err := (&Token{Name: fmt.Sprint("ci", i/5), Rights: []Right{Read}}).Create(path); (err != nil) && !strings.Contains(err.Error(), "has a token") {
				t.Error(err)
			}
			if _, err := New(Options{TokenFile: path}); err != nil {
				t.Errorf("read meanwhile: %v", err)
			}
		})
	}
	wg.Wait()
	data, err := os.ReadFile(path)
	if tokens, err2 := parseTokens(data); err != nil || err2 != nil || len(tokens) != 20 {
		t.Errorf("got %d tokens, %v, %v, want 20", len(tokens), err, err2)
	}
}

// What is read is written as a line that is read as the same.
func FuzzTokens(f *testing.F) {
	f.Add("ci " + hashed + " rights=upload,delete charts=web-*,db repositories=team expires=2027-01-31")
	f.Add("ci " + hashed + " rights=read expires=2027-01-31T12:00:00+01:00\n#\n")
	f.Add("ci sha256: rights=")
	f.Fuzz(func(t *testing.T, text string) {
		tokens, err := parseTokens([]byte(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Errorf("no line: %v", err)
			}
			return
		}
		for _, token := range tokens {
			again, err := parseTokens([]byte(token.line() + "\n"))
			if err != nil {
				t.Fatalf("%s: %v", token.line(), err)
			}
			if got, want := again[0].line(), token.line(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
}
