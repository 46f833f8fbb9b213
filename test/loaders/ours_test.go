package loaders

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	repo3 "helm.sh/helm/v3/pkg/repo"
	repo4 "helm.sh/helm/v4/pkg/repo/v1"

	"chartserve/internal/index"
	"chartserve/internal/pkgr"
)

// archive gives data to chartserve and to both Helms.
func archive(k *pkgr.Checker, data []byte) (o outcome, fault error) {
	info, err := k.Check(bytes.NewReader(data))
	if o.ours = err; err == nil {
		_, o.ours = index.NewEntry(info.Metadata, "c-1.0.0.tgz", info.Digest, time.Unix(0, 0))
	}
	views := make([]*seen, len(helms()))
	for i, h := range helms() {
		if views[i], err = h.archive(data); err != nil {
			o.helm = fmt.Errorf("%s: %w", h.name, err)
		}
	}
	switch {
	case o.ours != nil:
		return o, nil
	case o.helm != nil:
		return o, fmt.Errorf("chartserve takes it, and not %w", o.helm)
	}
	c, err := k.Read(bytes.NewReader(data))
	if err != nil {
		return o, fmt.Errorf("Check takes it, and not Read: %w", err)
	}
	mine := ours(c)
	if err := same(mine, views, allWarnings(c)); err != nil {
		return o, err
	}
	return o, indexed(c, mine.Metadata)
}

// same reports where readers of one chart differ. Each of views is a Helm's.
func same(mine *seen, views []*seen, warnings string) error {
	ignored := []string{"Values", "Locks"}
	if strings.Contains(warnings, "is in charts/ twice") {
		ignored = append(ignored, "Subs") // Helm takes either copy, another one each time
	}
	if views[0].locks() > 1 {
		ignored = append(ignored, "Lock") // Helm takes the later member, we what it takes in a directory
	}
	for i, h := range helms() {
		if diff := cmp.Diff(mine, views[i], cmpopts.EquateEmpty(), cmpopts.IgnoreFields(seen{}, ignored...)); diff != "" {
			return fmt.Errorf("chartserve (-) and %s (+) differ:\n%s", h.name, diff)
		}
		if diff := cmp.Diff(views[0], views[i]); diff != "" && !strings.Contains(warnings, "Helm 3 reads") && !strings.Contains(warnings, "Helm takes either") {
			return fmt.Errorf("%s (-) and %s (+) differ, and chartserve does not warn:\n%s", helms()[0].name, h.name, diff)
		}
	}
	return nil
}

// allWarnings is what chartserve says of a chart that it takes.
func allWarnings(c *pkgr.Chart) string {
	text := strings.Join(c.Warnings, "\n")
	for _, sub := range c.Subcharts {
		text += "\n" + allWarnings(sub)
	}
	return text
}

// ours is what chartserve read.
func ours(c *pkgr.Chart) *seen {
	s := &seen{Metadata: text(c.Metadata), Lock: text(c.Lock), Files: map[string]string{}}
	for _, f := range c.Files {
		s.file(f.Name, f.Data)
	}
	for _, sub := range c.Subcharts {
		s.Subs = append(s.Subs, *ours(sub))
	}
	return s.done()
}

// indexed checks that an index with the chart is one that both Helms load, in each
// form, and that it says metadata of the chart.
func indexed(c *pkgr.Chart, metadata string) error {
	e, err := index.NewEntry(c.Metadata, "c.tgz", strings.Repeat("0", 64), time.Unix(1e9, 0))
	if err != nil {
		return err
	}
	b := index.NewBuilder(index.YAML)
	b.Set(e.Name, []*index.Entry{e})
	forms := b.Encode()
	dir, err := os.MkdirTemp("", "loaders-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for form, data := range map[string][]byte{"yaml": forms.YAML.Data.Bytes(), "json": forms.JSON.Data.Bytes()} {
		file := filepath.Join(dir, form)
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
		for name, load := range indexes() {
			got, err := load(file, e.Name)
			if err != nil {
				return fmt.Errorf("%s does not load the index: %w\n%s", name, err, data)
			}
			if got != metadata {
				return fmt.Errorf("%s reads from the index in %s (-), and from the chart (+):\n%s", name, form, cmp.Diff(got, metadata))
			}
		}
	}
	return nil
}

// indexes returns how each Helm reads the metadata of the one version of a chart from an
// index.
func indexes() map[string]func(file, name string) (string, error) {
	return map[string]func(file, name string) (string, error){
		"Helm 3": func(file, name string) (string, error) {
			x, err := repo3.LoadIndexFile(file)
			if err != nil || len(x.Entries[name]) != 1 {
				return "", fmt.Errorf("%d versions of %q: %w", len(x.Entries[name]), name, err)
			}
			return text(x.Entries[name][0].Metadata), nil
		},
		"Helm 4": func(file, name string) (string, error) {
			x, err := repo4.LoadIndexFile(file)
			if err != nil || len(x.Entries[name]) != 1 {
				return "", fmt.Errorf("%d versions of %q: %w", len(x.Entries[name]), name, err)
			}
			return text(x.Entries[name][0].Metadata), nil
		},
	}
}
