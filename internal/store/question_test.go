package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A question goes to the owner of the folder, now or later, and the answer back to who
// asked.
func TestQuestion(t *testing.T) {
	folder := t.TempDir()
	must(t, Ask(folder, Question{"1", []byte("what\nis")}))
	if err := Ask(folder, Question{"2", nil}); !errors.Is(err, ErrAsking) {
		t.Errorf("a second question: %v, want ErrAsking", err)
	}
	must(t, Withdraw(folder, "2")) // is not there
	s := openStore(t, folder, Options{})
	if _, err := s.List(".", func(string) {}); err != nil { // removes what killed ones left
		t.Fatal(err)
	}
	q, err := s.Question()
	must(t, err)
	if q == nil || q.ID != "1" || string(q.Text) != "what\nis" {
		t.Fatalf("question: %+v", q)
	}
	if text, err := Answered(folder, "1"); text != nil || err != nil {
		t.Errorf("before the answer: %q, %v", text, err)
	}
	must(t, s.Answer("1", []byte("that")))
	for _, want := range []string{"that", ""} { // once
		text, err := Answered(folder, "1")
		must(t, err)
		if string(text) != want {
			t.Errorf("answer %q, want %q", text, want)
		}
	}
	if q, err := s.Question(); q != nil || err != nil {
		t.Errorf("after the answer: %+v, %v", q, err)
	}
	must(t, Ask(folder, Question{"3", nil}))
	must(t, Withdraw(folder, "3"))
	if q, err := s.Question(); q != nil || err != nil {
		t.Errorf("withdrawn: %+v, %v", q, err)
	}
	if got, want := listed(t, folder), []string{lockName}; !slices.Equal(got, want) {
		t.Errorf("left are %v, want %v", got, want)
	}
}

// An answer that nobody reads goes with the next owner, and what is no question at all
// goes at once: a checkout may have brought a link along.
func TestQuestionsLeaveNothing(t *testing.T) {
	folder, away := t.TempDir(), t.TempDir()
	secret := filepath.Join(away, "secret")
	must(t, os.WriteFile(secret, []byte("1\nsecret"), 0o644))
	s := openStore(t, folder, Options{})
	must(t, s.Answer("1", nil))
	must(t, s.Close())
	must(t, os.Symlink(secret, filepath.Join(folder, questionName)))
	s = openStore(t, folder, Options{})
	if q, err := s.Question(); q != nil || err == nil {
		t.Errorf("through a link: %+v, %v", q, err)
	}
	if q, err := s.Question(); q != nil || err != nil {
		t.Errorf("the link is still there: %+v, %v", q, err)
	}
	must(t, Ask(folder, Question{"../../x", nil}))
	if err := s.Answer("../../x", nil); err == nil {
		t.Error("an ID that leads out of the folder was answered")
	}
	if _, err := s.List(".", func(string) {}); err != nil {
		t.Fatal(err)
	}
	if got, want := listed(t, folder), []string{lockName}; !slices.Equal(got, want) {
		t.Errorf("left are %v, want %v", got, want)
	}
}
