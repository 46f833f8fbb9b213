package bundle

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"chartserve/internal/chart"
)

// sumsExt is the extension of the list of the parts' checksums, in the form that
// sha256sum writes and sha256sum -c reads.
const sumsExt = ".sha256"

// checksums is such a list.
type checksums struct {
	path  string
	parts []string // SHA-256 in hex of part 1, 2, ...
}

// encodeSums lists the digests of stem's parts.
func encodeSums(stem string, digests []string) []byte {
	var b []byte
	for i, digest := range digests {
		b = fmt.Appendf(b, "%s  %s\n", digest, partName(stem, i+1))
	}
	return b
}

// readSums reads the list of stem's parts.
func readSums(path, stem string) (*checksums, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c := &checksums{path: path}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		digest, name, ok := strings.Cut(lines.Text(), " ")
		// Text and binary mode, and the names of a list that was written in another
		// directory, don't matter.
		name = strings.TrimLeft(name, " *")
		if !ok || !isDigest(digest) || name != partName(stem, len(c.parts)+1) || len(c.parts) == maxParts {
			return nil, &chart.Error{
				Kind: ErrDamaged, File: path, Reason: fmt.Sprintf("line %d is not the checksum of %s", len(c.parts)+1, partName(stem, len(c.parts)+1)),
				Remedy: "copy this file again, or move it away to do without",
			}
		}
		c.parts = append(c.parts, digest)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(c.parts) == 0 {
		return nil, &chart.Error{Kind: ErrDamaged, File: path, Reason: "lists no part", Remedy: "copy this file again, or move it away to do without"}
	}
	return c, nil
}
