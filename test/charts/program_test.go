package charts

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// helms are the clients that render.
func helms() []string { return []string{"helm3", "helm4"} }

// kubeVersion is what charts are rendered for: a Helm that is built from source takes an
// old one for its own.
const kubeVersion = "--kube-version=1.33.0"

// binary is the path of a program.
func binary(t *testing.T, name string) string {
	t.Helper()
	path := os.Getenv(strings.ToUpper(name))
	if path == "" {
		path = filepath.Join("..", "..", "bin", name)
	}
	path, err := filepath.Abs(path)
	must(t, err)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no %s (make build and test/clients.sh make it): %v", name, err)
	}
	return path
}

// run executes a program with stdin; output is what it printed on both.
func run(t *testing.T, stdin, name string, args ...string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t, name), args...)
	cmd.Stdin = strings.NewReader(stdin)
	home := t.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.String() + stderr.String(), err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, elements ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elements...))
	must(t, err)
	return string(data)
}

// archives are the sample charts as chartserve packages them, by name.
var archives = sync.OnceValues(func() (map[string]string, error) {
	dir, err := os.MkdirTemp("", "chartserve-charts-")
	if err != nil {
		return nil, err
	}
	program := os.Getenv("CHARTSERVE")
	if program == "" {
		program = filepath.Join("..", "..", "bin", "chartserve")
	}
	out, err := exec.Command(program, "build", "--strict", "--repo-path", dir, filepath.Join("..", "..", "charts")).CombinedOutput()
	if err != nil {
		os.Stderr.Write(out)
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	all := map[string]string{}
	for _, file := range files {
		name := filepath.Base(file)
		all[name[:strings.LastIndex(name, "-")]] = file
	}
	return all, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if all, err := archives(); err == nil {
		os.RemoveAll(filepath.Dir(all["chartserve"]))
	}
	os.Exit(code)
}

// archive is one of archives.
func archive(t *testing.T, name string) string {
	t.Helper()
	all, err := archives()
	must(t, err)
	if all[name] == "" {
		t.Fatalf("no chart %s in %v", name, all)
	}
	return all[name]
}

// render is what helm template makes of a sample chart.
func render(t *testing.T, helm, chart, release, values string) string {
	t.Helper()
	out, err := run(t, values, helm, "template", release, archive(t, chart), "--namespace=site", kubeVersion, "--values=-")
	if err != nil {
		t.Fatalf("%s template %s: %v\n%s", helm, chart, err, out)
	}
	return out
}
