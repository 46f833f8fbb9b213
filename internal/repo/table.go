package repo

import (
	"hash/maphash"
	"maps"
)

// table is a map that many Views share. It is spread over shards that are copied when
// they change, so that a View's copy stays as it is, and a change among 100,000 entries
// copies few of them. The zero value is empty.
type table[V any] struct {
	shards [256]map[string]V
	owned  [256]bool // shards that no View shares
	hash   *maphash.Seed
}

func (t *table[V]) shard(key string) uint8 {
	if t.hash == nil {
		seed := maphash.MakeSeed()
		t.hash = &seed
	}
	return uint8(maphash.String(*t.hash, key))
}

func (t *table[V]) get(key string) (v V, ok bool) {
	if t.hash == nil {
		return v, false
	}
	v, ok = t.shards[t.shard(key)][key]
	return v, ok
}

// put and remove belong to the goroutine that owns the repository.
func (t *table[V]) put(key string, v V) { t.own(key)[key] = v }

func (t *table[V]) remove(key string) {
	if _, ok := t.get(key); ok {
		delete(t.own(key), key)
	}
}

func (t *table[V]) own(key string) map[string]V {
	i := t.shard(key)
	if !t.owned[i] {
		if t.shards[i] = maps.Clone(t.shards[i]); t.shards[i] == nil {
			t.shards[i] = map[string]V{}
		}
		t.owned[i] = true
	}
	return t.shards[i]
}

// share returns a copy for a View; later changes of t leave it alone.
func (t *table[V]) share() table[V] {
	t.owned = [256]bool{}
	return *t
}
