//go:build linux

package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// hosts are the names that pages use for other hosts. Those that are outside for a reader have an address of
// their own, on which a setup may serve what is there.
const hosts = `127.0.0.1 localhost registry.example.com site.example.com ui.example.com
192.0.2.10 charts.site.example
127.0.0.2 charts.example.com old.example.com docker.io index.docker.io registry-1.docker.io quay.io registry.k8s.io
`

// MakeRoot makes the directories and files of a sandbox below root, which is empty, and adds to m what
// is mounted there. programs is a directory whose entries are put before those of the machine.
func MakeRoot(root, programs, tools string, m *Machine) error {
	for _, dir := range []string{"etc", "run", "home", "proc", "usr", "local/bin"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	if err := makeEtc(root); err != nil {
		return err
	}
	m.mount(false, filepath.Join(root, "local"), "/usr/local")
	m.mount(false, "/dev", "/dev")
	m.mount(true, "/etc/alternatives", "/etc/alternatives")
	for _, at := range []string{"/bin", "/sbin", "/lib", "/lib64"} {
		link, err := os.Readlink(at)
		if err == nil {
			err = os.Symlink(link, filepath.Join(root, at))
		} else if _, missing := os.Stat(at); missing == nil {
			m.mount(true, at, at)
			err = nil
		}
		if err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	if err := m.addPrograms(root, programs); err != nil {
		return err
	}
	return os.CopyFS(filepath.Join(root, "local", "bin"), os.DirFS(tools))
}

// makeEtc makes the files of /etc that programs need; those that pages change are copies.
func makeEtc(root string) error {
	for name, text := range map[string]string{
		"hosts":         hosts,
		"passwd":        "root:x:0:0::/root:/bin/bash\n",
		"group":         "root:x:0:\n",
		"nsswitch.conf": "hosts: files\n",
	} {
		if err := os.WriteFile(filepath.Join(root, "etc", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, at := range []string{"/etc/ld.so.cache", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/openssl.cnf"} {
		data, err := os.ReadFile(at)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, at)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, at), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (m *Machine) mount(readOnly bool, dir, at string) {
	m.Mounts = append(m.Mounts, Mount{dir, at, readOnly})
}

// addPrograms puts the programs of a directory into /usr/local/bin.
func (m *Machine) addPrograms(root, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	m.mount(true, dir, "/opt/bin")
	bin := filepath.Join(root, "local", "bin")
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		file, err := filepath.EvalSymlinks(filepath.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("programs: %w", err)
		}
		at := "/opt/bin/" + e.Name()
		if filepath.Dir(file) != dir { // a link to elsewhere
			at = "/opt/linked/" + e.Name()
			m.mount(true, file, at)
		}
		if err := os.Symlink(at, filepath.Join(bin, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
