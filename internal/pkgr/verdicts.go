package pkgr

import (
	"crypto/sha256"
	"maps"
	"sync"
)

// maxVerdicts is how many files are remembered, at some 100 bytes each.
const maxVerdicts = 1 << 15

// Verdicts are values.yaml files that were parsed and found good, by digest (without
// a byte order mark), with how much each counts against what one archive may have
// parsed. What a digest means never changes, so they may be kept across restarts.
type Verdicts map[[sha256.Size]byte]int

// verdicts remembers some of what was parsed: parsing values.yaml is most of the work
// of checking an archive, and versions of a chart share it. A bad file is parsed each
// time, for its reason.
type verdicts struct {
	room int

	mu   sync.Mutex
	good Verdicts
}

func newVerdicts(room int) *verdicts { return &verdicts{room: room, good: Verdicts{}} }

// known reports whether the file of that digest is good.
func (v *verdicts) known(digest [sha256.Size]byte) (nodes int, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	nodes, ok = v.good[digest]
	return nodes, ok
}

// keep remembers a good file. Where there is no room any other is forgotten.
func (v *verdicts) keep(digest [sha256.Size]byte, nodes int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.good[digest] = nodes
	for other := range v.good {
		if len(v.good) <= v.room {
			return
		}
		if other != digest {
			delete(v.good, other)
		}
	}
}

func (v *verdicts) snapshot() Verdicts {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.good)
}
