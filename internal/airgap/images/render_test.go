package images

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Helm gets nothing of the environment where it has a home, and what it started ends with it.
func TestRendererAlone(t *testing.T) {
	t.Setenv("KUBECONFIG", "/a")
	t.Setenv("HELM_PLUGINS", "/b")
	home := t.TempDir()
	r := Renderer{Helm: fakeHelm(t, `echo "$KUBECONFIG$HELM_PLUGINS $HOME $PWD $*"`), Home: home, Args: []string{"--skip-schema-validation"}}
	got, err := r.Render(t.Context(), "a.tgz")
	must(t, err)
	if want := " " + home + " " + home + " template chartserve --skip-schema-validation -- a.tgz\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r = Renderer{Helm: fakeHelm(t, `(sleep 1; echo still there > "$HOME/left") & sleep 60`), Home: home, Timeout: 200 * time.Millisecond}
	if _, err := r.Render(t.Context(), "a.tgz"); err == nil || !strings.Contains(err.Error(), "not done") {
		t.Errorf("got %v", err)
	}
	time.Sleep(1500 * time.Millisecond)
	if _, err := os.Stat(filepath.Join(home, "left")); err == nil {
		t.Error("what helm started lives on")
	}
	r = Renderer{Helm: fakeHelm(t, `[ "$1" = version ] && echo v3.18.0`)}
	if version, err := r.Version(t.Context()); version != "v3.18.0" || err != nil {
		t.Errorf("got %q, %v", version, err)
	}
}

// fakeHelm is a program that stands in for helm.
func fakeHelm(t *testing.T, script string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	path := filepath.Join(t.TempDir(), "helm")
	must(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	return path
}

func TestRenderer(t *testing.T) {
	c := load(t, files{})
	f := Finder{Values: []Values{{File: "all.yaml"}, {Chart: "other", File: "x.yaml"}, {Chart: "web", File: "--web.yaml"}}}
	f.Renderer = &Renderer{Helm: fakeHelm(t, `[ "$*" = "template chartserve --values=all.yaml --values=--web.yaml -- --a.tgz" ] || exit 9
echo "kind: Pod"; echo "spec: {containers: [{image: a:1}]}"; echo "a warning" >&2`)}
	found, undecided, err := f.FindIn(t.Context(), c, "--a.tgz")
	must(t, err)
	want := []string{"Pod/ spec.containers[0].image docker.io/library/a:1"}
	if diff := cmp.Diff(want, short(found, undecided)); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
}

func TestRendererFails(t *testing.T) {
	c := load(t, files{})
	for name, test := range map[string]struct {
		script, want string
	}{
		"says why":        {"echo 'Error: values are wrong' >&2; exit 1", "values are wrong"},
		"says nothing":    {"exit 3", "exit status 3"},
		"too long":        {"sleep 60", "not done after 300ms"},
		"too much":        {"while :; do echo 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'; done", "more than 100 bytes"},
		"too much memory": {"echo 'fatal error: runtime: out of memory' >&2; exit 2", "more than 64 MiB of memory"},
		"a large stderr":  {"head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1", "xxxx"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Renderer{Helm: fakeHelm(t, test.script), Timeout: 10 * time.Second, Limit: 100, Memory: 64 << 20}
			if name == "too long" {
				r.Timeout = 300 * time.Millisecond
			}
			began := time.Now()
			_, _, err := (&Finder{Renderer: &r}).FindIn(t.Context(), c, "a.tgz")
			if err == nil || !strings.Contains(err.Error(), test.want) || len(err.Error()) > messageLimit+100 {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}
