package chart

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	v2Dependencies = `dependencies:
- name: dep
  version: ">= 1.0.0 <2"
  repository: file://../dep
  condition: dep.enabled
  tags: [a, b]
  import-values: [data, {child: x, parent: y}]
- name: dep2
  version: "*"
  repository: file://../dep2/
  alias: d2
`
	v1Dependencies = `dependencies:
- name: dep
  version: ">= 1.0.0"
  repository: file://../dep
- name: dep2
  version: 0.3.0
  repository: file://../dep2/
  enabled: true
`
	lockedDependencies = `dependencies:
- name: dep
  repository: file://../dep
  version: 1.2.3
- name: dep2
  repository: file://../dep2/
  version: 0.3.0
`
	// What dependency update of Helm v3.21 and v4.2.4 (alike) and of v2.17.0 wrote
	// for these lists.
	v2Digest    = "digest: sha256:ad6c6df95e8aa131e95687b57527111d3bdc68290af32fc20c72bef03743dd1d\n"
	v1Digest    = "digest: sha256:35838e76c1d50106febe72acdb7733917882b60063e2022627d942d3964f24f4\n"
	helm2Digest = "digest: sha256:1b31cbe42bfcd5770fb3a5055fa7d55f1e3cd35e036a7ee2d3cf6d3383e480f1\n"
	generated   = "generated: \"2026-01-02T03:04:05.678Z\"\n"
)

func TestInSync(t *testing.T) {
	changed := func(list string) string { return list + "- name: more\n" }
	cases := map[string]struct {
		reqs, lock, apiVersion string
		want                   bool
	}{
		"Helm 3 and 4, v2 chart":    {v2Dependencies, lockedDependencies + v2Digest, APIVersionV2, true},
		"Helm 3 and 4, v1 chart":    {v1Dependencies, lockedDependencies + v1Digest, APIVersionV1, true},
		"Helm 2, v1 chart":          {v1Dependencies, lockedDependencies + helm2Digest, APIVersionV1, true},
		"Helm 2's digest, v2 chart": {v1Dependencies, lockedDependencies + helm2Digest, APIVersionV2, false},
		"declared more":             {changed(v2Dependencies), lockedDependencies + v2Digest, APIVersionV2, false},
		"declared more, Helm 2":     {changed(v1Dependencies), lockedDependencies + helm2Digest, APIVersionV1, false},
		"locked more":               {v2Dependencies, changed(lockedDependencies) + v2Digest, APIVersionV2, false},
		"locked more, Helm 2":       {v1Dependencies, changed(lockedDependencies) + helm2Digest, APIVersionV1, true}, // it digests the declarations alone
		"no digest":                 {v2Dependencies, lockedDependencies, APIVersionV2, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			reqs, err := ParseRequirements([]byte(tc.reqs))
			if err != nil {
				t.Fatal(err)
			}
			lock, err := ParseLock(LockFile, []byte(tc.lock+generated))
			if err != nil {
				t.Fatal(err)
			}
			if got := lock.InSync(reqs, tc.apiVersion); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
	if (*Lock)(nil).InSync(nil, APIVersionV2) {
		t.Error("no lock is in sync")
	}
}

func TestParseLock(t *testing.T) {
	cases := map[string]struct {
		in   string
		want *Lock
	}{
		"whole": {lockedDependencies + v2Digest + generated, &Lock{
			Generated: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC),
			Digest:    "sha256:ad6c6df95e8aa131e95687b57527111d3bdc68290af32fc20c72bef03743dd1d",
			Dependencies: []*Dependency{
				{Name: "dep", Repository: "file://../dep", Version: "1.2.3"},
				{Name: "dep2", Repository: "file://../dep2/", Version: "0.3.0"},
			},
		}},
		"empty":           {"", nil},
		"only a comment":  {"# x\n", nil},
		"nothing known":   {"foo: bar\n", &Lock{}},
		"null time":       {"generated: null\n", &Lock{}},
		"byte order mark": {"\uFEFFdigest: x\n", &Lock{Digest: "x"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ParseLock(LockFile, []byte(tc.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseLockRefuses(t *testing.T) {
	many := "dependencies:\n" + strings.Repeat("- {name: a}\n", MaxDependencies+1)
	cases := map[string]struct{ in, want string }{
		"ours: too many":   {many, `requirements.lock: dependencies: 10001 entries, at most 10000 are read`},
		"a list":           {"- a\n", `requirements.lock: must be a mapping, not a list (write it as key: value lines)`},
		"tab":              {"\tx\n", `requirements.lock: not valid YAML: found character that cannot start any token (indent with spaces, not tabs)`},
		"junk time":        {"generated: junk\n", `requirements.lock: generated "junk": not a time (write one such as 2026-01-31T12:00:00Z)`},
		"a day":            {"generated: 2020-01-01\n", `requirements.lock: generated "2020-01-01": not a time (write one such as 2026-01-31T12:00:00Z)`},
		"number as time":   {"generated: 5\n", `requirements.lock: error unmarshaling JSON: while decoding JSON: Time.UnmarshalJSON: input is not a JSON string`},
		"mapping":          {"dependencies: {}\n", `requirements.lock: dependencies: must be a list, not a mapping (start each entry with a dash)`},
		"ours: null entry": {"dependencies: [null]\n", `requirements.lock: dependencies[0]: empty or null (make the lock again with helm dependency update)`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := ParseLock(RequirementsLockFile, []byte(tc.in))
			if err == nil {
				t.Fatal("got no error")
			}
			if got := err.Error(); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if !errors.Is(err, ErrDependency) {
				t.Errorf("%v is not %v", err, ErrDependency)
			}
		})
	}
}

func FuzzLock(f *testing.F) {
	f.Add([]byte(lockedDependencies + v2Digest + generated))
	f.Add([]byte("generated: 5\n"))
	f.Add([]byte("dependencies: [{import-values: [{a: [b]}]}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ParseLock(LockFile, data)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		l.InSync(nil, APIVersionV1)
	})
}
