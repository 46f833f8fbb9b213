package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/chart"
)

// refuses checks that neither Verify nor Load takes data, and that Load leaves the
// folder as it is.
func refuses(t *testing.T, data []byte, dir, what string) {
	t.Helper()
	before := visible(t, dir)
	rep, err := Verify(context.Background(), []string{"-"}, ReadOptions{Stdin: bytes.NewReader(data)})
	if err != nil {
		t.Fatalf("%s: verify fails: %v", what, err)
	}
	if len(rep.Findings) == 0 {
		t.Errorf("%s: verify finds nothing", what)
	}
	done, err := Load(context.Background(), []string{"-"}, dir, ReadOptions{Stdin: bytes.NewReader(data)})
	if f := new(chart.Error); !errors.As(err, &f) || f.Reason == "" || f.Remedy == "" {
		t.Fatalf("%s: load gives %v, %v; want a finding", what, done, err)
	}
	if diff := cmp.Diff(before, visible(t, dir)); diff != "" {
		t.Fatalf("%s: the folder changed:\n%s", what, diff)
	}
	if _, err := os.Lstat(dir + "/.incoming"); err == nil {
		t.Fatalf("%s: something was delivered", what)
	}
}

// small is a bundle of one chart with provenance, and one of the folder it goes to.
func small(t testing.TB) ([]byte, string) {
	t.Helper()
	data, _ := bytesOf(t, folderOf(t, spec{name: "a", version: "1.0.0", text: "1", prov: true}), CreateOptions{Images: []byte("x:1\n")})
	return data, folderOf(t, spec{name: "b", version: "1.0.0"})
}

func TestEveryCut(t *testing.T) {
	t.Parallel()
	data, dir := small(t)
	for n := 0; n < len(data); n += step {
		refuses(t, data[:n], dir, fmt.Sprint("cut at ", n))
	}
}

func TestEveryByte(t *testing.T) {
	t.Parallel()
	data, dir := small(t)
	for n := 0; n < len(data); n += step {
		bad := bytes.Clone(data)
		bad[n] ^= 1 << (n % 8)
		refuses(t, bad, dir, fmt.Sprint("flipped at ", n))
	}
}

func TestMore(t *testing.T) {
	data, dir := small(t)
	for name, bad := range map[string][]byte{
		"a byte":        append(bytes.Clone(data), 0),
		"a block":       append(bytes.Clone(data), make([]byte, blockSize)...),
		"itself again":  append(bytes.Clone(data), data...),
		"a byte before": append([]byte{0}, data...),
		"nothing":       nil,
	} {
		refuses(t, bad, dir, name)
	}
}

// The delta's own marks are under the seal as well.
func TestEveryByteOfADelta(t *testing.T) {
	folder := folderOf(t, spec{name: "a", version: "1.0.0", text: "1"}, spec{name: "b", version: "1.0.0"})
	_, base := bytesOf(t, folderOf(t, spec{name: "b", version: "1.0.0"}), CreateOptions{})
	data, m := bytesOf(t, folder, CreateOptions{Base: base})
	dir := folderOf(t, spec{name: "b", version: "1.0.0"})
	for n := range m.Encode() {
		bad := bytes.Clone(data)
		bad[blockSize+n] ^= 1 << (n % 8)
		refuses(t, bad, dir, fmt.Sprint("flipped at ", blockSize+n))
	}
}
