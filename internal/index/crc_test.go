package index

import (
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

func TestCRCCombine(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	lengths := []int{0, 1, 2, 3, 7, 8, 255, 256, 257, 4096, 65535, 65536, 1<<20 - 100}
	for _, first := range lengths {
		for _, second := range lengths {
			if first+second > len(data) {
				continue
			}
			a, b := data[:first], data[first:first+second]
			got := crcCombine(crc32.ChecksumIEEE(a), crc32.ChecksumIEEE(b), crcShift(len(b)))
			if want := crc32.ChecksumIEEE(data[:first+second]); got != want {
				t.Errorf("%d and %d bytes: got %08x, want %08x", first, second, got, want)
			}
		}
	}
}

func FuzzCRCCombine(f *testing.F) {
	f.Add([]byte("chart"), []byte("serve"))
	f.Add([]byte{}, []byte{0, 0, 0})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		got := crcCombine(crc32.ChecksumIEEE(a), crc32.ChecksumIEEE(b), crcShift(len(b)))
		if want := crc32.ChecksumIEEE(append(a[:len(a):len(a)], b...)); got != want {
			t.Errorf("got %08x, want %08x", got, want)
		}
	})
}

func BenchmarkCRCCombine(b *testing.B) {
	shift := crcShift(50_000)
	crc := uint32(0x12345678)
	for b.Loop() {
		crc = crcCombine(crc, 0x9abcdef0, shift)
	}
}
