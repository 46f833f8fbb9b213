package verify

import (
	"encoding/json"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"chartserve/internal/index"
)

// FuzzStrict holds the strict reader against the one that Helm uses: what that
// finds unknown or twice is found here too, in whatever index.Decode has read.
func FuzzStrict(f *testing.F) {
	const good = "apiVersion: v1\nentries:\n  nova:\n  - name: nova\n    version: 1.0.0\n    urls: [nova-1.0.0.tgz]\n"
	f.Add([]byte(good))
	f.Add([]byte(good + "    colour: red\n"))
	f.Add([]byte(good + "    name: nova\n"))
	f.Add([]byte(good + "    dependencies: [{name: a, x: b}]\n"))
	f.Add([]byte(`{"apiVersion":"v1","entries":{"nova":[{"Name":"nova","version":"1.0.0"}]}}`))
	f.Add([]byte("apiVersion: v1\nentries: {}\nx: " + strings.Repeat("[", 200) + strings.Repeat("]", 200)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := index.Decode(data); err != nil || len(data) > 10_000 {
			return
		}
		v, err := New(Options{})
		must(t, err)
		r := &run{Verifier: v}
		r.strict(data)
		if len(r.list) > 0 || json.Valid(data) {
			return
		}
		var doc struct {
			ServerInfo, APIVersion, Generated, PublicKeys, Annotations any
			Entries                                                    map[string][]map[string]any
		}
		err = yaml.UnmarshalStrict(data, &doc)
		if err != nil && (strings.Contains(err.Error(), "unknown field") || strings.Contains(err.Error(), "already set")) {
			t.Errorf("the strict reader says %v", err)
		}
	})
}
