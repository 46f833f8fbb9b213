package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// module is one whose packages are linked into a binary.
type module struct {
	path    string
	version string
	dir     string   // where its files are
	folders []string // of the packages that are linked, each dir or below it
}

// standard is the path of the module that stands for Go's own library, as govulncheck calls it.
const standard = "stdlib"

// linked returns the modules that the binaries of any of the platforms hold, but for
// chartserve's own, ordered by path.
func (r *release) linked(ctx context.Context, systems []platform) ([]module, error) {
	goroot, err := r.output(ctx, goCommand(), "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	version, err := r.output(ctx, goCommand(), "env", "GOVERSION")
	if err != nil {
		return nil, err
	}
	all := map[string]*module{standard: {path: standard, version: strings.TrimPrefix(version, "go"), dir: goroot}}
	for _, p := range systems {
		cmd := exec.CommandContext(ctx, goCommand(), "list", "-deps", "-json=Dir,Module", "./cmd/chartserve")
		cmd.Dir, cmd.Env = r.root, goEnvironment(p)
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w%s", cmd, err, stderrOf(err))
		}
		if err := addModules(all, string(out)); err != nil {
			return nil, fmt.Errorf("%s: %w", cmd, err)
		}
	}
	var sorted []module
	for _, m := range all {
		slices.Sort(m.folders)
		m.folders = slices.Compact(m.folders)
		sorted = append(sorted, *m)
	}
	slices.SortFunc(sorted, func(a, b module) int { return cmp.Compare(a.path, b.path) })
	return sorted, nil
}

// addModules takes in what go list -json printed.
func addModules(all map[string]*module, list string) error {
	for decoder := json.NewDecoder(strings.NewReader(list)); ; {
		var pkg struct {
			Dir    string
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		m := pkg.Module
		if m == nil || m.Main { // of the standard library, or chartserve's
			continue
		}
		if all[m.Path] == nil {
			all[m.Path] = &module{path: m.Path, version: m.Version, dir: m.Dir}
		}
		all[m.Path].folders = append(all[m.Path].folders, filepath.Clean(pkg.Dir))
	}
}

// stderrOf is what a command that failed said, on a line of its own.
func stderrOf(err error) string {
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return "\n" + string(failed.Stderr)
	}
	return ""
}
