package e2e

import (
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// gap runs chartserve, which has to end with status code, and gives all that it
// printed.
func gap(t *testing.T, code int, args ...string) string {
	t.Helper()
	r := serveTool(t, ".", args...)
	if r.code != code {
		t.Fatalf("chartserve %s: exit %d, want %d\n%s", strings.Join(args, " "), r.code, code, r.all())
	}
	return r.all()
}

// wantWords fails unless text has all of the words.
func wantWords(t *testing.T, what, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%s: %q is not in it:\n%s", what, word, text)
		}
	}
}

// archives are the archives and provenance files in a folder.
func archives(t *testing.T, dir string) files {
	t.Helper()
	all := files{}
	for _, glob := range []string{"*.tgz", "*.tgz.prov"} {
		paths, err := filepath.Glob(filepath.Join(dir, glob))
		must(t, err)
		for _, path := range paths {
			all[filepath.Base(path)] = read(t, path)
		}
	}
	return all
}

// holds compares the archives of a folder, byte for byte.
func holds(t *testing.T, dir string, want files) {
	t.Helper()
	got := archives(t, dir)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("%s (-want +got):\n%s", dir, diff)
	}
	for name := range want {
		if body, there := got[name]; there && body != want[name] {
			t.Errorf("%s: other bytes", name)
		}
	}
}

// indexOf reads the index.yaml of a folder.
func indexOf(t *testing.T, dir string) map[string]entry {
	t.Helper()
	return readIndex(t, []byte(read(t, filepath.Join(dir, "index.yaml"))))
}

// stock is a folder with the sample charts as archives, one of them signed.
func stock(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "stock")
	gap(t, 0, "build", "--strict", "--repo-path", dir, samples(t))
	sign(t, newKeys(t, rsa), dir)
	gap(t, 0, "index", dir)
	return dir
}

// sign packages and signs the chart nova into dir, by Helm 3.
func sign(t *testing.T, k *keys, dir string) {
	t.Helper()
	source := signedChart().write(t, filepath.Join(t.TempDir(), "nova"))
	if path, r := helm(t, "helm3").pack(t, source, dir, "--sign", "--key", "ann", "--keyring", k.secret); path == "" {
		t.Fatalf("package --sign: exit %d\n%s", r.code, r.all())
	}
}

// freeAddress is a loopback address that nobody listens on just now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// listening starts a server that isn't ours, waits until url answers, and kills it
// when the test ends.
func listening(t *testing.T, url, path string, args ...string) {
	t.Helper()
	listeningTo(t, http.DefaultClient, url, path, args...)
}

// listeningTo is listening, where client asks.
func listeningTo(t *testing.T, client *http.Client, url, path string, args ...string) {
	t.Helper()
	cmd, logs := exec.Command(path, args...), &output{}
	cmd.Env = environment(t.TempDir())
	cmd.Stdout, cmd.Stderr = logs, logs
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // nginx tells its workers; it may have ended
		time.AfterFunc(stopTime, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(startTime); ; time.Sleep(10 * time.Millisecond) {
		if resp, err := client.Get(url); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not ready after %s\n%s", path, startTime, logs)
		}
	}
}

// quiet is for servers here whose troubles are meant.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
