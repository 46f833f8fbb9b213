package loaders

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"chartserve/internal/pkgr"
	"chartserve/test/corpus/gen"
)

// TestCorpus: of the charts that chartserve is measured on, and of its samples, not one is
// refused, and all read them as the same.
func TestCorpus(t *testing.T) {
	k, p := pkgr.NewChecker(pkgr.Limits{}), pkgr.NewPacker(time.Time{})
	sound := func(name string, o outcome, err error) {
		if err := errors.Join(err, o.ours, o.helm); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, tree := range []*gen.Tree{gen.TacoV2(1), gen.TacoV1(1)} {
		root := t.TempDir()
		must(t, tree.Write(root))
		for _, c := range tree.Charts {
			o, err := directory(k, p, root, c.Dir)
			sound(c.Dir, o, err)
		}
	}
	samples, err := filepath.Abs(filepath.Join("..", "..", "charts"))
	must(t, err)
	for _, name := range []string{"helm-toolkit", "hello", "chartserve"} {
		o, err := directory(k, p, samples, name)
		sound(name, o, err)
	}
	archives := gen.NewArchives(1)
	for i := range 100 {
		name, data := archives.Archive(i)
		o, err := archive(k, data)
		sound(name, o, err)
	}
}
