package pkgr

import (
	"bufio"
	"bytes"
	sg "compress/gzip"
	"crypto/sha256"
	kg "github.com/klauspost/compress/gzip"
	"io"
	"testing"
	"time"
)

func BenchmarkRaw(b *testing.B) {
	leaf, toolkit := benchTrees(b)
	c := load(b, leaf).WithSubcharts([]*Chart{load(b, toolkit)})
	a := pack(b, c)
	raw := gunzip(b, a)
	b.Logf("raw %d packed %d", len(raw), len(a))
	b.Run("kgzip6", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		w, _ := kg.NewWriterLevel(io.Discard, 6)
		for b.Loop() {
			w.Reset(io.Discard)
			w.Write(raw)
			w.Close()
		}
	})
	b.Run("pack", func(b *testing.B) {
		p := NewPacker(time.Time{})
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			p.Pack(io.Discard, c)
		}
	})
	b.Run("sgzip6", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		w, _ := sg.NewWriterLevel(io.Discard, 6)
		for b.Loop() {
			w.Reset(io.Discard)
			w.Write(raw)
			w.Close()
		}
	})
	b.Run("gunzip", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		var r kg.Reader
		br := bytes.NewReader(nil)
		for b.Loop() {
			br.Reset(a)
			r.Reset(br)
			io.Copy(io.Discard, struct{ io.Reader }{&r})
		}
	})
	b.Run("bgunzip", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		var r kg.Reader
		bb := bufio.NewReaderSize(nil, 32<<10)
		for b.Loop() {
			bb.Reset(bytes.NewReader(a))
			r.Reset(bb)
			io.Copy(io.Discard, struct{ io.Reader }{&r})
		}
	})
	b.Run("fgunzip", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		var r kg.Reader
		for b.Loop() {
			bb := bytes.NewBuffer(a)
			r.Reset(bb)
			io.Copy(io.Discard, struct{ io.Reader }{&r})
		}
	})
	b.Run("gunzipWT", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		var r kg.Reader
		for b.Loop() {
			bb := bytes.NewBuffer(a)
			r.Reset(bb)
			r.WriteTo(io.Discard)
		}
	})
	b.Run("sgunzip", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		var r sg.Reader
		br := bytes.NewReader(nil)
		for b.Loop() {
			br.Reset(a)
			r.Reset(br)
			io.Copy(io.Discard, struct{ io.Reader }{&r})
		}
	})
	b.Run("check", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		k := NewChecker(Limits{})
		for b.Loop() {
			k.Check(bytes.NewReader(a))
		}
	})
	b.Run("sha", func(b *testing.B) {
		b.SetBytes(int64(len(a)))
		for b.Loop() {
			sha256.Sum256(a)
		}
	})
}
