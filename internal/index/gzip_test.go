package index

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os/exec"
	"testing"

	kgzip "github.com/klauspost/compress/gzip"
)

// gunzip reads data as one member with nothing behind it, by every reader at hand.
func gunzip(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	got := make(map[string][]byte)
	in := bytes.NewReader(data)
	std, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	std.Multistream(false)
	if got["compress/gzip"], err = io.ReadAll(std); err != nil {
		t.Fatalf("compress/gzip: %v", err)
	}
	if in.Len() != 0 {
		t.Errorf("%d bytes behind the first member", in.Len())
	}
	other, err := kgzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if got["klauspost"], err = io.ReadAll(other); err != nil {
		t.Fatalf("klauspost: %v", err)
	}
	return got
}

func TestGzip(t *testing.T) {
	for _, c := range [][2]int{{0, 1}, {1, 1}, {80, 1}, {500, 3}, {3000, 100}} {
		t.Run(fmt.Sprint(c[0]), func(t *testing.T) {
			e := build(YAML, corpus(t, c[0], c[1])).Encode()
			for form, body := range map[string]Body{"yaml": e.YAML, "json": e.JSON} {
				for reader, got := range gunzip(t, body.Gzip.Bytes()) {
					if !bytes.Equal(got, body.Data.Bytes()) {
						t.Errorf("%s by %s: not the same text", form, reader)
					}
				}
			}
			if size, limit := len(e.JSON.Gzip.Bytes()), len(e.JSON.Data.Bytes())/4+400; size > limit {
				t.Errorf("%d bytes of JSON take %d as gzip, want less than %d", len(e.JSON.Data.Bytes()), size, limit)
			}
		})
	}
}

func TestSystemGzip(t *testing.T) {
	for _, tool := range [][]string{{"gzip", "-dc"}, {"python3", "-c", "import gzip,sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))"}} {
		t.Run(tool[0], func(t *testing.T) {
			if _, err := exec.LookPath(tool[0]); err != nil {
				t.Skip(err)
			}
			b := build(YAML, corpus(t, 700, 7))
			b.Encode()
			b.Set("one-more", []*Entry{entry(t, metadata("one-more", "1.0.0"))})
			e := b.Encode()
			for form, body := range map[string]Body{"yaml": e.YAML, "json": e.JSON} {
				cmd := exec.Command(tool[0], tool[1:]...)
				cmd.Stdin = bytes.NewReader(body.Gzip.Bytes())
				got, err := cmd.Output()
				if err != nil || !bytes.Equal(got, body.Data.Bytes()) {
					t.Errorf("%s: got %d bytes, want %d; %v", form, len(got), len(body.Data.Bytes()), err)
				}
			}
		})
	}
}
