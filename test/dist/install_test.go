package dist

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestInstall: make install puts the program and what belongs to it below a prefix, for everybody
// to read, and make uninstall takes all of it away and nothing else.
func TestInstall(t *testing.T) {
	root := t.TempDir()
	install(t, "../..", "install", root)
	want := []string{"bin/chartserve",
		"share/bash-completion/completions/chartserve", "share/doc/chartserve/CHANGELOG.md", "share/doc/chartserve/LICENSE",
		"share/doc/chartserve/NOTICE", "share/doc/chartserve/README.md", "share/doc/chartserve/THIRD_PARTY_LICENSES",
		"share/fish/vendor_completions.d/chartserve.fish", "share/man/man1/chartserve.1", "share/man/man5/chartserve.yaml.5",
		"share/man/man7/chartserve-environment.7", "share/zsh/site-functions/_chartserve"}
	found := filesBelow(t, filepath.Join(root, "opt"))
	if installed := slices.DeleteFunc(slices.Clone(found), func(name string) bool { return strings.HasPrefix(name, "share/man/man1/chartserve-") }); !slices.Equal(installed, want) {
		t.Errorf("installed %q, want %q", installed, want)
	}
	for _, name := range found {
		fi, err := os.Stat(filepath.Join(root, "opt", name))
		must(t, err)
		if mode := fi.Mode().Perm(); mode&0o444 != 0o444 || fi.Size() == 0 {
			t.Errorf("%s has mode %o and %d bytes", name, mode, fi.Size())
		}
	}
	program := filepath.Join(root, "opt/bin/chartserve")
	if got := output(t, program, "licenses"); got != read(t, filepath.Join(root, "opt/share/doc/chartserve/THIRD_PARTY_LICENSES")) {
		t.Error("THIRD_PARTY_LICENSES is not what the program prints")
	}
	write(t, filepath.Join(root, "opt/bin/other"), "mine")
	install(t, "../..", "uninstall", root)
	if left := filesBelow(t, filepath.Join(root, "opt")); !slices.Equal(left, []string{"bin/other"}) {
		t.Errorf("left after uninstall: %q", left)
	}
}

// TestInstallExported: a tree without git is enough, below another repository too.
func TestInstallExported(t *testing.T) {
	t.Parallel()
	other, root := t.TempDir(), t.TempDir()
	tree := filepath.Join(other, "tree")
	command(t, "../..", nil, "sh", "-euc", `mkdir "$0"; git archive HEAD | tar -xf - -C "$0"
		cd "$0/.."; git init -q; git -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m a`, tree)
	install(t, tree, "install", root)
	if got := output(t, filepath.Join(root, "opt/bin/chartserve"), "version"); !strings.HasPrefix(got, "chartserve version ") {
		t.Errorf("version: got %q", got)
	}
}

// install runs a make target in a tree with a umask that would keep others out.
func install(t *testing.T, tree, target, root string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", `umask 077; exec make --no-print-directory -C "$0" "$1" DESTDIR="$2" PREFIX=/opt`, tree, target, root)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", target, err, out)
	}
}

// filesBelow lists the files in a folder and below it, in order.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	must(t, fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	}))
	return names
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}
