package chart

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
)

// DigestPrefix is what may come before the digits of a digest.
const DigestPrefix = "sha256:"

// Digest returns the SHA-256 of data as 64 lower-case hex digits.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// DigestOf reads r to its end and returns its SHA-256 and its size in bytes.
func DigestOf(r io.Reader) (digest string, size int64, err error) {
	h := sha256.New()
	size, err = io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

// ParseDigest returns a SHA-256 as 64 lower-case hex digits. Helm tolerates
// DigestPrefix before it, and capitals (pkg/downloader). ok is false for what is no
// SHA-256.
func ParseDigest(s string) (digest string, ok bool) {
	digest = strings.ToLower(strings.TrimPrefix(s, DigestPrefix))
	if b, err := hex.DecodeString(digest); err != nil || len(b) != sha256.Size {
		return "", false
	}
	return digest, true
}
