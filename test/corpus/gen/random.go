package gen

import (
	"hash/fnv"
	"strings"
)

// source is a splitmix64 generator. Our own eight lines instead of math/rand:
// the bytes of a corpus must not depend on the Go version.
type source struct{ state uint64 }

// seeded returns the stream of numbers that belongs to name. Streams of different
// names are independent, so that one file's content never depends on which other
// files were made before it.
func seeded(seed uint64, name string) *source {
	h := fnv.New64a()
	h.Write([]byte(name))
	s := &source{state: seed*0x9e3779b97f4a7c15 ^ h.Sum64()}
	s.next()
	return s
}

func (s *source) next() uint64 {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// n is a number from 0 up to, not including, limit.
func (s *source) n(limit int) int { return int(s.next() % uint64(limit)) }

// between is a number from lo to hi, both included.
func (s *source) between(lo, hi int) int { return lo + s.n(hi-lo+1) }

func (s *source) word() string { return words[s.n(len(words))] }

// words joins n words with sep.
func (s *source) words(n int, sep string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = s.word()
	}
	return strings.Join(list, sep)
}

// sentence is a line of prose of about width bytes, without a line break.
func (s *source) sentence(width int) string {
	var b strings.Builder
	for b.Len() < width {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s.word())
	}
	return strings.ToUpper(b.String()[:1]) + b.String()[1:] + "."
}

// hex is n hexadecimal digits: what does not compress.
func (s *source) hex(n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[s.n(16)]
	}
	return string(b)
}

// words holds nothing that YAML reads as anything but a string.
var words = strings.Fields(`access account action active address admin agent aggregate alarm allocation
allow amount annotation api application archive attach attempt audit auth backend backup balance bandwidth
barrier batch bind block boot bridge broker bucket buffer build cache capacity catalog cell certificate
chain channel check chunk claim class cleanup client clock cluster command compute condition config connect
console container context control cookie copy core count create credential cron custom daemon data database
dead debug default delay delete deploy depth detach device digest direct disk dispatch domain driver dump
dynamic election enable encrypt endpoint engine entry event evict exchange executor expire export external
failover feature fence fetch field file filter flag flavor flow flush format forward frame frequency
frontend gateway generic group guest handler hash health heartbeat hook host hypervisor identity idle image
import index ingress initial inject instance interface internal interval ipaddr isolation issue item
iterate job journal kernel key label latency launch layer lease level library lifetime limit link list
listen live load local lock log machine manager mapping mask master match max memory merge message metadata
meter method metric migrate min mirror mode module monitor mount multi mutex name namespace native neighbor
network node notify number object offset operator option order origin output overlay owner packet page
parallel parameter partition password path pattern peer period persist physical ping plugin policy poll
pool port prefix priority private probe process profile project prometheus promote protocol provider proxy
public publish pull purge quality query queue quorum quota random range rate ratio read rebuild record
recover redirect refresh region register release reload remote render replica report request require
reserve reset resize resolve resource response restart restore result resume retry reverse revision role
rollback rotate route rule runtime sample scale schedule scheme scope script search secret section secure
segment select server service session shard share signal size slice snapshot socket source stack stage
standby state static status step storage store strategy stream subnet suspend switch sync system table tag
target task template tenant terminate thread threshold throttle time timeout token topic trace traffic
transport trigger trunk trust tunnel type update upgrade upload usage user validate value vendor verify
version virtual volume wait watch weight window worker write zone`)
