package accesslog

import (
	"encoding/json"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func request() *Request {
	return &Request{
		Time: time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.FixedZone("", 3600)), Method: "GET", Path: "/charts/nova-1.0.0%2Ba.tgz",
		Query: "a=b", Proto: "HTTP/1.1", Status: 200, Bytes: 12345, Milliseconds: 0.25, Client: "192.0.2.1:1234",
		Agent: "Helm/3.18.0", Referer: "http://localhost:8879/", ID: "abc",
	}
}

func TestForms(t *testing.T) {
	bare := &Request{Method: "OPTIONS", Path: "*", Proto: "HTTP/1.0", Client: "2001:db8::7"}
	login := request()
	login.User, login.Client, login.Query = "a b", "[::1]:1", `"`
	for name, tt := range map[string]struct {
		form Form
		r    *Request
		want string
	}{
		"json": {JSON, request(), `{"time":"2026-01-02T03:04:05.6+01:00","method":"GET","path":"/charts/nova-1.0.0%2Ba.tgz","query":"a=b",` +
			`"proto":"HTTP/1.1","status":200,"bytes":12345,"milliseconds":0.25,"client":"192.0.2.1:1234","agent":"Helm/3.18.0",` +
			`"referer":"http://localhost:8879/","requestID":"abc"}`},
		"common":   {Common, request(), `192.0.2.1 - - [02/Jan/2026:03:04:05 +0100] "GET /charts/nova-1.0.0%2Ba.tgz?a=b HTTP/1.1" 200 12345`},
		"combined": {Combined, request(), `192.0.2.1 - - [02/Jan/2026:03:04:05 +0100] "GET /charts/nova-1.0.0%2Ba.tgz?a=b HTTP/1.1" 200 12345 "http://localhost:8879/" "Helm/3.18.0"`},
		"bare":     {Combined, bare, `2001:db8::7 - - [01/Jan/0001:00:00:00 +0000] "OPTIONS * HTTP/1.0" 0 0 "-" "-"`},
		"login":    {Common, login, `::1 - a\x20b [02/Jan/2026:03:04:05 +0100] "GET /charts/nova-1.0.0%2Ba.tgz?\x22 HTTP/1.1" 200 12345`},
	} {
		if got := string(tt.form(nil, tt.r)); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, tt.want)
		}
	}
}

// combined reads a line as analysers do.
var combined = regexp.MustCompile(`^([^ ]+) - ([^ ]+) \[([^]"]+)\] "([^"]*)" (\d+) (\d+) "([^"]*)" "([^"]*)"$`)

// No text of a client's makes another line, or moves a field.
func FuzzForms(f *testing.F) {
	f.Add("/a\nb", "q=\"", "agent\r\n1.2.3.4 - - [x] \"GET / HTTP/1.1\" 200 1", "me\" admin", `\`, "id")
	f.Add("/\x00\x1b[31m", "\xff\xfe", "\u2028\u2029", "user] ", "\t", "")
	f.Fuzz(func(t *testing.T, path, query, agent, user, referer, id string) {
		r := &Request{Method: "GET", Path: path, Query: query, Proto: "HTTP/1.1", Status: 200, Bytes: 7, Client: "192.0.2.1:1", User: user, Agent: agent, Referer: referer, ID: id}
		var records strings.Builder
		To(slog.New(slog.NewTextHandler(&records, nil)))(r)
		for name, line := range map[string]string{
			"json": string(JSON(nil, r)), "common": string(Common(nil, r)), "combined": string(Combined(nil, r)),
			"slog": strings.TrimSuffix(records.String(), "\n"),
		} {
			if strings.ContainsFunc(line, func(c rune) bool { return c < ' ' || c == '\x7f' && name[0] == 'c' }) {
				t.Errorf("%s: control characters in %q", name, line)
			}
		}
		fields := combined.FindStringSubmatch(string(Combined(nil, r)))
		if fields == nil || fields[1] != "192.0.2.1" || fields[5] != "200" || fields[6] != "7" {
			t.Errorf("not combined: %q", Combined(nil, r))
		}
		var back Request
		if err := json.Unmarshal(JSON(nil, r), &back); err != nil {
			t.Fatal(err)
		}
		for got, want := range map[*string]string{&back.Path: path, &back.Agent: agent, &back.User: user, &back.Query: query} {
			if utf8.ValidString(want) && *got != want {
				t.Errorf("got %q, want %q", *got, want)
			}
		}
		if back.Status != 200 || back.Bytes != 7 {
			t.Errorf("got %+v", back)
		}
	})
}

func BenchmarkForm(b *testing.B) {
	for name, form := range map[string]Form{"json": JSON, "combined": Combined} {
		b.Run(name, func(b *testing.B) {
			r := request()
			b.ReportAllocs()
			for b.Loop() {
				form(make([]byte, 0, 512), r)
			}
		})
	}
}
