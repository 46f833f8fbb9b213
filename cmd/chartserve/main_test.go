package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"chartserve": main})
}

// patience is how long a test waits for what must come; it is only ever used up
// by a test that fails.
const patience = 15 * time.Second

// TestScript runs the scripts in testdata/script: each calls chartserve as a
// process of its own, the way a person does.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fails":   scriptFails,
			"get":     scriptGet,
			"send":    scriptSend,
			"waitfor": scriptWaitFor,
			"term":    scriptSignal(syscall.SIGTERM),
			"hup":     scriptSignal(syscall.SIGHUP),
			"newkey":  scriptNewKey,
		},
	})
}

// scriptFails is "fails STATUS PROGRAM [ARG...]": an exec that must end with
// exactly that exit status.
func scriptFails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fails STATUS PROGRAM [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	exit := new(exec.ExitError)
	if !errors.As(err, &exit) {
		ts.Fatalf("got %v, want exit status %s", err, args[0])
	}
	if got := strconv.Itoa(exit.ExitCode()); got != args[0] {
		ts.Fatalf("got exit status %s, want %s", got, args[0])
	}
}

// scriptGet is "get FILE PATH [REGEXP]": it asks for the address in FILE plus
// PATH until the answer is 200 and matches REGEXP, and leaves the body as
// stdout. With "!" the answer must be another status, or none.
func scriptGet(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: get FILE PATH [REGEXP]")
	}
	want := regexp.MustCompile("")
	if len(args) == 3 {
		want = regexp.MustCompile("(?m)" + args[2])
	}
	var last error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		body, err := getOnce(ts.MkAbs(args[0]), args[1])
		if neg && err != nil {
			return
		}
		if !neg && err == nil && want.Match(body) {
			_, err := ts.Stdout().Write(body)
			ts.Check(err)
			return
		}
		last = fmt.Errorf("%w\n%s", err, body)
	}
	ts.Fatalf("get %s: at last it was %v", args[1], last)
}

// getOnce asks for the address in a file plus path. The file is read each time:
// a server that starts puts a new one there.
func getOnce(file, path string) ([]byte, error) {
	base, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	resp, err := http.Get(strings.TrimSpace(string(base)) + path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return body, err
}

// scriptSend is "send STATUS METHOD FILE PATH [BODY]": it sends the file BODY to the
// address in FILE plus PATH, and leaves the body of the answer, which must have that
// status, as stdout.
func scriptSend(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 || len(args) > 5 {
		ts.Fatalf("usage: send STATUS METHOD FILE PATH [BODY]")
	}
	var body io.Reader
	if len(args) == 5 {
		body = strings.NewReader(ts.ReadFile(args[4]))
	}
	r, err := http.NewRequest(args[1], strings.TrimSpace(ts.ReadFile(args[2]))+args[3], body)
	ts.Check(err)
	resp, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if got := strconv.Itoa(resp.StatusCode); got != args[0] {
		ts.Fatalf("%s %s: got %s %s, want %s", args[1], args[3], got, answer, args[0])
	}
	_, err = ts.Stdout().Write(answer)
	ts.Check(err)
}

// scriptWaitFor is "waitfor FILE": it returns once FILE is there.
func scriptWaitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfor FILE")
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
	}
	ts.Fatalf("%s did not appear", args[0])
}

// scriptSignal sends a signal to every command in the background.
func scriptSignal(sig os.Signal) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		for _, cmd := range ts.BackgroundCmds() {
			ts.Check(cmd.Process.Signal(sig))
		}
	}
}

// call runs one command line in this process.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// writeChart makes a small chart below dir.
func writeChart(t *testing.T, dir, name, version string) {
	t.Helper()
	writeFile(t, filepath.Join(dir, name, "Chart.yaml"), fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version))
	writeFile(t, filepath.Join(dir, name, "values.yaml"), "a: 1\n")
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
