package httpapi

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"chartserve/internal/page"
	"chartserve/internal/repo"
)

// operations is what the page of operations says in plain text, and its status.
func (u *uploader) operations(target, who string) (int, string) {
	header := []string{"Accept", "text/plain"}
	if who != "" {
		header = append(header, as(who)...)
	}
	return u.do("GET", target, http.NoBody, header...)
}

// Who may read all charts, by a name of his own, sees who wrote and who was refused. Others
// see that there is something to log in for.
func TestWhoSeesTheJournal(t *testing.T) {
	some := "- {names: [reader], rights: [read], charts: [\"web-*\"]}"
	for name, tt := range map[string]struct {
		more, reader, who, target string
		code                      int
		seen                      bool
		text                      string
	}{
		"all":                  {"", "", "all", "/operations/", 200, true, "writer: upload web-a 1.0.0: 201\n"},
		"all, refusals":        {"", "", "all", "/charts/operations/", 200, true, "refused: writer: upload db 1.0.0: 403: writer may not upload charts of the name db\n"},
		"all, no login":        {"", "", "all", "/operations/", 200, true, "refused: anonymous: upload /charts/web-b-1.0.0.tgz: 401: unauthorized: no login\n"},
		"reads all":            {"", "- {names: [reader], rights: [read]}", "reader", "/operations/", 200, true, "writer: upload web-a"},
		"reads some":           {"", some, "reader", "/operations/", 200, false, "You may read some of the charts"},
		"reads some, nothing":  {"", some, "reader", "/operations/", 200, false, "1 chart, 1 archive\n"},
		"everybody":            {"anonymousRead: true", some, "", "/operations/", 200, false, "is shown to who has logged in"},
		"everybody, log in":    {"anonymousRead: true", some, "", "/operations/?login", 401, false, "unauthorized"},
		"everybody, logged in": {"anonymousRead: true", some, "reader", "/operations/?login", 200, true, "writer: upload web-a"},
		"writes only":          {"", "", "writer", "/operations/", 403, false, "writer may not read charts"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.reader == "" {
				tt.reader = some
			}
			u := newUploader(t, Options{Access: guardOf(t, tt.more, tt.reader)}, repo.Options{})
			u.do("POST", "/api/charts", bytes.NewReader(chartArchive(t, "web-a", "1.0.0", nil)), as("writer")...)
			u.do("POST", "/api/charts", bytes.NewReader(chartArchive(t, "db", "1.0.0", nil)), as("writer")...)
			u.do("PUT", "/charts/web-b-1.0.0.tgz", http.NoBody)
			u.operations("/operations/?login", "")
			code, text := u.operations(tt.target, tt.who)
			if strings.Contains(text, "read /operations/") {
				t.Errorf("who only found out about logins was refused:\n%s", text)
			}
			if code != tt.code || !strings.Contains(text, tt.text) || strings.Contains(text, "writer: upload") != tt.seen {
				t.Errorf("got %d, want %d and %q:\n%s", code, tt.code, tt.text, text)
			}
		})
	}
}

// Where nobody has to log in everybody sees it, with what clients were told alone; and where
// nothing can be written either there is none.
func TestJournalWithoutLogin(t *testing.T) {
	u := newUploader(t, Options{Uploads: Uploads{MaxSize: 1000}}, repo.Options{})
	u.do("POST", "/api/charts", bytes.NewReader(chartArchive(t, "web-a", "1.0.0", nil)))
	u.do("POST", "/api/charts", bytes.NewReader(make([]byte, 2000)))
	if _, text := u.operations("/operations/", ""); !strings.Contains(text, "upload web-a 1.0.0: 201\n") || !strings.Contains(text, "upload /api/charts: 413: request too large\n") {
		t.Errorf("got:\n%s", text)
	}
	f := newFixture(t, Options{})
	f.do("POST", "/api/charts")
	if got := text(t, f.get("/operations/")); strings.Contains(got, "refusals") || strings.Contains(got, "uploads") {
		t.Errorf("a journal of what can't be:\n%s", got)
	}
}

// Each repository has what happened in it, and a thousand refusals hide no upload.
func TestJournalIsBounded(t *testing.T) {
	var j journal
	j.add("team", page.Act{Chart: "nova"}, false)
	for i := range 1000 {
		j.add("", page.Act{Chart: fmt.Sprint(i)}, true)
	}
	if got := j.of("team"); len(got.Writes) != 1 || len(got.Refusals) != 0 {
		t.Errorf("team has %v", got)
	}
	if got := j.of(""); len(got.Writes) != 0 || len(got.Refusals) != maxActs || got.Refusals[0].Chart != "999" || got.Refusals[maxActs-1].Chart != "950" {
		t.Errorf("the root has %v", got)
	}
	r, _ := http.NewRequest("PUT", "/"+strings.Repeat("x", 10_000), nil)
	if got := new(api).actOf(r, &visit{chart: strings.Repeat("y", 10_000), reason: fmt.Errorf("%s: %w", strings.Repeat("z", 10_000), errUnauthorized)}, 401); len(got.Path) != maxActText || len(got.Chart) != maxActText || got.Reason != "unauthorized" {
		t.Errorf("%d bytes of path, %d of chart, %s", len(got.Path), len(got.Chart), got.Reason)
	}
}

// No secret is on the page, wherever a client has put it.
func TestJournalLeaks(t *testing.T) {
	f := newFixture(t, Options{Uploads: uploads(t), Access: guard(t, "")})
	const secret = "hunter2hunter2"
	for _, value := range []string{"Bearer " + secret, "Basic " + secret, secret} {
		f.do("DELETE", "/api/charts/none/1.0.0?password="+secret, "Authorization", value)
	}
	f.do("DELETE", "/api/charts/none/1.0.0", as("all")...)
	got := text(t, f.get("/operations/", as("all")...))
	for _, s := range []string{secret, secrets["all"], as("all")[1]} {
		if strings.Contains(got, s) {
			t.Errorf("the page has %s", s)
		}
	}
	if strings.Count(got, " delete ") < 4 {
		t.Errorf("the page does not have what happened:\n%s", got)
	}
}

// The page says what the archives take on disk, those too that were replaced.
func TestStorageOnThePage(t *testing.T) {
	u := newUploader(t, Options{Uploads: Uploads{Overwrite: true}}, repo.Options{KeepReplaced: time.Hour})
	for _, values := range []string{"a: 1\n", "a: 2\n"} {
		u.do("POST", "/api/charts", bytes.NewReader(chartArchive(t, "web-a", "1.0.0", map[string]string{"values.yaml": values})))
	}
	if _, text := u.operations("/operations/", ""); !strings.Contains(text, "\narchives: 1, ") || !strings.Contains(text, " bytes; 1 file, ") {
		t.Errorf("got:\n%s", text)
	}
}
