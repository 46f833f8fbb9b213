package pkgr

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"
	"sync"
)

// maxVerdicts is how many files are remembered, at some 100 bytes each.
const maxVerdicts = 1 << 15

// Verdicts remembers the values.yaml files that were parsed and found good, by
// digest: parsing them is most of the work of checking an archive, and versions of a
// chart share them. A bad one is parsed each time, for its reason. It is safe for
// concurrent use. Its content may be kept across restarts: what a digest means never
// changes.
type Verdicts struct {
	mu sync.Mutex
	// recent takes new ones. When it is full it becomes older, and what was in older
	// is forgotten, but for what was asked for meanwhile.
	recent, older map[[sha256.Size]byte]int
	room          int // in recent
}

// Verdict is one values.yaml that is good.
type Verdict struct {
	// Digest is the SHA-256 of the file, without a byte order mark.
	Digest [sha256.Size]byte
	// Nodes is how much the file counts against what one archive may have parsed.
	Nodes int
}

func newVerdicts(room int) *Verdicts {
	return &Verdicts{recent: map[[sha256.Size]byte]int{}, room: room}
}

// Snapshot returns what is remembered, in the order of digests.
func (v *Verdicts) Snapshot() []Verdict {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := make([]Verdict, 0, len(v.recent)+len(v.older))
	for digest, nodes := range v.older {
		if _, ok := v.recent[digest]; !ok {
			list = append(list, Verdict{digest, nodes})
		}
	}
	for digest, nodes := range v.recent {
		list = append(list, Verdict{digest, nodes})
	}
	slices.SortFunc(list, func(a, b Verdict) int {
		return cmp.Or(bytes.Compare(a.Digest[:], b.Digest[:]), cmp.Compare(a.Nodes, b.Nodes))
	})
	return list
}

// Restore adds what an earlier Snapshot returned.
func (v *Verdicts) Restore(list []Verdict) {
	for _, one := range list {
		v.keep(one.Digest, one.Nodes)
	}
}

// known reports whether the file of that digest is good.
func (v *Verdicts) known(digest [sha256.Size]byte) (nodes int, ok bool) {
	v.mu.Lock()
	nodes, ok = v.recent[digest]
	old := false
	if !ok {
		nodes, old = v.older[digest]
	}
	v.mu.Unlock()
	if old {
		v.keep(digest, nodes)
	}
	return nodes, ok || old
}

func (v *Verdicts) keep(digest [sha256.Size]byte, nodes int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.recent[digest]; !ok && len(v.recent) >= v.room {
		v.recent, v.older = map[[sha256.Size]byte]int{}, v.recent
	}
	v.recent[digest] = nodes
}
