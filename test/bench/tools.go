package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"chartserve/test/bench/report"
)

// tools are the programs that are measured or measure, by the files to run; empty
// where one could not be had.
type tools struct {
	chartserve, helm3, helm2serve string
	nginx, wrk, chartmuseum       string
	registry                      string
	// programs and absent go into the page.
	programs, absent []string
}

// install brings together what there is: Helm from Go's module proxy, nginx and wrk
// from Debian where it is Debian and we may, ChartMuseum when it is on PATH.
func (b *bench) install(ctx context.Context) (tools, error) {
	bin := filepath.Join(b.root, "bin")
	t := tools{
		chartserve: filepath.Join(bin, "chartserve"),
		helm3:      filepath.Join(bin, "helm3"),
		helm2serve: filepath.Join(b.work, "helm2serve"),
	}
	if _, err := os.Stat(t.chartserve); err != nil {
		return t, fmt.Errorf("%w (run make build)", err)
	}
	for _, step := range []struct {
		dir  string
		args []string
	}{
		{b.root, []string{filepath.Join(b.root, "test", "clients.sh")}},
		{filepath.Join(b.root, "test", "bench", "helm2serve"), []string{goCommand(), "build", "-o", t.helm2serve, "."}},
	} {
		if err := b.step(ctx, step.dir, step.args...); err != nil {
			return t, err
		}
	}
	if b.rows["16"] {
		t.registry = b.registry(ctx)
	}
	b.debian(ctx)
	t.nginx, t.wrk, t.chartmuseum = lookup("nginx"), lookup("wrk"), lookup("chartmuseum")
	b.describe(ctx, &t)
	return t, nil
}

// registryModule is distribution's registry.
const registryModule = "github.com/distribution/distribution/v3@v3.1.2"

// registry builds distribution's server, once; empty where that fails: row 16 then says so.
func (b *bench) registry(ctx context.Context) string {
	path, version, _ := strings.Cut(registryModule, "@")
	into := filepath.Join(b.work, "registry-"+version)
	file := filepath.Join(into, "registry")
	if _, err := os.Stat(file); err == nil {
		return file
	}
	b.say("building %s; the first time this takes some minutes", registryModule)
	if err := b.step(ctx, b.root, "env", "GOBIN="+into, goCommand(), "install", path+"/cmd/registry@"+version); err != nil {
		b.say("%v", err)
		return ""
	}
	return file
}

// goCommand is the go that make was told to use.
func goCommand() string {
	if g := os.Getenv("GO"); g != "" {
		return g
	}
	return "go"
}

// step runs a preparing command with the user's own environment.
func (b *bench) step(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, b.log, b.log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// debian installs what is missing of nginx and wrk. Failing is no error: the rows
// that need them then say so. Debian starts a web server that it installs; a
// policy-rc.d that says no (exit 101) keeps it from that, for as long as it takes.
func (b *bench) debian(ctx context.Context) {
	const policy = "/usr/sbin/policy-rc.d"
	if (lookup("nginx") != "" && lookup("wrk") != "") || lookup("apt-get") == "" || os.Getuid() != 0 {
		return
	}
	if f, err := os.OpenFile(policy, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755); err == nil {
		_, _ = f.WriteString("#!/bin/sh\nexit 101\n")
		f.Close()
		defer os.Remove(policy)
	}
	b.say("installing nginx and wrk with apt-get")
	for _, args := range [][]string{{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", "nginx-light", "wrk"}} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.say("apt-get %s: %v: %s", args[0], err, tail(out))
		}
	}
}

// lookup finds a program on PATH, or where Debian keeps an administrator's.
func lookup(name string) string {
	if file, err := exec.LookPath(name); err == nil {
		return file
	}
	if file, err := exec.LookPath(filepath.Join("/usr/sbin", name)); err == nil {
		return file
	}
	return ""
}

// describe fills in what the page says of the programs.
func (b *bench) describe(ctx context.Context, t *tools) {
	ask := func(name string, args ...string) string {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir = b.root
		out, _ := cmd.CombinedOutput() // wrk --version exits 1
		line, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n"))
		return string(line)
	}
	commit := ask("git", "describe", "--always", "--dirty", "--abbrev=12")
	t.programs = []string{
		"chartserve, commit " + commit,
		"Helm 2.17's repository server: " + moduleOf(ask(goCommand(), "list", "-C", filepath.Join("test", "bench", "helm2serve"), "-m", "k8s.io/helm")) + ", its own package, `helm serve` without the client",
		"Helm 3: " + b.stamp("helm3"),
	}
	if t.registry != "" {
		t.programs = append(t.programs, "distribution's registry: "+registryModule)
	}
	for _, p := range []struct{ file, name, version, without string }{
		{t.nginx, "nginx", "-v", "rows 9, 10 and 11 have no line for it"},
		{t.wrk, "wrk", "--version", "rows 9, 10 and 11 could not be measured"},
		{t.chartmuseum, "ChartMuseum", "--version", "no registry has it; it is measured when chartmuseum is on PATH"},
	} {
		if p.file == "" {
			t.absent = append(t.absent, p.name+": "+p.without)
			continue
		}
		line := ask(p.file, p.version)
		line, _, _ = strings.Cut(line, " Copyright")
		line = strings.TrimPrefix(line, "nginx version: ")
		t.programs = append(t.programs, p.name+": "+strings.TrimSpace(strings.TrimPrefix(line, "wrk ")))
	}
}

// stamp is what clients.sh has noted of a client that it built: module and version.
func (b *bench) stamp(client string) string {
	data, _ := os.ReadFile(filepath.Join(b.root, "bin", "."+client+".stamp"))
	return strings.TrimSpace(string(data))
}

func moduleOf(line string) string { return strings.ReplaceAll(line, " ", "@") }

// machine describes what this runs on.
func machine() report.Machine {
	m := report.Machine{CPU: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for sc := bufio.NewScanner(f); sc.Scan(); {
			if key, value, ok := strings.Cut(sc.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	first := func(file string) string {
		data, _ := os.ReadFile(file)
		word, _, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
		return word
	}
	m.Kernel = first("/proc/sys/kernel/osrelease")
	m.Load, _ = strconv.ParseFloat(first("/proc/loadavg"), 64)
	if data, err := os.ReadFile("/proc/meminfo"); err == nil {
		if mb, err := statusLine("\n"+string(data), "MemTotal:"); err == nil {
			m.Memory = mb / 1000
		}
	}
	return m
}
