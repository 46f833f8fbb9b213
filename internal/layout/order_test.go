package layout

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
)

// What was answered survives a power cut: content is on disk before it has its name, and each
// directory that has a new name is, up to the repository folder.
func TestPushOrder(t *testing.T) {
	dir := t.TempDir()
	f := &faults{}
	l := start(t, dir, Options{Fault: f.ask})
	must(t, os.WriteFile(filepath.Join(dir, "a-1.tgz"), []byte("archive"), 0o644))
	names := regexp.MustCompile(`_staged/\d+|[A-Z2-7]{26}|[0-9a-f]{64}`)
	sent := func(name, content string) func() error {
		return func() error {
			_, err := send(l, name, content)
			return err
		}
	}
	put := func(tag string) func() error {
		return func() error { return l.Put("a", entry(tag, "{}"), []byte("{}")) }
	}
	for _, c := range []struct {
		name string
		do   func() error
		want string
	}{
		{"the first blob", sent("a", "layer"), `
			write _uploads/a/ID
			sync _uploads/a/ID
			rename a/blobs/sha256/HEX
			link _blobs/sha256/HEX
			sync a/blobs
			sync a
			sync .oci
			sync .
			sync a/blobs/sha256`},
		{"another", sent("a", "other"), `
			write _uploads/a/ID
			sync _uploads/a/ID
			rename a/blobs/sha256/HEX
			link _blobs/sha256/HEX
			sync a/blobs/sha256`},
		{"one that another name has", sent("b", "layer"), `
			write _uploads/b/ID
			sync _uploads/b/ID
			link b/blobs/sha256/HEX
			sync b/blobs
			sync b
			sync .oci
			sync b/blobs/sha256`},
		{"the first manifest", put("1"), `
			write _staged/N
			sync _staged/N
			rename a/blobs/sha256/HEX
			link _blobs/sha256/HEX
			sync a/blobs/sha256
			write _staged/N
			sync _staged/N
			rename a/oci-layout
			write _staged/N
			sync _staged/N
			rename a/index.json
			sync a`},
		{"the manifest with another tag", put("2"), `
			sync a/blobs/sha256
			write _staged/N
			sync _staged/N
			rename a/index.json
			sync a`},
		{"the same again", put("2"), `
			sync a/blobs/sha256`},
		{"an archive", func() error { return l.Link("a", digest.FromString("archive"), "a-1.tgz") }, `
			link _staged/N
			rename a/blobs/sha256/HEX
			link _blobs/sha256/HEX
			sync a/blobs/sha256`},
	} {
		f.ops = nil
		must(t, c.do())
		got := ""
		for _, op := range f.ops {
			verb, file, _ := strings.Cut(strings.ReplaceAll(strings.ReplaceAll(op, dir+"/", ""), ".oci/", ""), " ")
			if strings.Contains("sync rename link write", verb) {
				got += "\n\t\t\t" + verb + " " + names.ReplaceAllStringFunc(file, func(s string) string {
					switch len(s) {
					case 26:
						return "ID"
					case 64:
						return "HEX"
					}
					return "_staged/N"
				})
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
