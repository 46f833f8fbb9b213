// Command helm2serve is the repository server of Helm 2.17, `helm serve`, without
// the rest of its client:
//
//	helm2serve [-index=false] REPO-PATH HOST:PORT
//
// It does what cmd/helm/serve.go of Helm 2.17 does, with Helm's own package: index
// the folder, write index.yaml, serve the folder. With -index=false the index.yaml
// that is there stays, so that two servers can be given the same bytes.
//
// It has a go.mod of its own because its modules are those of 2020.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/helm/pkg/repo"
)

func main() {
	index := flag.Bool("index", true, "make index.yaml first, as helm serve does")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: helm2serve [-index=false] REPO-PATH HOST:PORT")
		os.Exit(2)
	}
	if err := serve(flag.Arg(0), flag.Arg(1), *index); err != nil {
		fmt.Fprintf(os.Stderr, "helm2serve: %v\n", err)
		os.Exit(1)
	}
}

func serve(dir, address string, index bool) error {
	if index {
		i, err := repo.IndexDirectory(dir, "http://"+address)
		if err != nil {
			return fmt.Errorf("index %s: %w", dir, err)
		}
		i.SortEntries()
		if err := i.WriteFile(filepath.Join(dir, "index.yaml"), 0o644); err != nil {
			return fmt.Errorf("index %s: %w", dir, err)
		}
	}
	return repo.StartLocalRepo(dir, address)
}
