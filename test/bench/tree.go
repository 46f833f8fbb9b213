package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"chartserve/test/corpus/gen"
)

const toolkit = "helm-toolkit"

// taco writes the tree of 80 charts into a new folder.
func (b *bench) taco() (*gen.Tree, string, error) {
	t := gen.TacoV2(seed)
	dir, err := b.folderFor("taco")
	if err != nil {
		return nil, "", err
	}
	if err := t.Write(dir); err != nil {
		return nil, "", err
	}
	syscall.Sync()
	return t, dir, nil
}

// describeTree is the page's line about the tree.
func (b *bench) describeTree(t *gen.Tree) {
	files, bytes := t.Size()
	line := fmt.Sprintf("TACO tree: %d charts in the shape of openstack-helm, %d files, %.1f MB, %d charts take helm-toolkit from `file://../helm-toolkit`",
		len(t.Charts), files, float64(bytes)/1e6, len(dependents(t)))
	if !slices.Contains(b.found.Corpora, line) {
		b.found.Corpora = append(b.found.Corpora, line)
	}
}

// dependents are the charts that contain helm-toolkit.
func dependents(t *gen.Tree) []gen.Chart {
	return slices.DeleteFunc(slices.Clone(t.Charts), func(c gen.Chart) bool { return !c.Toolkit })
}

// withToolkit are helm-toolkit and then its dependents: what an edit of it changes.
func withToolkit(t *gen.Tree) []gen.Chart {
	i := slices.IndexFunc(t.Charts, func(c gen.Chart) bool { return c.Name == toolkit })
	return append([]gen.Chart{t.Charts[i]}, dependents(t)...)
}

// helmFlow does what openstack-helm's Makefile does with Helm 3: dependencies and
// archive of one chart after the other, then the index. It returns the seconds.
func (b *bench) helmFlow(ctx context.Context, tree, out string, charts []gen.Chart) (float64, error) {
	began := time.Now()
	for _, c := range charts {
		dir := filepath.Join(tree, filepath.FromSlash(c.Dir))
		if c.Toolkit {
			if _, err := b.run(ctx, b.tools.helm3, "dependency", "update", "--skip-refresh", dir); err != nil {
				return 0, err
			}
		}
		if _, err := b.run(ctx, b.tools.helm3, "package", dir, "-d", out); err != nil {
			return 0, err
		}
	}
	if _, err := b.run(ctx, b.tools.helm3, "repo", "index", out); err != nil {
		return 0, err
	}
	return time.Since(began).Seconds(), nil
}

// toolkitTemplate and leafTemplate are the files that are edited.
func toolkitTemplate(t *gen.Tree) string { return firstBelow(t, toolkit+"/templates/", ".tpl") }

func leafTemplate(t *gen.Tree, c gen.Chart) string {
	return firstBelow(t, c.Dir+"/templates/", ".yaml")
}

func firstBelow(t *gen.Tree, prefix, suffix string) string {
	for _, name := range t.Names() {
		if strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) {
			return name
		}
	}
	return ""
}

// edit appends a line to a file, in one write, as `echo >>` does.
func edit(file, line string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(line + "\n"); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
