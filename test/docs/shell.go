//go:build linux

package docs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// commandTime is how long a command may take. Other work may share the machine.
const commandTime = 2 * time.Minute

// exchange is where runner and shell meet: commands, their output, a server's ready file.
const exchange = "/run/docs"

// Shell is one session of bash in a sandbox.
type Shell struct {
	root   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	status *os.File // the statuses of commands, a line each
	lines  *bufio.Reader
	noise  string // the file with what bash itself says
	count  int
	server string // the files of the server that runs, without their ends; empty if there is none
}

// result is what a command did: what it printed, and its exit status.
type result struct {
	output string // stdout and stderr; of a server stdout until it was ready
	code   int
	server bool
}

// NewShell starts a session in the directory /root of a sandbox. root becomes its root directory.
func NewShell(root string, m Machine, env []string) (*Shell, error) {
	if err := os.MkdirAll(filepath.Join(root, exchange), 0o755); err != nil {
		return nil, err
	}
	cmd, err := m.command(root, env)
	if err != nil {
		return nil, err
	}
	s := &Shell{root: root, cmd: cmd, noise: filepath.Join(root, exchange, "bash")}
	if s.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	noise, err := os.Create(s.noise)
	if err != nil {
		return nil, err
	}
	defer noise.Close()
	cmd.Stdout, cmd.Stderr = noise, noise
	status, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	cmd.ExtraFiles = []*os.File{w}
	s.status, s.lines = status, bufio.NewReader(status)
	if err := cmd.Start(); err != nil {
		status.Close()
		return nil, fmt.Errorf("no sandbox can be made here (it takes root, or namespaces for ordinary users): %w", err)
	}
	_, err = s.send("set -o pipefail -m")
	return s, err
}

// Close ends the session, and all that it has started: they are in a process namespace whose first
// process bash is.
func (s *Shell) Close() error {
	s.in.Close()
	s.cmd.Process.Kill()
	s.cmd.Wait()
	return s.status.Close()
}

// send has the shell itself run a line, and returns its exit status.
func (s *Shell) send(line string) (int, error) {
	if _, err := fmt.Fprintf(s.in, "%s\necho $? >&3\n", line); err != nil {
		return 0, s.ended(err)
	}
	if err := s.status.SetReadDeadline(time.Now().Add(commandTime)); err != nil {
		return 0, err
	}
	answer, err := s.lines.ReadString('\n')
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, fmt.Errorf("not done after %s (is it a server? then mark it)", commandTime)
	}
	if err != nil {
		return 0, s.ended(err)
	}
	return strconv.Atoi(strings.TrimSpace(answer))
}

// ended is the error for a shell that is not there any more.
func (s *Shell) ended(err error) error {
	said, _ := os.ReadFile(s.noise)
	return fmt.Errorf("the shell has ended (%w): %s", err, said)
}

// write makes the file of the next command, and returns its path without its end, in the sandbox.
func (s *Shell) write(text string) (string, error) {
	s.count++
	path := filepath.Join(exchange, strconv.Itoa(s.count))
	return path, os.WriteFile(filepath.Join(s.root, path+".sh"), []byte(text), 0o644)
}

func (s *Shell) read(path string) string {
	data, err := os.ReadFile(filepath.Join(s.root, path))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// Run runs a command to its end.
func (s *Shell) Run(command string) (result, error) {
	path, err := s.write(command)
	if err != nil {
		return result{}, err
	}
	code, err := s.send(fmt.Sprintf("source %[1]s.sh </dev/null >%[1]s.out 2>&1", path))
	return result{output: s.read(path + ".out"), code: code}, err
}

// Serve starts a server, in place of the one that runs, and returns when it is ready: it serves, or
// has ended with a failure. A server that is not chartserve is ready at once.
func (s *Shell) Serve(command string, ours bool) (result, error) {
	if err := s.Stop(); err != nil {
		return result{}, err
	}
	path, err := s.write(command)
	if err != nil {
		return result{}, err
	}
	start := fmt.Sprintf("CHARTSERVE_READY_FILE=%[1]s.ready source %[1]s.sh </dev/null >%[1]s.out 2>%[1]s.err & docs_server=$!", path)
	if ours {
		start += fmt.Sprintf("\nwhile [ ! -s %s.ready ] && kill -0 $docs_server; do sleep 0.02; done", path)
	}
	start += "\nkill -0 $docs_server"
	code, err := s.send(start)
	if err != nil {
		return result{}, err
	}
	if code != 0 {
		return result{s.read(path+".out") + s.read(path+".err"), code, true}, nil
	}
	s.server = path
	return result{s.read(path + ".out"), 0, true}, nil
}

// Stop ends the server that runs. One that has ended by itself is an error.
func (s *Shell) Stop() error {
	if s.server == "" {
		return nil
	}
	path := s.server
	s.server = ""
	alive, err := s.send("kill -TERM -- -$docs_server")
	if err != nil {
		return err
	}
	if alive != 0 {
		return fmt.Errorf("the server has ended by itself: %s%s", s.read(path+".out"), s.read(path+".err"))
	}
	_, err = s.send("while kill -0 -- -$docs_server; do sleep 0.02; done")
	return err
}
