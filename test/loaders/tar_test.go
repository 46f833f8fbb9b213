package loaders

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"strings"
)

// member is one member of an archive, as odd as it likes.
type member struct {
	name, link string
	kind       byte
	pax        []string // records key=value, in a header of their own before it
	body       string
	size       string // of the header's field; empty where it is the body's
	mode       string // empty is 0000644
	magic      string // empty is POSIX
	prefix     string // of the name, in its own field
	badSum     bool
	noPadding  bool
}

func file(name, body string) member { return member{name: name, kind: '0', body: body} }

func (m member) String() string {
	s := fmt.Sprintf("%q", m.name)
	if m.kind != '0' {
		s += fmt.Sprintf(" kind %q", m.kind)
	}
	for _, f := range []struct{ name, value string }{{"link", m.link}, {"size", m.size}, {"mode", m.mode}, {"magic", m.magic}, {"prefix", m.prefix}, {"pax", strings.Join(m.pax, ",")}} {
		if f.value != "" {
			s += fmt.Sprintf(" %s %q", f.name, f.value)
		}
	}
	if m.badSum || m.noPadding {
		s += fmt.Sprintf(" badSum %v noPadding %v", m.badSum, m.noPadding)
	}
	return s + fmt.Sprintf(": %.300q", m.body)
}

// write appends m to a tar.
func (m member) write(tar *bytes.Buffer) {
	if len(m.pax) > 0 {
		var records strings.Builder
		for _, r := range m.pax {
			records.WriteString(paxRecord(r))
		}
		member{name: "PaxHeaders/x", kind: 'x', body: records.String()}.write(tar)
	}
	if len(m.name) > 100 {
		member{name: "././@LongLink", kind: 'L', body: m.name + "\x00"}.write(tar)
	}
	h := make([]byte, 512)
	copy(h[:100], m.name)
	put := func(at int, value, otherwise string) {
		if value == "" {
			value = otherwise
		}
		copy(h[at:], value)
	}
	put(100, m.mode, "0000644\x00")
	put(108, "", "0000000\x000000000\x00")
	put(124, m.size, fmt.Sprintf("%011o\x00", len(m.body)))
	put(136, "", "02264534200\x00        ")
	h[156] = m.kind
	copy(h[157:257], m.link)
	put(257, m.magic, "ustar\x0000")
	put(329, "", "0000000\x000000000\x00")
	copy(h[345:500], m.prefix)
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	if m.badSum {
		sum++
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	tar.Write(h)
	tar.WriteString(m.body)
	if !m.noPadding {
		tar.Write(make([]byte, (512-len(m.body)%512)%512))
	}
}

// paxRecord puts the length of "LENGTH key=value\n" in front.
func paxRecord(s string) string {
	for n := len(s) + 2; ; n++ {
		if r := fmt.Sprintf("%d %s\n", n, s); len(r) == n {
			return r
		}
	}
}

func tarOf(members []member) []byte {
	var b bytes.Buffer
	for _, m := range members {
		m.write(&b)
	}
	b.Write(make([]byte, 1024))
	return b.Bytes()
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data) // to memory: there is no error
	w.Close()
	return b.Bytes()
}

func tgz(members ...member) string { return string(gzipped(tarOf(members))) }

// compressed packs a tar in one of many ways, nearly all of them sound.
func compressed(r *rand.Rand, tar []byte) (data []byte, how string) {
	switch r.IntN(14) {
	case 0:
		cut := r.IntN(len(tar) + 1)
		return append(gzipped(tar[:cut]), gzipped(tar[cut:])...), fmt.Sprintf("a second stream from %d", cut)
	case 1:
		return append(gzipped(tar), gzipped(nil)...), "an empty stream behind"
	case 2:
		return append(gzipped(nil), gzipped(tar)...), "an empty stream before"
	case 3:
		n := 1 + r.IntN(600)
		return append(gzipped(tar), make([]byte, n)...), fmt.Sprintf("%d zeros behind", n)
	case 4:
		data = gzipped(tar)
		n := 1 + r.IntN(20)
		return data[:len(data)-n], fmt.Sprintf("%d bytes short", n)
	case 5:
		data = gzipped(tar)
		at := len(data) - 1 - r.IntN(8)
		data[at] ^= 1 << r.IntN(8)
		return data, "a bit of the trailer turned"
	case 6:
		data = gzipped(tar)
		at := r.IntN(len(data))
		data[at] ^= 1 << r.IntN(8)
		return data, fmt.Sprintf("a bit of byte %d of %d turned", at, len(data))
	case 7:
		return append(gzipped(tar), "junk"...), "junk behind"
	case 8:
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, pick(r, gzip.NoCompression, gzip.HuffmanOnly, gzip.BestCompression))
		w.Name, w.Comment, w.Extra = "c.tar", "a comment", []byte("extra")
		w.Write(tar)
		w.Close()
		return b.Bytes(), "with a header"
	}
	return gzipped(tar), "plainly"
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }
