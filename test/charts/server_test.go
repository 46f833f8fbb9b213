package charts

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
)

// TestStarted starts what the chart's container starts, with its settings, Secrets and mounts
// where a folder of the test stands for the container's root, and asks it what the probes ask.
func TestStarted(t *testing.T) {
	started := map[string]bool{}
	all := cases()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		values := all[name]
		switch name { // not for chartserve, or of a Secret that only a cluster has
		case "stopped", "secret", "secret of rules":
			continue
		}
		objects := decode(t, render(t, "helm4", "chartserve", "charts", values))
		spec := one[*apps.StatefulSet](t, objects).Spec.Template.Spec
		c := spec.Containers[0]
		config := one[*core.ConfigMap](t, objects)
		if config == nil && started[strings.Join(c.Args, " ")] {
			continue
		}
		started[strings.Join(c.Args, " ")] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, secret := t.TempDir(), one[*core.Secret](t, objects)
			mounts(t, root, secret, config)
			base := start(t, root, c)
			for _, p := range []*core.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
				if !strings.HasPrefix(base, strings.ToLower(string(p.HTTPGet.Scheme))+"://") {
					t.Errorf("the probe asks by %s, the server listens at %s", p.HTTPGet.Scheme, base)
				}
				ask(t, base+p.HTTPGet.Path, http.StatusOK)
			}
			if out, err := run(t, "", "chartserve", tested(t, base, one[*core.Pod](t, objects), one[*core.Service](t, objects))...); err != nil {
				t.Errorf("helm test: %v\n%s", err, out)
			}
			if secret != nil && secret.StringData["htpasswd"] != "" {
				ask(t, strings.Replace(base, "://", "://ann:s3cret@", 1)+"/index.yaml", http.StatusOK)
			}
			want := http.StatusOK
			if secret != nil || slices.ContainsFunc(c.Args, clientCA) {
				want = http.StatusUnauthorized
			}
			if slices.Contains(c.Args, "--anonymous-read") {
				want = http.StatusOK
			}
			ask(t, base+"/index.yaml", want)
		})
	}
}

// tested is what the pod of helm test runs, with base for the address that the Service has.
func tested(t *testing.T, base string, pod *core.Pod, service *core.Service) []string {
	t.Helper()
	_, here, _ := strings.Cut(base, "://")
	at := fmt.Sprintf("--address=%s:%d", service.Name, service.Spec.Ports[0].Port)
	args := slices.Clone(pod.Spec.Containers[0].Args)
	i := slices.Index(args, at)
	if i < 0 {
		t.Fatalf("helm test asks %v, the Service is %s", args, at)
	}
	args[i] = "--address=" + here
	return args
}

func clientCA(arg string) bool { return strings.HasPrefix(arg, "--client-ca=") }

// mounts makes what the container's volumes hold: a chart where git-sync and a volume put
// some, a certificate, and the files of the Secret and the ConfigMap.
func mounts(t *testing.T, root string, secret *core.Secret, config *core.ConfigMap) {
	t.Helper()
	for _, dir := range []string{"git/.worktrees/0123/charts", "git/.worktrees/0123/infra", "srv/charts", "srv/more"} {
		must(t, os.CopyFS(filepath.Join(root, dir, "hello"), os.DirFS(filepath.Join("..", "..", "charts", "hello"))))
	}
	must(t, os.Symlink(".worktrees/0123", filepath.Join(root, "git", "current")))
	certificate, key := pair(t)
	files := map[string]string{"tls/tls.crt": certificate, "tls/tls.key": key, "client-ca/ca.crt": certificate}
	if secret != nil {
		for name, text := range secret.StringData {
			files["access/"+name] = text
		}
	}
	if config != nil {
		for name, text := range config.Data {
			files["config/"+name] = text
		}
	}
	for name, text := range files {
		path := filepath.Join(root, "etc/chartserve", name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(text), 0o600))
	}
}

// start starts the container's program and returns the URL that it is ready at, without a path.
func start(t *testing.T, root string, c core.Container) string {
	t.Helper()
	ready := filepath.Join(root, "ready")
	args := []string{c.Args[0], "--ready-file=" + ready}
	for _, arg := range c.Args[1:] {
		flag, value, ok := strings.Cut(arg, "=")
		switch {
		case ok && strings.HasPrefix(value, "/"):
			arg = flag + "=" + root + value
		case ok && strings.HasPrefix(value, ":"):
			arg = flag + "=localhost:0"
		case strings.HasPrefix(arg, "/"):
			arg = root + arg
		}
		args = append(args, arg)
	}
	cmd := exec.Command(binary(t, "chartserve"), args...)
	// As the image has them; the chart's own have to win.
	cmd.Env = []string{"CHARTSERVE_ADDRESS=:8879", "CHARTSERVE_REPO_PATH=/data", "CHARTSERVE_SOURCE=/charts"}
	for _, e := range c.Env {
		cmd.Env = append(cmd.Env, e.Name+"="+e.Value)
	}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	must(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := <-ended; err != nil {
			t.Errorf("%v: %v\n%s", args, err, &log)
		}
	})
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if data, err := os.ReadFile(ready); err == nil {
			u, err := url.Parse(strings.TrimSpace(string(data)))
			must(t, err)
			return u.Scheme + "://localhost:" + u.Port()
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatal("it ends before it is ready")
		default:
		}
	}
	t.Fatalf("not ready: %v", args)
	return ""
}

// ask expects a status.
func ask(t *testing.T, at string, want int) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	resp, err := client.Get(at)
	must(t, err)
	must(t, resp.Body.Close())
	if resp.StatusCode != want {
		t.Errorf("%s: got %s, want %d", at, resp.Status, want)
	}
}

// pair is a certificate for localhost and its key, in PEM.
func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	return pemOf(t, s.TLS.Certificates[0])
}

// pemOf writes a certificate and its key as PEM.
func pemOf(t *testing.T, c tls.Certificate) (certificate, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	must(t, err)
	certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}))
	return certificate, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
