package mirror

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"chartserve/internal/repo"
)

// Of the sources that are remembered those without news for the longest go first.
func TestForgetOffers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "[a]")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	name := func(i int) string { return filepath.Join(dir, fmt.Sprintf("%s%d%s", offerPrefix, i, offerExt)) }
	const more = 3
	for i := range maxOffers + more {
		if err := os.WriteFile(name(i), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		then := time.Unix(int64(1_000_000-i), 0) // the last are the oldest
		if err := os.Chtimes(name(i), then, then); err != nil {
			t.Fatal(err)
		}
	}
	if err := newState().save(dir); err != nil {
		t.Fatal(err)
	}
	if err := forgetOffers(dir); err != nil {
		t.Fatal(err)
	}
	for i := range maxOffers + more {
		if _, err := os.Stat(name(i)); (err == nil) != (i < maxOffers) {
			t.Errorf("%s: %v", name(i), err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, stateName)); err != nil {
		t.Error(err)
	}
}

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
