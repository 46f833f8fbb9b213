package layout

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// maxName bounds a content name, in bytes: it is a file's name too.
const maxName = 255

// maxTag bounds a tag, in bytes.
const maxTag = 128

// nameForm is what the distribution-spec calls <name>.
var nameForm = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)

// IsName reports whether s is a content name, as the distribution-spec has it, of at most 255
// bytes.
func IsName(s string) bool { return len(s) <= maxName && nameForm.MatchString(s) }

// IsTag reports whether s is a tag, as the distribution-spec has it. It is called for each
// version of a chart that is listed, and takes a tenth of what a regular expression does.
func IsTag(s string) bool {
	if s == "" || len(s) > maxTag || s[0] == '.' || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// algorithms are those of the digests that blobs can have.
func algorithms() []digest.Algorithm { return []digest.Algorithm{digest.SHA256, digest.SHA512} }

// IsDigest reports whether d is a digest that blobs can have: SHA-256 or SHA-512.
func IsDigest(d digest.Digest) bool {
	alg, _, _ := strings.Cut(string(d), ":")
	return slices.Contains(algorithms(), digest.Algorithm(alg)) && d.Validate() == nil
}

// folderOf is the folder of a content name in .oci.
func folderOf(name string) (string, error) {
	if !IsName(name) {
		return "", fmt.Errorf("%w: %q", ErrName, name)
	}
	return strings.ReplaceAll(name, "/", "+"), nil
}

// nameOf is the content name that a folder in .oci is of; ok is false for any other folder.
func nameOf(folder string) (name string, ok bool) {
	name = strings.ReplaceAll(folder, "+", "/")
	return name, !strings.Contains(folder, "/") && IsName(name)
}

// Folders in the repository folder. Those that begin with an underscore are of no name.
const (
	root    = ".oci"
	pool    = root + "/_blobs"
	uploads = root + "/_uploads"
	staged  = root + "/_staged"
)

const (
	indexFile  = "index.json"
	layoutFile = "oci-layout"
	blobsDir   = "blobs"
)

// blobIn is the file of a blob below dir, which is pool or the blobs of a name.
func blobIn(dir string, d digest.Digest) string {
	return path.Join(dir, d.Algorithm().String(), d.Encoded())
}

// blobsOf is the folder of the blobs of a name.
func blobsOf(name string) (string, error) {
	folder, err := folderOf(name)
	return path.Join(root, folder, blobsDir), err
}

// blobOf is the file of a blob of a name.
func blobOf(name string, d digest.Digest) (string, error) {
	dir, err := blobsOf(name)
	if err != nil {
		return "", err
	}
	if !IsDigest(d) {
		return "", fmt.Errorf("%w: %q", ErrDigest, d)
	}
	return blobIn(dir, d), nil
}
