package remote

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseNetrc(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string // host:port user password
	}{
		"empty":            {"", nil},
		"one line":         {"machine a.example.com login ann password pw", []string{"a.example.com: ann pw"}},
		"many lines":       {"machine a\n\tlogin ann\r\n\tpassword pw\n\nmachine b login bob password pw2\n", []string{"a: ann pw", "b: bob pw2"}},
		"capitals":         {"machine A.Example.COM login Ann password Pw", []string{"a.example.com: Ann Pw"}},
		"port":             {"machine a.example.com:8443 login ann password pw", []string{"a.example.com:8443 ann pw"}},
		"comments":         {"# ours\nmachine a # here\n login ann\n# machine b login x\n password pw", []string{"a: ann pw"}},
		"hash in password": {"machine a login ann password #pw#", []string{"a: ann #pw#"}},
		"keyword as value": {"machine a login machine password password", []string{"a: machine password"}},
		"quotes":           {`machine a login "ann b" password "p\"w\\ \n"`, []string{"a: ann b p\"w\\ \n"}},
		"account":          {"machine a login ann account x password pw", []string{"a: ann pw"}},
		"default":          {"machine a login ann password pw default login all password secret", []string{"a: ann pw"}},
		"default first":    {"default login all password secret\nmachine a login ann password pw", []string{"a: ann pw"}},
		"macro":            {"machine a login ann password pw\nmacdef init\nmachine x login y\n\nmachine b login bob password p", []string{"a: ann pw", "b: bob p"}},
		"macro, CRLF":      {"macdef init\r\nput x\r\n\r\nmachine b login bob password p\r\n", []string{"b: bob p"}},
		"macro at the end": {"machine a login ann password pw\nmacdef init\nput x", []string{"a: ann pw"}},
		"no credentials":   {"machine a\nmachine b login bob password p", []string{"b: bob p"}},
		"byte order mark":  {"\uFEFFmachine a login ann password pw", []string{"a: ann pw"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			machines, err := parseNetrc(strings.NewReader(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range machines {
				got = append(got, m.host+":"+m.port+" "+m.Username+" "+m.Password)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseNetrcFails(t *testing.T) {
	for text, want := range map[string]string{
		"machine":          `line 1: nothing follows machine`,
		"machine a\nlogin": `line 2: nothing follows login`,
		"machine a login ann\npassword hunter2 two":  "line 2: a word that is none of machine",
		"machine a password \"hunter2\nlogin x":      `line 1: nothing follows password`,
		strings.Repeat("#", maxNetrc+1):              "larger than",
		"machine a login ann\npassword x\nhunter2 a": "line 3: a word",
	} {
		_, err := parseNetrc(strings.NewReader(text))
		wantError(t, err, want)
	}
	if _, err := parseNetrc(strings.NewReader("x y")); !errors.Is(err, errNetrc) {
		t.Errorf("got %v", err)
	}
}

func FuzzParseNetrc(f *testing.F) {
	for _, s := range []string{"machine a login b password c", "machine", "macdef x\n\n", `machine "a b" login "`, "default", "#\n#", "machine a:1 login #"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		machines, err := parseNetrc(strings.NewReader(s))
		if err != nil && machines != nil {
			t.Error("machines and an error")
		}
		for _, m := range machines {
			if m.Username+m.Password == "" {
				t.Errorf("a machine without credentials: %+v", m)
			}
		}
	})
}
