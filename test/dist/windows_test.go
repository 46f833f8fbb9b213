//go:build linux && amd64

package dist

import (
	"encoding/binary"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWindows runs the program for Windows under Wine: it makes the archives that it makes
// elsewhere, and serves them, with what is edited.
func TestWindows(t *testing.T) {
	if !long() {
		t.Skip("TORTURE=long runs it, with Wine of test/wine.sh")
	}
	windows := made(t, "binaries", filepath.Join("build", "windows_amd64", "chartserve.exe"))
	wine, prefix := tool(t, "wine64"), t.TempDir()
	t.Setenv("WINEPREFIX", prefix)
	t.Setenv("WINEDEBUG", "-all")
	t.Setenv("WINEDLLOVERRIDES", "mscoree,mshtml=")
	// The first program that runs has Wine make its folders. This one fails, for want of the library.
	_ = exec.Command(wine, windows, "version").Run()
	prng := filepath.Join(prefix, "drive_c", "windows", "system32", "bcryptprimitives.dll")
	if _, err := os.Stat(prng); err != nil {
		must(t, os.WriteFile(prng, forwarder("bcryptprimitives.dll", "ProcessPrng", "ADVAPI32.SystemFunction036"), 0o644))
	}
	out, err := exec.Command(wine, windows, "version").Output()
	if err != nil || !strings.Contains(string(out), "windows/amd64)") {
		t.Fatalf("version: %v\n%s", err, out)
	}
	charts := samples(t)
	// Where a backslash separates, these patterns are others.
	write(t, filepath.Join(charts, "hello", ".helmignore"), "docs/*.txt\n\\#left-out\n")
	write(t, filepath.Join(charts, "hello", "docs", "deep", "kept.txt"), "kept")
	write(t, filepath.Join(charts, "hello", "#left-out"), "left out")
	want := archives(t, charts, filepath.Join(t.TempDir(), "repo"), program(t))
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command(wine, append([]string{windows}, args...)...)
		cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1000000000")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
	repo := filepath.Join(t.TempDir(), "repo")
	run("build", "--strict", "--repo-path", repo, charts)
	got := map[string]string{}
	for name := range want {
		data, err := os.ReadFile(filepath.Join(repo, name))
		must(t, err)
		got[name] = string(data)
	}
	same(t, got, want)
	run("index", repo)
	followsEdit(t, charts, exec.Command(wine, windows, "serve", "--address", "127.0.0.1:0", "--repo-path", repo, "--ready-file", repo+".ready", charts), repo+".ready")
}

// followsEdit starts a server, edits a chart, and waits for it to be served.
func followsEdit(t *testing.T, charts string, server *exec.Cmd, ready string) {
	t.Helper()
	logs := new(log)
	server.Stdout, server.Stderr = logs, logs
	must(t, server.Start())
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Log(logs)
		}
	}()
	var url string
	eventually(t, "the server is ready", func() bool {
		data, err := os.ReadFile(ready)
		url = strings.TrimSpace(string(data))
		return err == nil && url != ""
	})
	index := func() string {
		response, err := http.Get(url + "/index.yaml")
		if err != nil {
			return ""
		}
		defer response.Body.Close()
		data, _ := io.ReadAll(response.Body)
		return string(data)
	}
	before := index()
	if !strings.Contains(before, "hello-0.1.0.tgz") {
		t.Errorf("the index is\n%s", before)
	}
	time.Sleep(time.Second)
	write(t, filepath.Join(charts, "hello", "values.yaml"), "edited: true\n")
	eventually(t, "the edit is served", func() bool { return index() != before && strings.Contains(index(), "hello-0.1.0.tgz") })
}

// forwarder is a library for Windows whose one function is that of another library. Wine has no
// bcryptprimitives before version 9, and Go's programs don't start without it.
func forwarder(library, function, target string) []byte {
	const at, page, optional = 0x1000, 0x200, 240
	names := library + "\x00" + function + "\x00" + target + "\x00"
	offset := func(n int) uint32 { return uint32(at + 52 + n) }
	exports := []any{
		[3]uint32{}, offset(0), [3]uint32{1, 1, 1}, [3]uint32{at + 40, at + 44, at + 48}, // the directory
		offset(len(library) + len(function) + 2), offset(len(library) + 1), uint32(0), // function, name, ordinal
	}
	var b []byte
	add := func(values ...any) {
		for _, v := range values {
			b, _ = binary.Append(b, binary.LittleEndian, v) // sizes are fixed
		}
	}
	add([]byte("MZ"), [58]byte{}, uint32(64), []byte("PE\x00\x00"))
	add(uint16(0x8664), uint16(1), [3]uint32{}, uint16(optional), uint16(0x2022)) // a library for amd64
	add(uint16(0x20b), [2]byte{}, [4]uint32{0, page}, uint32(at))
	add(uint64(0x180000000), uint32(0x1000), uint32(page), [6]uint16{6, 0, 0, 0, 6}, [4]uint32{0, 0x2000, page}, uint16(3), uint16(0x160))
	add([4]uint64{1 << 20, 1 << 12, 1 << 20, 1 << 12}, [2]uint32{0, 16}, uint32(at), uint32(52+len(names)), [15]uint64{})
	add([]byte(".edata\x00\x00"), uint32(52+len(names)), uint32(at), uint32(page), uint32(page), [3]uint32{}, uint32(0x40000040))
	b = append(b, make([]byte, page-len(b))...)
	add(exports...)
	b = append(b, names...)
	return append(b, make([]byte, 2*page-len(b))...)
}
