package main

import (
	"net/http"
	"path/filepath"
	"testing"
)

// TestVerifyPassword verifies a repository that asks for a password.
func TestVerifyPassword(t *testing.T) {
	u := newUpstream(t)
	u.add("nova", "1.0.0", false)
	u.answer(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if user, password, _ := r.BasicAuth(); user == "reader" && password == "s3cret" {
			return false
		}
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	secret := filepath.Join(t.TempDir(), "password")
	writeFile(t, secret, "s3cret\n")
	code, stdout, stderr := call(t, "verify", u.URL, "--username", "reader", "--password-file", secret)
	if code != 0 {
		t.Errorf("exit status %d\nstdout: %s\nstderr: %s", code, stdout, stderr)
	}
	wantText(t, "stdout", stdout, "Verified 1 archive in "+u.URL)
	code, stdout, stderr = call(t, "verify", u.URL)
	if code != 1 {
		t.Errorf("without the password: exit status %d\nstdout: %s", code, stdout)
	}
	wantText(t, "stderr", stderr, "401")
}
