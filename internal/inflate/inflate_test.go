package inflate

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// text is n bytes that compress about as charts do.
func text(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("{{- if .Values.x }} metadata: name: namespace: spec: containers: - image: é env: valueFrom: 0123 {{ end }}")
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "%*s%s %x\n", 2*r.IntN(8), "", words[r.IntN(len(words))], r.IntN(1<<r.IntN(20)))
	}
	return b.Bytes()[:n]
}

// noise is n bytes that don't compress.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func zip(tb testing.TB, level int, h gzip.Header, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		tb.Fatal(err)
	}
	w.Header = h
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// raw puts a header before a DEFLATE stream and the trailer of data behind it.
func raw(deflated string, data []byte) []byte {
	b := append([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00"), deflated...)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(data))
	return binary.LittleEndian.AppendUint32(b, uint32(len(data)))
}

const maxOut = 1 << 20

// agrees holds for any input: what compress/gzip takes is taken, with the same
// data and the same rest, and nothing else.
func agrees(t testing.TB, src []byte) {
	t.Helper()
	var d Decoder
	got, rest, gotErr := d.Gzip(nil, src, maxOut)
	if errors.Is(gotErr, ErrLimit) {
		return
	}
	in := bytes.NewReader(src)
	z, wantErr := gzip.NewReader(in)
	var want []byte
	if wantErr == nil {
		z.Multistream(false)
		want, wantErr = io.ReadAll(io.LimitReader(z, maxOut+1))
	}
	if (gotErr == nil) != (wantErr == nil) {
		t.Fatalf("error %v, compress/gzip says %v", gotErr, wantErr)
	}
	if gotErr == nil && (!bytes.Equal(got, want) || len(rest) != in.Len()) {
		t.Fatalf("%d bytes and %d behind, compress/gzip has %d and %d", len(got), len(rest), len(want), in.Len())
	}
	if gotErr != nil && (got != nil || rest != nil) {
		t.Errorf("data beside error %v", gotErr)
	}
}

// samples are gzip files of every kind of block and of header.
func samples(tb testing.TB) map[string][]byte {
	files := map[string][]byte{
		"header":  zip(tb, 6, gzip.Header{Name: "a.tar", Comment: "c", Extra: []byte("xyz")}, []byte("hello")),
		"members": append(zip(tb, 6, gzip.Header{}, []byte("a")), zip(tb, 6, gzip.Header{}, []byte("b"))...),
		"zeros":   append(zip(tb, 6, gzip.Header{}, []byte("a")), 0, 0, 0),
	}
	data := map[string][]byte{
		"empty": nil, "byte": []byte("a"), "short": []byte("hello, hello, hello"), "run": bytes.Repeat([]byte("a"), 3000),
		"abc": bytes.Repeat([]byte("abc"), 1000), "text": text(20_000), "noise": noise(3000), "far": append(append(noise(20_000), text(9000)...), noise(20_000)...),
	}
	for name, data := range data {
		for level := gzip.HuffmanOnly; level <= gzip.BestCompression; level++ {
			files[fmt.Sprintf("%s, level %d", name, level)] = zip(tb, level, gzip.Header{}, data)
		}
	}
	for back := 1; back < 20; back++ {
		name := fmt.Sprintf("repeating every %d", back)
		files[name] = zip(tb, 9, gzip.Header{}, bytes.Repeat(noise(back), 1+300/back))
	}
	withCRC := []byte("\x1f\x8b\x08\x02\x00\x00\x00\x00\x00\x00")
	withCRC = binary.LittleEndian.AppendUint16(withCRC, uint16(crc32.ChecksumIEEE(withCRC)))
	files["header checksum"] = append(withCRC, raw("\x03\x00", nil)[headerLen:]...)
	return files
}

func TestGzip(t *testing.T) {
	var d Decoder
	var dst []byte
	for name, src := range samples(t) {
		t.Run(name, func(t *testing.T) {
			agrees(t, src)
			// With what another left behind.
			out, _, err := d.Gzip(dst, src, maxOut)
			if err != nil {
				t.Fatal(err)
			}
			dst = out
			z, err := gzip.NewReader(bytes.NewReader(src))
			if err != nil {
				t.Fatal(err)
			}
			z.Multistream(false)
			if want, err := io.ReadAll(z); err != nil || !bytes.Equal(out, want) {
				t.Errorf("reused: %d bytes, want %d (%v)", len(out), len(want), err)
			}
		})
	}
}

// TestDamaged cuts every file short and flips its bits, in many places; small ones
// everywhere.
func TestDamaged(t *testing.T) {
	for name, src := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flipped := bytes.Clone(src)
			for n := 0; n < len(src); n += 1 + len(src)/100 {
				agrees(t, src[:n])
				for bit := range 8 {
					if len(src) > 100 && bit != n%8 {
						continue
					}
					flipped[n] ^= 1 << bit
					agrees(t, flipped)
					flipped[n] ^= 1 << bit
				}
			}
		})
	}
}

func TestErrors(t *testing.T) {
	good := zip(t, 6, gzip.Header{}, text(5000))
	changed := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[(at+len(b))%len(b)] ^= to
		return b
	}
	long := append([]byte("\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x00"), bytes.Repeat([]byte("x"), maxText)...)
	cases := map[string]struct {
		src   []byte
		limit int
		want  error
	}{
		"fits":                 {good, 5000, nil},
		"too large":            {good, 4999, ErrLimit},
		"stored too large":     {zip(t, 0, gzip.Header{}, text(5000)), 4999, ErrLimit},
		"one literal too many": {raw("\x4b\x04\x00", []byte("a")), 0, ErrLimit},
		"bomb":                 {zip(t, 9, gzip.Header{}, make([]byte, 10<<20)), maxOut, ErrLimit},
		"lying size":           {changed(-1, 0xff), maxOut, ErrChecksum},
		"checksum":             {changed(-8, 1), maxOut, ErrChecksum},
		"empty":                {nil, maxOut, io.ErrUnexpectedEOF},
		"no magic":             {changed(0, 1), maxOut, ErrHeader},
		"another method":       {changed(2, 1), maxOut, ErrHeader},
		"long name":            {long, maxOut, ErrHeader},
		"name without end":     {long[:maxText], maxOut, io.ErrUnexpectedEOF},
		"no extra":             {changed(3, flagExtra)[:headerLen+1], maxOut, io.ErrUnexpectedEOF},
		"header checksum":      {changed(3, flagHeaderCRC), maxOut, ErrHeader},
		"no trailer":           {good[:len(good)-1], maxOut, io.ErrUnexpectedEOF},
		"reserved block":       {raw("\x07", nil), maxOut, ErrCorrupt},
		"stored size":          {raw("\x01\x01\x00\x00\x00x", nil), maxOut, ErrCorrupt},
		"too many symbols":     {raw("\xfd\x00\x00\x00\x00", nil), maxOut, ErrCorrupt},
		"incomplete codes":     {raw("\x05\x00\x02\x00\x00\x00\x00", nil), maxOut, ErrCorrupt},
		"distance before data": {raw("\x03\x02\x00\x00", nil), maxOut, ErrCorrupt},
		"symbol 286":           {raw("\x1b\x03\x00\x00", nil), maxOut, ErrCorrupt},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var d Decoder
			out, _, err := d.Gzip(nil, tc.src, tc.limit)
			if !errors.Is(err, tc.want) || err == nil && len(out) == 0 {
				t.Errorf("%d bytes, error %v, want %v", len(out), err, tc.want)
			}
			if cap(out) > tc.limit+slack {
				t.Errorf("%d bytes of memory for at most %d", cap(out), tc.limit)
			}
			if tc.want != ErrLimit {
				agrees(t, tc.src)
			}
		})
	}
}

// TestLimit ends blocks at each place in a round of symbols.
func TestLimit(t *testing.T) {
	var d Decoder
	for n := 1; n < 50; n++ {
		src := zip(t, 6, gzip.Header{}, noise(n))
		if _, _, err := d.Gzip(nil, src, n-1); !errors.Is(err, ErrLimit) {
			t.Errorf("%d bytes where %d are allowed: error %v", n, n-1, err)
		}
		src = zip(t, gzip.HuffmanOnly, gzip.Header{}, text(n))
		if _, _, err := d.Gzip(nil, src, n-1); !errors.Is(err, ErrLimit) {
			t.Errorf("%d literals where %d are allowed: error %v", n, n-1, err)
		}
	}
}

func FuzzGzip(f *testing.F) {
	for _, src := range samples(f) {
		f.Add(src)
		f.Add(src[:len(src)/2])
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		agrees(t, src)
		// The bits themselves: most of what a fuzzer makes has no good trailer.
		var d Decoder
		b := bits{src: src}
		got, err := d.blocks(nil, &b, maxOut)
		if err != nil {
			return
		}
		if len(got) <= maxOut {
			agrees(t, raw(string(src[:b.consumed()]), got))
		}
	})
}
