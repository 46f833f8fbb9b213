// Command corpus writes the trees and archives that chartserve is tested and
// measured on.
//
//	go run . -o DIR -kind taco-v2|taco-v1|archives [-n N] [-seed S]
//
// taco-v2 is one tree of 80 charts in the shape of openstack-helm, taco-v1 the two
// sibling trees of 2019, archives N packaged charts of 5 to 40 KB. The same seed
// gives the same bytes.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"chartserve/test/corpus/gen"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("corpus", flag.ContinueOnError)
	fs.SetOutput(stderr)
	dir := fs.String("o", "", "`DIR` to write into, made where it is missing")
	kind := fs.String("kind", "", "taco-v2, taco-v1 or archives")
	n := fs.Int("n", 10000, "number of archives")
	seed := fs.Uint64("seed", 1, "another seed gives other content")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if *dir == "" || fs.NArg() > 0 {
		fmt.Fprintln(stderr, "corpus: -o DIR and -kind are needed, and nothing else")
		return 2
	}
	began := time.Now()
	files, bytes, err := write(*dir, *kind, *n, *seed)
	if err != nil {
		fmt.Fprintf(stderr, "corpus: %v\n", err)
		return 1
	}
	fmt.Fprintf(stdout, "%s: %d files, %.1f MB in %s\n", *dir, files, float64(bytes)/1e6, time.Since(began).Round(time.Millisecond))
	return 0
}

func write(dir, kind string, n int, seed uint64) (files int, bytes int64, err error) {
	var tree *gen.Tree
	switch kind {
	case "taco-v2":
		tree = gen.TacoV2(seed)
	case "taco-v1":
		tree = gen.TacoV1(seed)
	case "archives":
		bytes, err = gen.WriteArchives(dir, n, seed)
		return n, bytes, err
	default:
		return 0, 0, fmt.Errorf("-kind %q: not one of taco-v2, taco-v1, archives", kind)
	}
	files, bytes = tree.Size()
	return files, bytes, tree.Write(dir)
}
