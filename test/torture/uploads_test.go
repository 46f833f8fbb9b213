//go:build linux

package torture

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestUploadsAtOnce: 200 clients at once all get their answer, and nothing is lost.
func TestUploadsAtOnce(t *testing.T) {
	s := serve(t, filepath.Join(t.TempDir(), "repo"), "--allow-upload")
	want := map[string]upload{}
	var mu sync.Mutex
	var clients sync.WaitGroup
	for i := range 200 {
		c, u := newClient(t), newUpload(t, fmt.Sprintf("c%d", i%10), fmt.Sprintf("1.%d.0", i), i, 5000, i%2 == 0)
		clients.Go(func() {
			code, err := u.post(c, s.url, "")
			if err != nil || code != http.StatusCreated {
				t.Errorf("%s: status %d, %v", u.file(), code, err)
			}
			mu.Lock()
			defer mu.Unlock()
			want[u.file()] = u
		})
	}
	clients.Wait()
	if err := onlyUploads(s, want); err != nil {
		t.Error(err)
	}
}

// begin sends the head of a raw upload of size bytes, and the first bytes of its body.
func begin(t *testing.T, s *server, size int, body []byte) net.Conn {
	t.Helper()
	c := s.dial(t)
	_, err := fmt.Fprintf(c, "POST /api/charts HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", size)
	must(t, err)
	_, err = c.Write(body)
	must(t, err)
	return c
}

// TestCutUploads: of an upload that is cut off anywhere nothing is left.
func TestCutUploads(t *testing.T) {
	s := serve(t, filepath.Join(t.TempDir(), "repo"), "--allow-upload")
	random := newRandom(t)
	u := newUpload(t, "cut", "1.0.0", 1, 300_000, false)
	for range pick(50, 1000) {
		c := begin(t, s, len(u.archive), u.archive[:random.IntN(len(u.archive))])
		time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond)
		c.Close()
	}
	until(t, settleTime, func() error { return onlyUploads(s, nil) })
	if code, err := u.post(newClient(t), s.url, ""); err != nil || code != http.StatusCreated {
		t.Errorf("the whole upload: status %d, %v", code, err)
	}
}

// TestUploadsAreBounded: clients that stop in the midst of their uploads have no more than
// 128 files in the folder; who comes later waits, and those that read notice nothing.
func TestUploadsAreBounded(t *testing.T) {
	const most, clients = 128, 160
	s := serve(t, filepath.Join(t.TempDir(), "repo"), "--allow-upload")
	u := newUpload(t, "slow", "1.0.0", 1, 100_000, false)
	conns := make([]net.Conn, clients)
	for i := range conns {
		conns[i] = begin(t, s, len(u.archive), u.archive[:80_000])
	}
	staged := func() int {
		left, err := filepath.Glob(filepath.Join(s.repo, ".tmp-*"))
		must(t, err)
		return len(left)
	}
	until(t, settleTime, func() error {
		if n := staged(); n < most {
			return fmt.Errorf("%d uploads are under way", n)
		}
		return nil
	})
	time.Sleep(200 * time.Millisecond)
	if n := staged(); n != most {
		t.Errorf("%d uploads are under way, want %d", n, most)
	}
	if code, _ := s.get("index.yaml"); code != http.StatusOK {
		t.Errorf("the index answers %d", code)
	}
	for _, c := range conns {
		c.Close()
	}
	until(t, settleTime, func() error { return onlyUploads(s, nil) })
}

// TestUploadToFullDisk: the answer is 507, nothing is left, and what was there is served.
func TestUploadToFullDisk(t *testing.T) {
	mount := disk(t, "4m")
	repo, junk, c := filepath.Join(mount, "repo"), filepath.Join(mount, "junk"), newClient(t)
	s := serve(t, repo, "--allow-upload")
	first, large := newUpload(t, "first", "1.0.0", 1, 1000, true), newUpload(t, "large", "1.0.0", 2, 300_000, true)
	if code, err := first.post(c, s.url, ""); err != nil || code != http.StatusCreated {
		t.Fatalf("status %d, %v", code, err)
	}
	fill(t, junk)
	if code, err := large.post(c, s.url, ""); err != nil || code != http.StatusInsufficientStorage {
		t.Errorf("status %d, %v, want 507", code, err)
	}
	if err := onlyUploads(s, map[string]upload{first.file(): first}); err != nil {
		t.Error(err)
	}
	must(t, os.Remove(junk))
	if code, err := large.post(c, s.url, ""); err != nil || code != http.StatusCreated {
		t.Errorf("with room again: status %d, %v", code, err)
	}
	if err := onlyUploads(s, map[string]upload{first.file(): first, large.file(): large}); err != nil {
		t.Error(err)
	}
}

// TestUploadMemory: uploads of the largest size, one after the other and 16 at once, leave
// the server's memory as it is.
func TestUploadMemory(t *testing.T) {
	const size, most = 19 << 20, 100 // MiB
	s := serve(t, filepath.Join(t.TempDir(), "repo"), "--allow-upload", "--max-file-size", "20MiB")
	u := newUpload(t, "large", "1.0.0", 1, size, false)
	s.collect()
	s.resetPeak()
	before := s.resident()
	for _, at := range []int{1, 4, 16} {
		var clients sync.WaitGroup
		for range at {
			c := newClient(t)
			clients.Go(func() {
				if code, err := exchange(c, http.MethodPost, s.url+"/api/charts", "", u.archive); err != nil || code/100 != 2 {
					t.Errorf("status %d, %v", code, err)
				}
			})
		}
		clients.Wait()
		t.Logf("%d at once: %d MiB at the most, %d before", at, s.peak(), before)
		if grown := s.peak() - before; grown > most {
			t.Errorf("%d uploads of 19 MiB at once: %d MiB more, want at most %d", at, grown, most)
		}
	}
}

// TestUploadFaults: whatever the disk does not do, the answer to an upload is an error of
// the server and nothing half is there; once it does, the same upload is taken.
func TestUploadFaults(t *testing.T) {
	for op := range map[string]bool{"create": true, "write": true, "fsync": true, "rename": true} {
		t.Run(op, func(t *testing.T) {
			f := mountFaults(t)
			s, c := serve(t, filepath.Join(f.dir, "repo"), "--allow-upload"), newClient(t)
			first, next := newUpload(t, "first", "1.0.0", 1, 1000, true), newUpload(t, "next", "1.0.0", 2, 100_000, true)
			if code, err := first.post(c, s.url, ""); err != nil || code != http.StatusCreated {
				t.Fatalf("status %d, %v", code, err)
			}
			f.fail(&fault{op: op, errno: 5}) // EIO
			if code, err := next.post(c, s.url, ""); err != nil || code < 500 {
				t.Errorf("status %d, %v, want 5xx", code, err)
			}
			if code, body := s.get(first.file()); code != http.StatusOK || digest(body) != digest(first.archive) {
				t.Errorf("%s answers %d", first.file(), code)
			}
			if _, listed := s.index()["next-1.0.0"]; listed {
				t.Error("what was refused is listed")
			}
			f.mend()
			until(t, settleTime, func() error {
				if code, err := next.post(c, s.url, ""); err != nil || code/100 != 2 {
					return fmt.Errorf("status %d, %v", code, err)
				}
				if p := s.status().Problem; p != "" {
					return errors.New(p)
				}
				return onlyUploads(s, map[string]upload{first.file(): first, next.file(): next})
			})
		})
	}
}
