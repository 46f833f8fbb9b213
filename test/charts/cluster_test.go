package charts

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCluster installs, upgrades and removes the chart where a real API server decides, with the
// definitions of Gateways and ServiceMonitors. There is no node: no pod starts.
func TestCluster(t *testing.T) {
	if os.Getenv("TORTURE") != "long" {
		t.Skip("its API server takes long to build: make torture")
	}
	c := startCluster(t)
	number := 0
	for name, values := range cases() {
		for i, helm := range helms() {
			number++
			namespace := fmt.Sprintf("site-%d", number)
			t.Run(name+" by "+helm, func(t *testing.T) {
				c.create(t, "/api/v1/namespaces", `{"metadata": {"name": "`+namespace+`", "labels": {"pod-security.kubernetes.io/warn": "restricted"}}}`)
				if strings.Contains(values, "nodePort: 30879") { // one for the whole cluster
					values = strings.Replace(values, "30879", fmt.Sprint(30000+number), 1)
				}
				where := []string{"charts", archive(t, "chartserve"), "--namespace=" + namespace, "--kubeconfig=" + c.config, "--values=-"}
				said := does(t, values, helm, append([]string{"install"}, where...)...)
				said += does(t, values, helm, append([]string{"upgrade"}, append(where, "--set=podAnnotations.again=yes,labels.again=yes")...)...)
				said += does(t, values, helms()[1-i], append([]string{"upgrade"}, append(where, "--set=livenessProbe.timeoutSeconds=7")...)...)
				if strings.Contains(strings.ToLower(said), "would violate") != (name == "no security" || name == "more") {
					t.Errorf("what the restricted standard says: %s", said)
				}
				does(t, "", helm, "uninstall", "charts", "--namespace="+namespace, "--kubeconfig="+c.config)
			})
		}
	}
	t.Run("manifests", func(t *testing.T) {
		for _, object := range strings.Split(read(t, "..", "..", "examples", "kubernetes", "chartserve.yaml"), "\n---\n")[1:] {
			c.apply(t, "default", object)
		}
	})
}

// does is run for what has to work.
func does(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	out, err := run(t, stdin, name, args...)
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, args[0], err, out)
	}
	return out
}

// cluster is an API server, and who may do everything there.
type cluster struct {
	url    string
	config string // the file for KUBECONFIG
	client *http.Client
}

const adminToken = "admin-of-a-test"

// startCluster starts etcd and an API server, and tells it of what the chart can make besides
// Kubernetes' own objects.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	dir := t.TempDir()
	_, key := pair(t)
	files := map[string]string{"key": key, "tokens": adminToken + ",admin,admin,system:masters\n"}
	for name, text := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	store, peers, secure := "http://"+freeAddress(t), "http://"+freeAddress(t), freeAddress(t)
	background(t, "etcd", "--data-dir="+filepath.Join(dir, "etcd"), "--listen-client-urls="+store, "--advertise-client-urls="+store,
		"--listen-peer-urls="+peers, "--initial-advertise-peer-urls="+peers, "--initial-cluster=default="+peers, "--unsafe-no-fsync")
	host, port, _ := net.SplitHostPort(secure)
	background(t, "kube-apiserver", "--etcd-servers="+store, "--bind-address="+host, "--secure-port="+port, "--cert-dir="+filepath.Join(dir, "certs"),
		"--service-account-issuer=https://test", "--service-account-key-file="+filepath.Join(dir, "key"), "--service-account-signing-key-file="+filepath.Join(dir, "key"),
		"--service-cluster-ip-range=10.0.0.0/16", "--token-auth-file="+filepath.Join(dir, "tokens"), "--authorization-mode=RBAC")
	c := &cluster{url: "https://" + secure, config: filepath.Join(dir, "kubeconfig")}
	c.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	must(t, os.WriteFile(c.config, []byte(`{"apiVersion": "v1", "kind": "Config", "current-context": "x",
"clusters": [{"name": "x", "cluster": {"server": "`+c.url+`", "insecure-skip-tls-verify": true}}],
"users": [{"name": "x", "user": {"token": "`+adminToken+`"}}], "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]}`), 0o600))
	c.waits(t, "/readyz")
	gateways := module(t, "sigs.k8s.io/gateway-api@v1.5.0")
	monitors := module(t, "github.com/prometheus-operator/prometheus-operator@v0.85.0")
	for _, definition := range []string{
		filepath.Join(gateways, "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"),
		filepath.Join(monitors, "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"),
	} {
		c.create(t, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", read(t, definition))
	}
	c.waits(t, "/apis/gateway.networking.k8s.io/v1/httproutes")
	c.waits(t, "/apis/monitoring.coreos.com/v1/servicemonitors")
	return c
}

// background runs a program until the test ends.
func background(t *testing.T, name string, args ...string) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(binary(t, name), args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s printed, at last:\n%s", name, log.Bytes()[max(0, log.Len()-4000):])
		}
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// module is the folder of a module's files.
func module(t *testing.T, version string) string {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", version).Output()
	must(t, err)
	var m struct{ Dir string }
	must(t, json.Unmarshal(out, &m))
	return m.Dir
}

// ask sends a request, and returns the status and what came back.
func (c *cluster) ask(t *testing.T, method, path, kind, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.url+path, strings.NewReader(body))
	must(t, err)
	req.Header = http.Header{"Authorization": {"Bearer " + adminToken}, "Content-Type": {kind}}
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(answer)
}

// waits waits until a path answers.
func (c *cluster) waits(t *testing.T, path string) {
	t.Helper()
	var status int
	var answer string
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if status, answer = c.ask(t, http.MethodGet, path, "", ""); status == http.StatusOK {
			return
		}
	}
	t.Fatalf("%s: %d %s", path, status, answer)
}

// create makes an object.
func (c *cluster) create(t *testing.T, path, object string) {
	t.Helper()
	if status, answer := c.ask(t, http.MethodPost, path+"?fieldValidation=Strict", "application/yaml", object); status != http.StatusCreated {
		t.Errorf("%s: %d %s", path, status, answer)
	}
}

// apply is kubectl apply --server-side --dry-run=server.
func (c *cluster) apply(t *testing.T, namespace, object string) {
	t.Helper()
	all := decode(t, object)
	path := map[string]string{
		"ConfigMap": "/api/v1/namespaces/%s/configmaps", "Service": "/api/v1/namespaces/%s/services", "ServiceAccount": "/api/v1/namespaces/%s/serviceaccounts",
		"StatefulSet": "/apis/apps/v1/namespaces/%s/statefulsets", "Ingress": "/apis/networking.k8s.io/v1/namespaces/%s/ingresses",
		"NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/%s/networkpolicies",
	}[strings.Fields(kindOf(all[0]))[0]]
	path = fmt.Sprintf(path, namespace) + "/" + all[0].GetName() + "?fieldManager=test&fieldValidation=Strict&dryRun=All"
	if status, answer := c.ask(t, http.MethodPatch, path, "application/apply-patch+yaml", object); status != http.StatusCreated {
		t.Errorf("%s: %d %s", path, status, answer)
	}
}
