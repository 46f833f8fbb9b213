package internal_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// requirements lists every module that go.mod may require directly, with what it
// is there for. A new one is a decision: it gets a line here, or its work is done
// with the standard library. Modules for the end-to-end tests and the benchmarks
// belong to the modules under test/.
func requirements() map[string]string {
	return map[string]string{
		"github.com/GehirnInc/crypt":           "passwords: the MD5 and SHA forms that htpasswd writes",
		"github.com/Masterminds/semver/v3":     "versions and constraints, by the library that Helm compares them with",
		"github.com/ProtonMail/go-crypto":      "OpenPGP: keyrings, and the signatures of provenance files",
		"github.com/coreos/go-systemd/v22":     "sockets that systemd passes on, and what it is told",
		"github.com/fsnotify/fsnotify":         "file system events",
		"github.com/go-chi/chi/v5":             "routing",
		"github.com/gofrs/flock":               "the lock on a repository folder",
		"github.com/google/renameio/v2":        "files that are replaced whole or not at all, but on Windows",
		"github.com/klauspost/compress":        "gzip, more than twice as fast as the standard library's",
		"github.com/spf13/cobra":               "commands, help and completion as Helm's users know them",
		"github.com/spf13/pflag":               "their flags",
		"golang.org/x/crypto":                  "passwords: bcrypt",
		"golang.org/x/sync":                    "groups of goroutines that fail together; one check of a password for all who wait for it; bounds on what requests take",
		"golang.org/x/sys":                     "a bound on the memory of helm, which readers may have run",
		"golang.org/x/time":                    "a bound on bytes a second, and on logins that fail",
		"oras.land/oras-go/v2":                 "the client of OCI registries",
		"github.com/opencontainers/go-digest":  "digests, as OCI registries write them",
		"github.com/opencontainers/image-spec": "what an OCI registry holds, as types",
		"sigs.k8s.io/yaml":                     "YAML, read as Helm reads it",

		"github.com/distribution/reference": "names of container images, normalised as the clients do",

		"go.yaml.in/yaml/v2": "what sigs.k8s.io/yaml reads with: scalars as they are written",
		"go.yaml.in/yaml/v3": "values.yaml as people read it: the lines of keys, and the comments; the lines of settings",

		"github.com/microcosm-cc/bluemonday": "what may remain of the HTML in a README",
		"github.com/yuin/goldmark":           "Markdown",
		"golang.org/x/net":                   "HTML, token by token, as bluemonday reads it",

		"github.com/google/go-cmp":            "tests: differences",
		"github.com/prometheus/client_golang": "what is counted, in the form that Prometheus reads",

		"github.com/rogpeppe/go-internal": "how two texts differ, line by line; tests: scripts of the commands",
		"go.uber.org/goleak":              "tests: goroutines that stay behind",
	}
}

func TestRequirements(t *testing.T) {
	// Read for the go command's sake: it reruns this test when the file has changed.
	if _, err := os.ReadFile("../go.mod"); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "mod", "edit", "-json", "../go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Replace, Tool []any
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}

	got := map[string]bool{}
	for _, r := range mod.Require {
		if !r.Indirect {
			got[r.Path] = true
		}
	}
	want := map[string]bool{}
	for path := range requirements() {
		want[path] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("direct requirements of go.mod (-allowed +there):\n%s", diff)
	}
	if len(mod.Replace) > 0 {
		t.Errorf("go.mod has replace directives: `go install` refuses those: %v", mod.Replace)
	}
	if len(mod.Tool) > 0 {
		t.Errorf("go.mod has tool directives, which belong to test/tools/go.mod: %v", mod.Tool)
	}
}
