package oci

import (
	"errors"
	"strings"

	"chartserve/internal/layout"
)

// The reasons why a path is none of a registry's.
var (
	ErrPath = errors.New("no such path in a registry")
	ErrName = errors.New("a name is of lower-case letters and digits, with '.', '_', '__' or '-' between them, and '/' between its parts")
)

// Parse takes a path apart into the name that it begins with, behind /v2/, and the rest,
// which begins with a slash and is one of
//
//	/tags/list
//	/manifests/REFERENCE
//	/blobs/DIGEST
//	/blobs/uploads/
//	/blobs/uploads/ID
//	/referrers/DIGEST
//
// or, with an empty name, / and /_catalog. What stands for the words in capitals is one
// segment, whatever that has in it. The error is ErrPath or ErrName.
func Parse(path string) (name, rest string, err error) {
	below, ok := strings.CutPrefix(path, "/v2/")
	switch {
	case path == "/v2" || ok && below == "":
		return "", "/", nil
	case !ok:
		return "", "", ErrPath
	case below == "_catalog":
		return "", "/_catalog", nil
	}
	front, last := cutLast(below)
	name, kind := cutLast(front)
	switch rest = "/" + kind + "/" + last; {
	case rest == "/tags/list":
	case rest == "/blobs/uploads":
		rest += "/"
	case kind == "uploads" && strings.HasSuffix(name, "/blobs"):
		name, rest = strings.TrimSuffix(name, "/blobs"), "/blobs"+rest
	case last != "" && (kind == "manifests" || kind == "blobs" || kind == "referrers"):
	default:
		return "", "", ErrPath
	}
	if !layout.IsName(name) {
		return "", "", ErrName
	}
	return name, rest, nil
}

// cutLast cuts the last segment off a path.
func cutLast(path string) (front, last string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}
