package dist

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
)

// TestPluginDocs runs every command of docs/helm-plugin.md, with the Helm of its section, in the
// order of the page.
func TestPluginDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/helm-plugin.md")
	must(t, err)
	sections := map[string][]string{}
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text, -1) {
			sections[title] = append(sections[title], block[1])
		}
	}
	if len(sections) != 3 || strings.Count(string(page), "```") != 2*len(slices.Concat(sections["Helm 3"], sections["Helm 4"], sections["Using it"])) {
		t.Fatalf("the page has blocks that this test does not know: %v", sections)
	}
	for name, section := range map[string]string{"helm3": "Helm 3", "helm4": "Helm 4"} {
		t.Run(name, func(t *testing.T) {
			h := newHelm(t, name)
			version := strings.Split(filepath.Base(archive(t, name)), "_")[0]
			version = strings.TrimPrefix(version, "chartserve-helm-plugin-")
			must(t, os.Symlink(archive(t, name), filepath.Join(h.work, filepath.Base(archive(t, name)))))
			write(t, filepath.Join(h.work, "charts", "nova", "Chart.yaml"), "apiVersion: v2\nname: nova\nversion: 1.0.0\n")
			keyrings(t, h.work, "ann@example.com")
			stop := func() {}
			url := ""
			for _, block := range append(sections[section], sections["Using it"]...) {
				block = strings.NewReplacer("0.1.0", version, "linux_amd64", runtime.GOOS+"_"+runtime.GOARCH, "http://localhost:8879/charts", url).Replace(block)
				if block == "helm serve charts\n" {
					url, stop = h.background(t, block)
					continue
				}
				cmd := exec.Command("bash", "-ec", block)
				cmd.Dir, cmd.Env = h.work, h.environment()
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%s\n%v\n%s", block, err, out)
				}
				if strings.Contains(block, "search") && !bytes.Contains(out, []byte("local/nova")) {
					t.Errorf("the chart is not found: %s", out)
				}
			}
			stop()
			if got := h.plugins(t); len(got) > 0 {
				t.Errorf("in the end there are %v", got)
			}
		})
	}
}

// background runs a command that serves, and returns the address once it does.
func (h *helm) background(t *testing.T, command string) (url string, stop func()) {
	t.Helper()
	cmd := exec.Command("bash", "-c", "exec "+command)
	ready, logs := filepath.Join(h.work, "ready"), new(log)
	cmd.Dir, cmd.Env = h.work, append(h.environment(), "CHARTSERVE_ADDRESS=localhost:0", "CHARTSERVE_READY_FILE="+ready)
	cmd.Stdout, cmd.Stderr = logs, logs
	must(t, cmd.Start())
	eventually(t, "it serves", func() bool {
		data, err := os.ReadFile(ready)
		url = strings.TrimSpace(string(data))
		return err == nil
	})
	return url, func() {
		must(t, cmd.Process.Signal(syscall.SIGINT))
		_ = cmd.Wait() // helm has ended by a signal
		eventually(t, "chartserve ends", func() bool { _, err := os.Stat(ready); return os.IsNotExist(err) })
	}
}

// keyrings makes secring.gpg and pubring.gpg in dir, of one key without a passphrase.
func keyrings(t *testing.T, dir, email string) {
	t.Helper()
	key, err := openpgp.NewEntity("Ann", "", email, nil)
	must(t, err)
	var secret, public bytes.Buffer
	must(t, key.SerializePrivate(&secret, nil))
	must(t, key.Serialize(&public))
	write(t, filepath.Join(dir, "secring.gpg"), secret.String())
	write(t, filepath.Join(dir, "pubring.gpg"), public.String())
}
