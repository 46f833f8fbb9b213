package charts

import (
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestTraefik: the two files of examples/traefik agree. Traefik itself is in no package that tests
// could take it from.
func TestTraefik(t *testing.T) {
	var static struct {
		EntryPoints map[string]struct {
			Address string
			HTTP    struct {
				Redirections struct{ EntryPoint struct{ To, Scheme string } }
			}
			Transport struct{ RespondingTimeouts struct{ ReadTimeout string } }
		}
		Providers struct{ File struct{ Filename string } }
	}
	var dynamic struct {
		HTTP struct {
			Routers map[string]struct {
				Rule, Service string
				EntryPoints   []string
				TLS           map[string]any
			}
			Services map[string]struct {
				LoadBalancer struct{ Servers []struct{ URL string } }
			}
		}
		TLS struct {
			Certificates []struct{ CertFile, KeyFile string }
		}
	}
	dir := filepath.Join("..", "..", "examples", "traefik")
	must(t, yaml.UnmarshalStrict([]byte(read(t, dir, "traefik.yaml")), &static))
	must(t, yaml.UnmarshalStrict([]byte(read(t, dir, filepath.Base(static.Providers.File.Filename))), &dynamic))
	for name, r := range dynamic.HTTP.Routers {
		for _, e := range r.EntryPoints {
			if p, ok := static.EntryPoints[e]; !ok || p.Transport.RespondingTimeouts.ReadTimeout != "0s" || r.TLS == nil {
				t.Errorf("%s: entry point %s is %+v", name, e, p)
			}
		}
		if s := dynamic.HTTP.Services[r.Service].LoadBalancer.Servers; len(s) != 1 || s[0].URL != "http://127.0.0.1:8879" {
			t.Errorf("%s: the servers of %s are %v", name, r.Service, s)
		}
	}
	if to := static.EntryPoints["web"].HTTP.Redirections.EntryPoint.To; static.EntryPoints[to].Address != ":443" {
		t.Errorf("HTTP leads to %q", to)
	}
}
