package chart

import (
	"encoding/json"
	"time"
)

// Lock is Chart.lock or requirements.lock: the versions that were chosen for a
// list of dependencies.
type Lock struct {
	Generated time.Time `json:"generated"`
	// Digest is of the dependencies that the lock was made for; see InSync.
	Digest       string        `json:"digest"`
	Dependencies []*Dependency `json:"dependencies"` // never nil elements
}

// ParseLock reads the lock in file (Chart.lock or
// requirements.lock). The result is nil, without an error, when the document is
// empty: to Helm that is no lock.
func ParseLock(file string, data []byte) (*Lock, error) {
	l := new(Lock)
	if err := decode(ErrDependency, file, data, &l); err != nil {
		return nil, err
	}
	if l == nil {
		return nil, nil
	}
	// A null is refused for a reason of ours: Helm packages it and fails when it uses it.
	if err := checkEntries(file, l.Dependencies, "make the lock again with helm dependency update"); err != nil {
		return nil, err
	}
	return l, nil
}

// InSync reports whether l was made for reqs, the dependencies that a chart of the
// given API version declares (validated, with aliases of repositories replaced
// by their URLs, as Helm 3 and 4 digest them). A lock of Helm 2 counts for v1
// charts, as in Helm's pkg/downloader; it holds the digest of reqs as written.
// A nil lock is in sync with nothing.
func (l *Lock) InSync(reqs []*Dependency, apiVersion string) bool {
	if l == nil {
		return false
	}
	if l.Digest == digestJSON([2][]*Dependency{reqs, l.Dependencies}) {
		return true
	}
	return apiVersion == APIVersionV1 && l.Digest == digestJSON(map[string][]*Dependency{"dependencies": reqs})
}

// digestJSON is how Helm's internal/resolver makes its digests (HashReq and
// HashV2Req): "sha256:" and the hash of the JSON, < and > escaped.
func digestJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "" // no lock has it; only import-values that no YAML can hold get here
	}
	return DigestPrefix + Digest(data)
}
