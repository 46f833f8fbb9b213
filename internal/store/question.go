package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Names of questions and answers in the folder.
const (
	questionName = ".question"
	answerPrefix = tempPrefix + "answer-" // the next owner removes what nobody has read
)

// maxQuestion bounds a question, in bytes.
const maxQuestion = 1 << 20

// ErrAsking is returned while another process waits for an answer.
var ErrAsking = errors.New("another chartserve waits for an answer of the one that runs there (try again)")

// Question is what a process that does not own the folder wants of the owner.
type Question struct {
	ID   string // tells the answers apart
	Text []byte
}

// Ask puts a question to the owner of the repository folder at path, which may take it up
// from now on. There is one at a time; the error is ErrAsking while another is there. The
// folder must be there.
func Ask(path string, q Question) error {
	s, err := OpenReadOnly(path, Options{})
	if err != nil {
		return err
	}
	defer s.root.Close()
	t, err := s.Stage(func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s\n%s", q.ID, q.Text)
		return err
	})
	if err != nil {
		return err
	}
	defer t.Discard()
	err = s.disk.Link(t.name, questionName)
	if errors.Is(err, fs.ErrExist) {
		err = ErrAsking
	}
	if err != nil {
		return fmt.Errorf("repository folder %q: %w", path, err)
	}
	return nil
}

// Answered returns the answer to the question with that ID, once; nil: there is none yet.
func Answered(path, id string) ([]byte, error) {
	name := filepath.Join(path, answerPrefix+id)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return text, os.Remove(name)
}

// Withdraw takes back the question with that ID, unless it was answered.
func Withdraw(path, id string) error {
	s, err := OpenReadOnly(path, Options{})
	if err != nil {
		return err
	}
	defer s.root.Close()
	if q, err := s.Question(); err != nil || q == nil || q.ID != id {
		return err
	}
	return s.disk.Remove(questionName)
}

// Question returns the question that waits for an answer; nil: there is none. It stays
// until Answer.
func (s *Store) Question() (*Question, error) {
	text, err := s.ReadFile(questionName, maxQuestion)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if errors.Is(err, ErrNotRegular) {
		err = errors.Join(err, s.removeAll(questionName)) // nobody asks so
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", questionName, err)
	}
	id, rest, _ := bytes.Cut(text, []byte("\n"))
	return &Question{string(id), rest}, nil
}

// Answer answers the question with that ID, and takes it away. Whoever is killed before
// it returns is asked again.
func (s *Store) Answer(id string, text []byte) error {
	var err error
	if filepath.Base(id) != id {
		err = fmt.Errorf("%s: %q is no ID", questionName, id)
	} else if _, err := s.WriteFile(answerPrefix+id, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	}); err != nil {
		return err
	}
	if gone := s.disk.Remove(questionName); !errors.Is(gone, fs.ErrNotExist) { // it may have been withdrawn
		err = errors.Join(err, gone)
	}
	return err
}
