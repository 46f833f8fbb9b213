//go:build linux

package dist

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestProcessors: the programs for other processors make the same archives and the same index,
// on a big-endian one and one of 32 bits too. Where there is no time, one of them does.
func TestProcessors(t *testing.T) {
	want := archives(t, samples(t), filepath.Join(t.TempDir(), "repo"), program(t))
	for processor, qemu := range map[string]string{"arm64": "aarch64", "arm": "arm", "ppc64le": "ppc64le", "s390x": "s390x"} {
		if processor == runtime.GOARCH || processor != "arm64" && !long() {
			continue
		}
		t.Run(processor, func(t *testing.T) {
			other := made(t, "binaries", filepath.Join("build", "linux_"+processor, "chartserve"))
			emulator := tool(t, "qemu-"+qemu+"-static")
			if version := output(t, emulator, other, "version"); !strings.Contains(version, "linux/"+processor+")") {
				t.Errorf("version: %s", version)
			}
			charts := samples(t)
			if processor == "s390x" {
				charts = wholeSeconds(t, charts)
			}
			same(t, archives(t, charts, filepath.Join(t.TempDir(), "repo"), emulator, other), want)
		})
	}
}

// wholeSeconds copies a folder to a file system whose times have no fractions: qemu for s390x
// keeps those of an open file to itself, so that each file looks as if it had changed.
func wholeSeconds(t *testing.T, dir string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting needs root")
	}
	image, at := filepath.Join(t.TempDir(), "image"), t.TempDir()
	for _, args := range [][]string{{"mke2fs", "-q", "-t", "ext2", "-I", "128", "-d", dir, image, "4M"}, {"mount", "-o", "loop", image, at}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%q: %v\n%s", args, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", at).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
	return at
}
