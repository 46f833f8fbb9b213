package mirror

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"chartserve/internal/repo"
)

// What a process leaves that was killed while it wrote the state is swept by the next
// owner of the repository folder.
func TestStateIsSwept(t *testing.T) {
	dir := t.TempDir()
	if err := newState().save(dir); err != nil {
		t.Fatal(err)
	}
	full, err := os.Stat(filepath.Join(dir, stateName))
	if err != nil || full.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v: it is for its owner alone", full, err)
	}
	temp, err := os.CreateTemp(dir, tempPattern)
	if err != nil {
		t.Fatal(err)
	}
	temp.Close()
	r, err := repo.Open(dir, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Build(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(temp.Name()); err == nil {
		t.Errorf("%s stays", temp.Name())
	}
}
