package loaders

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	repo3 "helm.sh/helm/v3/pkg/repo"
	repo4 "helm.sh/helm/v4/pkg/repo/v1"

	"chartserve/internal/index"
)

const someIndex = `apiVersion: v1
entries:
  a:
  - apiVersion: v2
    name: a
    version: 1.0.0
    description: mine
    created: "2020-01-01T00:00:00Z"
    digest: 0000000000000000000000000000000000000000000000000000000000000000
    urls:
    - a-1.0.0.tgz
    - http://a/a-1.0.0.tgz
  - {apiVersion: v1, name: a, version: 1.0.0+b, urls: [http://a/b.tgz], annotations: {k: v}, dependencies: [{name: s, repository: r}]}
  b:
  - name: b
    version: v2.0.0
    urls: [x]
    created: 2020-01-01T00:00:00+01:00
generated: "2020-01-01T00:00:00Z"
`

// TestIndexes spoils an index of somebody else's. Where a Helm loads it, each version
// that Helm can install is read as Helm reads it, or is left out with its reason.
func TestIndexes(t *testing.T) {
	top := t.TempDir()
	keys := append([]string{"entries", "apiVersion", "generated", "  a", "  c", "    urls", "    removed", "    name", "    version", "    created", "    digest", "serverInfo"}, metadataKeys...)
	compare(t, 1500, func(r *rand.Rand) (outcome, error) {
		what := rewritten(r, someIndex, keys)
		file, err := os.CreateTemp(top, "")
		if err != nil {
			return outcome{}, err
		}
		defer os.Remove(file.Name())
		if _, err := file.WriteString(what); err != nil {
			return outcome{}, err
		}
		must(t, file.Close())
		o, err := foreign(file.Name(), []byte(what))
		o.what = what
		return o, err
	})
}

// foreign gives an index to chartserve and to both Helms.
func foreign(name string, data []byte) (o outcome, fault error) {
	f, err := index.Decode(data)
	o.ours = err
	byVersion := func(e entry) string { return e.Name + " " + e.Version }
	theirs3, err3 := entries3(byVersion)(repo3.LoadIndexFile(name))
	theirs4, err4 := entries4(byVersion)(repo4.LoadIndexFile(name))
	if o.helm = errors.Join(err3, err4); o.ours != nil {
		return o, nil
	}
	mine := map[string]entry{}
	for _, e := range f.Entries {
		md, err := e.Metadata()
		if err != nil {
			return o, err
		}
		x := entry{e.Name, e.Version, e.URL, e.Digest, text(md)}
		mine[byVersion(x)] = x
	}
	if o.helm != nil {
		o.ours = o.helm // what makes the whole of it unreadable to Helm is passed over here
		return o, nil
	}
	for helm, theirs := range map[string]map[string]entry{"Helm 3": theirs3, "Helm 4": theirs4} {
		both := maps.Clone(theirs)
		maps.DeleteFunc(both, func(version string, _ entry) bool { _, ok := mine[version]; return !ok })
		for version := range theirs {
			if _, ok := mine[version]; !ok && len(f.Skipped) == 0 {
				return o, fmt.Errorf("%s reads %q, and chartserve leaves it out without a word", helm, version)
			}
		}
		for version := range mine {
			if _, ok := theirs[version]; !ok {
				return o, fmt.Errorf("chartserve reads %q, and %s does not", version, helm)
			}
		}
		if diff := cmp.Diff(mine, both); diff != "" {
			return o, fmt.Errorf("chartserve (-) and %s (+):\n%s", helm, diff)
		}
	}
	return o, nil
}

// entry is what an index says of one archive.
type entry struct{ Name, Version, URL, Digest, Metadata string }

// entries3 returns how to make a map of an index that Helm 3 has read.
func entries3(key func(entry) string) func(*repo3.IndexFile, error) (map[string]entry, error) {
	return func(x *repo3.IndexFile, err error) (map[string]entry, error) {
		all := map[string]entry{}
		if err != nil {
			return all, err
		}
		for _, list := range x.Entries {
			for _, v := range list {
				e := entry{v.Name, v.Version, first(v.URLs), v.Digest, text(v.Metadata)}
				all[key(e)] = e
			}
		}
		return all, nil
	}
}

// entries4 is entries3 for Helm 4.
func entries4(key func(entry) string) func(*repo4.IndexFile, error) (map[string]entry, error) {
	return func(x *repo4.IndexFile, err error) (map[string]entry, error) {
		all := map[string]entry{}
		if err != nil {
			return all, err
		}
		for _, list := range x.Entries {
			for _, v := range list {
				e := entry{v.Name, v.Version, first(v.URLs), v.Digest, text(v.Metadata)}
				all[key(e)] = e
			}
		}
		return all, nil
	}
}

func first(urls []string) string { return strings.Join(urls[:min(1, len(urls))], "") }
