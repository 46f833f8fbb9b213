package chart

import (
	"testing"
)

func TestParseRewrite(t *testing.T) {
	tests := map[string]struct {
		in       string
		from, to string // both "" when it is refused
	}{
		"plain":          {"https://a.example.com=http://b.example.com:8879/charts", "https://a.example.com", "http://b.example.com:8879/charts"},
		"any":            {"*=http://b.example.com", "*", "http://b.example.com"},
		"alias":          {"@stable=oci://b.example.com/charts", "@stable", "oci://b.example.com/charts"},
		"query":          {"https://a.example.com?k=v=http://b.example.com", "https://a.example.com?k=v", "http://b.example.com"},
		"no to":          {"https://a.example.com=", "", ""},
		"no from":        {"=https://a.example.com", "", ""},
		"no equals":      {"https://a.example.com", "", ""},
		"to is no URL":   {"https://a.example.com=b", "", ""},
		"to has no host": {"https://a.example.com=http:///charts", "", ""},
		"space":          {"*=http://b.example.com x", "", ""},
		"empty":          {"", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseRewrite(tt.in)
			if (err != nil) != (tt.to == "") || got.From != tt.from || got.To != tt.to {
				t.Errorf("got %+v, %v", got, err)
			}
			if err == nil && got.String() != tt.in {
				t.Errorf("String is %q, want %q", got, tt.in)
			}
		})
	}
}

func TestRewriteRepository(t *testing.T) {
	rs := Rewrites{
		{From: "https://a.example.com/x/", To: "http://first.example.com"},
		{From: "@stable", To: "http://second.example.com"},
		{From: AnyRepository, To: "http://rest.example.com"},
	}
	for repository, want := range map[string]string{
		"https://a.example.com/x":   "http://first.example.com",
		"https://a.example.com/x//": "http://first.example.com",
		"https://a.example.com/x/y": "http://rest.example.com",
		"http://a.example.com/x":    "http://rest.example.com",
		"oci://a.example.com":       "http://rest.example.com",
		"@stable":                   "http://second.example.com",
		"@other":                    "@other",
		"file://../x":               "file://../x",
		"":                          "",
		"s3://bucket":               "s3://bucket",
	} {
		if got := rs.Repository(repository); got != want {
			t.Errorf("%q becomes %q, want %q", repository, got, want)
		}
	}
	if got := Rewrites(nil).Repository("https://a.example.com"); got != "https://a.example.com" {
		t.Errorf("without rewrites: %q", got)
	}
}

func TestRewriteLock(t *testing.T) {
	rs := Rewrites{{From: "https://a.example.com", To: "http://b.example.com"}}
	reqs := []*Dependency{{Name: "d", Version: "^1", Repository: "https://a.example.com"}, {Name: "e", Version: "^1", Repository: "file://../e"}}
	locked := []*Dependency{{Name: "d", Version: "1.2.3", Repository: "https://a.example.com"}}
	in := &Lock{Digest: digestJSON([2][]*Dependency{reqs, locked}), Dependencies: locked}
	next, changed := rs.Dependencies(reqs)
	if !changed || next[0].Repository != "http://b.example.com" || next[1] != reqs[1] || reqs[0].Repository != "https://a.example.com" {
		t.Errorf("dependencies %+v, changed %v", next, changed)
	}
	out := rs.Lock(in, reqs, APIVersionV2)
	if !out.InSync(next, APIVersionV2) || out.Dependencies[0].Repository != "http://b.example.com" {
		t.Errorf("a lock in sync became %+v", out)
	}
	if in.Dependencies[0].Repository != "https://a.example.com" || !in.InSync(reqs, APIVersionV2) {
		t.Error("the lock itself was changed")
	}
	old := &Lock{Digest: "sha256:x", Dependencies: locked}
	if out := rs.Lock(old, reqs, APIVersionV2); out.Digest != "sha256:x" {
		t.Errorf("a lock that was out of sync has the digest %q", out.Digest)
	}
	if other := (Rewrites{{From: "https://c.example.com", To: "http://b.example.com"}}); other.Lock(in, reqs, APIVersionV2) != in || other.Lock(nil, reqs, APIVersionV2) != nil {
		t.Error("a lock was copied for nothing")
	}
	md := &Metadata{Name: "x", Dependencies: reqs}
	if got := rs.Metadata(md); got.Dependencies[0].Repository != "http://b.example.com" || md.Dependencies[0] != reqs[0] {
		t.Errorf("metadata %+v", got)
	}
	if Rewrites(nil).Metadata(md) != md {
		t.Error("metadata was copied for nothing")
	}
}
