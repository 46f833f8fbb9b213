package repo

import (
	"hash/maphash"
	"maps"
)

// fileTable maps URL names to files. It is spread over shards that are copied
// when they change, so that a Snapshot's copy of the table stays as it is and a
// change among 100,000 files costs no copy of all of them.
type fileTable struct {
	shards [256]map[string]*File
	owned  [256]bool // shards that no Snapshot shares
	hash   *maphash.Seed
}

func (t *fileTable) shard(name string) uint8 {
	if t.hash == nil {
		seed := maphash.MakeSeed()
		t.hash = &seed
	}
	return uint8(maphash.String(*t.hash, name))
}

func (t *fileTable) get(name string) (*File, bool) {
	if t.hash == nil {
		return nil, false
	}
	f, ok := t.shards[t.shard(name)][name]
	return f, ok
}

func (t *fileTable) own(name string) map[string]*File {
	i := t.shard(name)
	if !t.owned[i] {
		if t.shards[i] = maps.Clone(t.shards[i]); t.shards[i] == nil {
			t.shards[i] = map[string]*File{}
		}
		t.owned[i] = true
	}
	return t.shards[i]
}

func (t *fileTable) put(f *File) { t.own(f.Name)[f.Name] = f }

func (t *fileTable) remove(name string) {
	if _, ok := t.get(name); ok {
		delete(t.own(name), name)
	}
}

// share gives a copy for a Snapshot; later changes of t leave it alone.
func (t *fileTable) share() fileTable {
	t.owned = [256]bool{}
	return *t
}
