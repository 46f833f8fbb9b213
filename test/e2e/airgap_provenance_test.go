package e2e

import (
	"path/filepath"
	"testing"
)

// TestAirGapProvenance: what was signed for the upstream still verifies at the site,
// by ours and by each client, and with no other key.
func TestAirGapProvenance(t *testing.T) {
	k, other := newKeys(t, rsa), newKeys(t, rsa)
	signed := t.TempDir()
	sign(t, k, signed)
	site, bundle := filepath.Join(t.TempDir(), "site"), filepath.Join(t.TempDir(), "site.tar")
	host := filepath.Join(t.TempDir(), "host")
	gap(t, 0, "mirror", serve(t, signed, "--repo-path", signed).URL, "--repo-path", host)
	wantWords(t, "create", gap(t, 0, "bundle", "create", "-o", bundle, "--repo-path", host), "1 archive, 1 provenance file")
	gap(t, 0, "bundle", "load", bundle, "--repo-path", site)
	holds(t, site, archives(t, signed))

	verify := []string{"verify", "--offline", "--require-provenance", "--repo-path", site, "--keyring"}
	wantWords(t, "verify", gap(t, 0, append(verify, k.public)...), "ann@example.com")
	wantWords(t, "verify with another key", gap(t, 1, append(verify, other.public)...), "nova-1.0.0.tgz.prov")

	s := serve(t, ".", "--repo-path", site)
	for _, name := range clients() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := helm(t, name)
			h.run(t, ".", "verify", "--keyring", k.public, filepath.Join(site, "nova-1.0.0.tgz"))
			h.run(t, ".", "repo", "add", "ours", s.URL)
			h.pull(t, "ours/nova", "--verify", "--keyring", k.public)
			if r := h.try(t, t.TempDir(), h.fetches(), "ours/nova", "--verify", "--keyring", other.public); r.ok() {
				t.Errorf("--verify is content with another key:\n%s", r.all())
			}
		})
	}
}
