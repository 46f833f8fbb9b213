package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// child is chartserve as systemd starts it: with the sockets, and told where to say how
// far it is.
func child(t *testing.T, states *net.UnixConn, names string, sockets []*os.File, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "chartserve")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" serve "$@"`, program}, args...)...)
	cmd.Env = append(os.Environ(), fmt.Sprint("LISTEN_FDS=", len(sockets)), "LISTEN_FDNAMES="+names, "NOTIFY_SOCKET="+states.LocalAddr().String())
	cmd.ExtraFiles = sockets
	log := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log)
		}
	})
	return cmd
}

// state is the next one that the service tells.
func state(t *testing.T, states *net.UnixConn) string {
	t.Helper()
	buf := make([]byte, 4<<10)
	_ = states.SetReadDeadline(time.Now().Add(patience))
	n, err := states.Read(buf)
	if err != nil {
		t.Fatalf("nothing is told: %v", err)
	}
	return string(buf[:n])
}

// Sockets that systemd has opened are served, in place of --address; who asked before the
// start is answered after it. The service says when it is ready, reads again, and stops.
func TestUnderSystemd(t *testing.T) {
	dir, ca := t.TempDir(), newAuthority(t)
	writeChart(t, dir, "nova", "1.0.0")
	cert, key := ca.write(t, t.TempDir())
	run := t.TempDir()
	states, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(run, "notify")})
	if err != nil {
		t.Fatal(err)
	}
	defer states.Close()
	var files []*os.File
	var at []string
	for _, network := range []string{"tcp", "unix", "tcp"} {
		address := "127.0.0.1:0"
		if network == "unix" {
			address = filepath.Join(run, "s")
		}
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		f, err := l.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		if u, ok := l.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false)
		}
		l.Close()
		defer f.Close()
		files, at = append(files, f), append(at, l.Addr().String())
	}
	early, err := net.Dial("unix", at[1])
	if err != nil {
		t.Fatal(err)
	}
	defer early.Close()
	_ = early.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(early, "GET /healthz HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	taken := strings.Replace(at[0], "127.0.0.1", "localhost", 1)
	cmd := child(t, states, "https::redirect-http", files, "--address", taken, "--tls-cert", cert, "--tls-key", key, "--repo-path", filepath.Join(run, "repo"), dir)

	if got := state(t, states); !strings.HasPrefix(got, "READY=1\nSTATUS=Serving 1 chart (1 archive) on https://127.0.0.1:") {
		t.Errorf("first it tells %q", got)
	}
	if got, err := io.ReadAll(early); !strings.HasPrefix(string(got), "HTTP/1.0 200") {
		t.Errorf("who came early got %q, %v", got, err)
	}
	wantStatus(t, ca.client(t), "https://"+at[0]+"/charts/nova-1.0.0.tgz", http.StatusOK)
	wantStatus(t, onSocket(t, at[1]), "http://localhost/charts/nova-1.0.0.tgz", http.StatusOK)
	wantStatus(t, ca.client(t), "http://"+at[2]+"/charts/nova-1.0.0.tgz", http.StatusPermanentRedirect)

	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if got := state(t, states); !strings.HasPrefix(got, "RELOADING=1\nMONOTONIC_USEC=") {
		t.Errorf("at SIGHUP it tells %q", got)
	}
	if got := state(t, states); got != "READY=1" {
		t.Errorf("then it tells %q", got)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := state(t, states); got != "STOPPING=1" {
		t.Errorf("at the end it tells %q", got)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if _, err := os.Lstat(at[1]); err != nil {
		t.Errorf("systemd's socket was removed: %v", err)
	}
}

// What is passed on and no server can listen on is an error that says so.
func TestPassedOnIsNoSocket(t *testing.T) {
	states, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify")})
	if err != nil {
		t.Fatal(err)
	}
	defer states.Close()
	file, err := states.File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := child(t, states, "odd", []*os.File{file}, "--repo-path", t.TempDir())
	err = cmd.Wait()
	if got := fmt.Sprint(cmd.Stderr); cmd.ProcessState.ExitCode() != exitFailure || !strings.Contains(got, "the socket odd that the service manager passed on") || !strings.Contains(got, "ListenStream=") {
		t.Errorf("%v: %s", err, got)
	}
}
