package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// environment is the same for every program: its own home, nothing of the user's.
func (b *bench) environment() []string {
	home := filepath.Join(b.temp, "home")
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + home,
		"TMPDIR=" + b.temp,
		"HELM_CACHE_HOME=" + filepath.Join(home, "cache"),
		"HELM_CONFIG_HOME=" + filepath.Join(home, "config"),
		"HELM_DATA_HOME=" + filepath.Join(home, "data"),
		"HELM_HOME=" + filepath.Join(home, "helm2"),
	}
}

// run runs a command to its end and returns the seconds that it took.
func (b *bench) run(ctx context.Context, name string, args ...string) (float64, error) {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.Dir = b.environment(), &out, &out, b.temp
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began).Seconds()
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, tail(out.Bytes()))
	}
	return took, nil
}

// usage is the seconds of one command, and its peak memory in megabytes.
type usage struct{ Seconds, Megabytes float64 }

// weigh is run, with the peak memory too. It goes through a small process of our
// own (execChild): Linux begins a child's peak at its parent's.
func (b *bench) weigh(ctx context.Context, name string, args ...string) (u usage, err error) {
	self, err := os.Executable()
	if err != nil {
		return usage{}, err
	}
	result := filepath.Join(b.temp, "usage.json")
	if _, err := b.run(ctx, self, append([]string{"exec", result, name}, args...)...); err != nil {
		return usage{}, err
	}
	data, err := os.ReadFile(result)
	if err != nil {
		return usage{}, err
	}
	return u, json.Unmarshal(data, &u)
}

// execChild is this program as that small process: it runs command and writes its
// usage to file.
func execChild(file string, command []string) int {
	if len(command) == 0 {
		return 2
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	u := usage{Seconds: time.Since(began).Seconds()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.Megabytes = float64(r.Maxrss) * 1024 / 1e6
	}
	data, err := json.Marshal(u)
	if err != nil {
		return 1
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return 1
	}
	return 0
}

// server is a running program that answers at url.
type server struct {
	name string
	url  string
	// archives is the URL of the folder that the archives are in.
	archives string
	cmd      *exec.Cmd
	// log is the file that the program prints into.
	log  string
	done chan struct{}
}

// start starts a server; the caller stops it.
func (b *bench) start(ctx context.Context, name string, args ...string) (*server, error) {
	log, err := os.CreateTemp(b.temp, filepath.Base(name)+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close() // the program has its own handle
	s := &server{name: filepath.Base(name), log: log.Name(), done: make(chan struct{})}
	s.cmd = exec.CommandContext(ctx, name, args...)
	s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr, s.cmd.Dir = b.environment(), log, log, b.temp
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.done)
	}()
	return s, nil
}

// stop ends the server as an administrator would, waits for its end, and removes
// its log.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(15 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	os.Remove(s.log)
}

// until calls ready at short intervals until it says so, for at most a few minutes.
func (s *server) until(ctx context.Context, every time.Duration, ready func() bool) error {
	deadline := time.Now().Add(5 * time.Minute)
	for !ready() {
		select {
		case <-s.done:
			out, _ := os.ReadFile(s.log)
			return fmt.Errorf("%s ended:\n%s", s.name, tail(out))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(every):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready after minutes", s.name)
		}
	}
	return nil
}

// memory is what the server holds and the most that it held, in megabytes.
func (s *server) memory() (resident, peak float64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	resident, err1 := statusLine(string(data), "VmRSS:")
	peak, err2 := statusLine(string(data), "VmHWM:")
	return resident, peak, errors.Join(err1, err2)
}

// statusLine is a value of /proc/PID/status, in megabytes.
func statusLine(status, key string) (float64, error) {
	_, rest, ok := strings.Cut(status, "\n"+key)
	fields := strings.Fields(rest)
	if !ok || len(fields) == 0 {
		return 0, fmt.Errorf("no %s in the process's status", key)
	}
	kb, err := strconv.ParseFloat(fields[0], 64)
	return kb * 1024 / 1e6, err
}

// tail is the end of what a program has printed, for an error.
func tail(out []byte) []byte {
	const most = 2000
	return bytes.TrimSpace(out[max(0, len(out)-most):])
}
