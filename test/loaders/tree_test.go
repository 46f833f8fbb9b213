package loaders

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

// TestTrees packages directories: what Helm reads from one it reads from the archive.
func TestTrees(t *testing.T) {
	k, p := pkgr.NewChecker(pkgr.Limits{}), pkgr.NewPacker(time.Time{})
	top := t.TempDir()
	compare(t, 1000, func(r *rand.Rand) (outcome, error) {
		dir, err := os.MkdirTemp(top, "")
		if err != nil {
			return outcome{}, err
		}
		defer os.RemoveAll(dir)
		files := someTree(r)
		if err := files.write(dir); err != nil {
			return outcome{helm: err, ours: err}, nil // two names, and one of them below the other
		}
		o, err := directory(k, p, dir, "c")
		o.what = files.String()
		return o, err
	})
}

// directory gives a chart's directory, below a SOURCE's root, to chartserve and to both
// Helms, and to both Helms what chartserve makes of it.
func directory(k *pkgr.Checker, p *pkgr.Packer, root, below string) (o outcome, fault error) {
	var archived bytes.Buffer
	var c *pkgr.Chart
	dir := filepath.Join(root, below)
	tree, err := k.List(dir, []string{root}, nil)
	if err == nil {
		c, err = tree.Load()
	}
	if err == nil && len(c.Unread) > 0 { // nobody resolves the dependency elsewhere here
		err = c.Unread[0].Err
	}
	if err == nil {
		_, err = p.Pack(&archived, c)
	}
	o.ours = err
	views := make([]*seen, len(helms()))
	for i, h := range helms() {
		if views[i], err = h.dir(dir); err != nil {
			o.helm = fmt.Errorf("%s: %w", h.name, err)
		}
	}
	switch {
	case o.ours != nil:
		return o, nil
	case o.helm != nil && forgiven(o.helm):
		o.ours = o.helm // nobody takes it
		return o, nil
	case o.helm != nil:
		return o, fmt.Errorf("chartserve takes it, and not %w", o.helm)
	}
	warnings := allWarnings(c)
	mine := ours(c)
	if err := same(mine, views, warnings); err != nil {
		return o, fmt.Errorf("from the directory: %w", err)
	}
	for i, h := range helms() {
		if views[i], err = h.archive(archived.Bytes()); err != nil {
			return o, fmt.Errorf("%s does not load the archive: %w", h.name, err)
		}
		views[i] = views[i].packaged()
	}
	if err := same(mine.packaged(), views, warnings); err != nil {
		return o, fmt.Errorf("from the archive: %w", err)
	}
	if info, err := k.Check(bytes.NewReader(archived.Bytes())); err != nil || text(info.Metadata) != mine.Metadata {
		return o, fmt.Errorf("checked: %w", errors.Join(err, errors.New(text(info))))
	}
	return o, nil
}

// forgiven is what keeps a chart from Helm alone, on purpose: chartserve does not look
// at what .helmignore leaves out, nor at what `helm dependency update` leaves behind.
func forgiven(err error) bool {
	return strings.Contains(err.Error(), "error evaluating symlink") || strings.Contains(err.Error(), "irregular file")
}

// tree is files by name; one that begins with "-> " is a link, "|" a pipe, and a name
// that ends in a slash a directory.
type tree map[string]string

func (f tree) write(dir string) error {
	for _, name := range sortedKeys(f) {
		body, at := f[name], filepath.Join(dir, "c", name)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(at, 0o755); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		var err error
		if target, ok := strings.CutPrefix(body, "-> "); ok {
			err = os.Symlink(target, at)
		} else if body == "|" {
			err = syscall.Mkfifo(at, 0o644)
		} else {
			err = os.WriteFile(at, []byte(body), 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f tree) String() string {
	var b strings.Builder
	for _, name := range sortedKeys(f) {
		fmt.Fprintf(&b, "\t%q: %.300q\n", name, f[name])
	}
	return b.String()
}

// someTree is a chart's directory, with a few odd things in it.
func someTree(r *rand.Rand) tree {
	f := tree{
		chart.MetadataFile: someMetadata(r), "values.yaml": "a: 1\ns: {b: 3}\n", "templates/x.yaml": "kind: ConfigMap\n", "templates/_helpers.tpl": "h",
		"README.md": "words\n", "files/a.txt": "a", "files/deep/b.txt": "b", "crds/c.yaml": "c", "charts/s/Chart.yaml": "apiVersion: v2\nname: s\nversion: 1.0.0\n",
		"charts/s/values.yaml": "b: 2\n", "charts/s/templates/y": "y", "charts/s/README.md": "words\n",
	}
	if r.IntN(2) == 0 {
		f[chart.IgnoreFile] = someIgnore(r)
	}
	for range r.IntN(4) {
		f.spoil(r)
	}
	// Helm 4 looks at Chart.yaml first with one mark less taken off than at all else.
	f.replace(chart.MetadataFile, "\ufeff\ufeff", "\ufeff")
	if slices.Contains(slices.Collect(maps.Values(f)), "-> /etc/passwd") {
		f.replace(chart.IgnoreFile, "link/", "link") // whether that is a directory is not looked at
	}
	return f
}

// replace changes the text of a file, where there is one.
func (f tree) replace(name, old, by string) {
	if body, ok := f[name]; ok {
		f[name] = strings.ReplaceAll(body, old, by)
	}
}

func (f tree) spoil(r *rand.Rand) {
	sub := "apiVersion: v2\nname: s\nversion: " + pick(r, "1.0.0", "2.0.0", "1.0.0+a") + "\n"
	switch r.IntN(9) {
	case 0:
		delete(f, pick(r, sortedKeys(f)...))
	case 1:
		f[pick(r, "charts/x/Chart.yaml", "charts/s-2/Chart.yaml", "charts/_x/Chart.yaml", "charts/.x/Chart.yaml", "charts/s/charts/d/Chart.yaml", "charts/x.tgz/Chart.yaml")] = sub
	case 2:
		f["charts/"+pick(r, "s-1.0.0.tgz", "x.tgz", "_x.tgz", ".x.tgz", "s/charts/d.tgz", "x.TGZ", "x.tgz.prov", "x.tar.gz")] =
			pick(r, tgz(file("s/Chart.yaml", sub), file("s/values.yaml", "b: 4\n"), file("s/README.md", "nested\n")), "junk", tgz(file("s/Chart.yaml", "name: s\n")), tgz(file("s/Chart.yaml", "name: q\nversion: 1.0.0\n"), file("s/requirements.yaml", "dependencies: []\n"), file("s/requirements.lock", "digest: x\n")))
	case 3:
		f[pick(r, "requirements.yaml", "charts/s/requirements.yaml")] = rewritten(r, someDependencies(r), []string{"dependencies", "alias", "name"})
	case 4:
		f[pick(r, "Chart.lock", "requirements.lock", "charts/s/Chart.lock", "charts/s/requirements.lock")] = pick(r, "digest: x\n", "", "null\n", "generated: \"2020-01-01T00:00:00Z\"\n", "a: [", "dependencies: [{name: s}]\n")
	case 5:
		f[pick(r, "link", "templates/link", "charts/link", "charts/s/link", "files/link", "Chart.lock", "values.schema.json")] = "-> " + pick(r, "README.md", "../README.md", "files", "../files", "s", "nowhere", ".", "..", "../values.yaml", "link", "/etc/passwd", "../charts/s", "a/../README.md")
	case 6:
		f[pick(r, "templates/.hidden", ".git/HEAD", ".env", "charts/.gitkeep", "charts/_kept", "charts/README.md", "files/é", "files/\xff\xfe", "files/a b", "files/a\nb", `files/a\b`, "files/c:", "c:/x", "..x", "files/..x", "a/..x", "...", "tmpcharts/x.tgz", "tmpcharts-12/x", ".chartserve/index.yaml", "templates/tests/t.yaml",
			"files/"+strings.Repeat("long/", 60)+"x", "files/"+strings.Repeat("n", 200), "chart.yaml", "Chart.yml", "values.yml", "charts/s/chart.yaml", "charts/s/deep/Chart.yaml", "Charts/s", "charts", "a.tgz", "x-1.0.0.tgz.prov", "values.schema.json", "empty/", "charts/empty/", "templates/")] = pick(r, "x", "", "\ufeffx", "|", "{}", "\xff", "a: 1\r\n")
	case 7:
		name := pick(r, sortedKeys(f)...)
		f[name] = pick(r, "\ufeff"+f[name], "", strings.ReplaceAll(f[name], "\n", "\r\n"), rewritten(r, f[name], metadataKeys))
	case 8:
		f["values.yaml"] = rewritten(r, f["values.yaml"], []string{"a", "s", "global"})
	}
}

// someIgnore is a .helmignore that leaves some of the files out.
func someIgnore(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(4) {
		b.WriteString(pick(r, "*.txt", "*.md", "files/", "files", "/files", "/files/", "files/*", "files/deep", "deep/", "*/deep", "charts/", "charts/s", "s", "s/", "*.tgz", "charts/*.tgz", "README.md", "/README.md", "./README.md", "templates/.?*", "!templates", "!*.md", "!Chart.yaml", "!*", "*", "?*", "[a-c]*", "[^a]*", "[", "[!a]*", `\*`, `\`, "**", "a**b", "**/x", "# c", "#", "", " ", "  files/  ", "\tfiles", "link", "link/", "templates", "templates/*", "Chart.yaml", "values.yaml", ".*", "charts/s/README.md", "charts/*/README.md", "*/", "x[", "é", "\xff", "files/a\\b", "/", "//", "!", "!/", "README.md/", "values.yaml/", "\ufefffiles", "crds/\r"))
		b.WriteString(pick(r, "\n", "\n", "\r\n", "\n\n"))
	}
	return pick(r, "", "\ufeff") + b.String()
}
