//go:build linux

package torture

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// long tells whether this is the long form.
var long = os.Getenv("TORTURE") == "long"

// pick gives the amount for the form that runs.
func pick[T any](short, longer T) T {
	if long {
		return longer
	}
	return short
}

// chartserve is the path of the program under attack.
var chartserve = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("CHARTSERVE"); path != "" {
		return filepath.Abs(path)
	}
	dir, err := os.MkdirTemp("", "chartserve-torture-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "chartserve")
	build := exec.Command("go", "build", "-o", path, "./cmd/chartserve")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build chartserve: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	// What is created when is not of the sources: only with this do two indexes agree.
	os.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	code := m.Run()
	if path, err := chartserve(); err == nil && os.Getenv("CHARTSERVE") == "" {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func program(t testing.TB) string {
	t.Helper()
	path, err := chartserve()
	must(t, err)
	return path
}

// newRandom gives the random choices of one test, and prints their seed when it
// fails.
func newRandom(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("TORTURE_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		must(t, err)
		seed = n
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("TORTURE_SEED=%d repeats the random choices", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 1))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for ok, which gives why not yet.
func until(t testing.TB, limit time.Duration, ok func() error) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not after %s: %v", limit, err)
		}
	}
}
