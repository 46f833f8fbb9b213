package repo

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A chart outside the SOURCEs is named in messages as those are.
func TestOutsideIsNamedAsTheSourcesAre(t *testing.T) {
	for _, absolute := range []bool{false, true} {
		f := newFixture(t)
		base := filepath.Dir(f.tree)
		t.Chdir(base)
		if !absolute {
			f.opts.Sources = []string{"tree"}
		}
		f.add(chartFiles("nova", "nova", "1.0.0", "kit ^1 file://../../far/kit"))
		write(t, base, chartFiles("far/kit", "kit", "1.0.0"))
		must(t, os.Symlink("/etc/passwd", filepath.Join(base, "far/kit/templates.txt")))
		r, err := Open(f.repo, f.opts)
		must(t, err)
		must(t, r.Build(context.Background()))
		want := "needs far/kit: "
		if absolute {
			want = "needs " + base + "/far/kit: "
		}
		if got := reasons(r.Status()); !strings.Contains(got, want) {
			t.Errorf("absolute %v: got %q, want %q", absolute, got, want)
		}
		must(t, r.Close())
	}
}
