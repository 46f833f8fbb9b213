package docs

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// one is a command of a block, with what the page shows of its output.
type one struct {
	text  string
	shows *string // nil if the page shows nothing
}

// split returns the commands of a block: of a list each statement, of a session the lines behind
// "$ ", with the lines that end in a backslash joined to the next.
func (s Step) split() ([]one, error) {
	if s.Kind == Session {
		return session(s.Text), nil
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(s.Text), "")
	if err != nil {
		return nil, fmt.Errorf("not a list of commands: %w", err)
	}
	var commands []one
	for i, stmt := range file.Stmts {
		end := uint(len(s.Text)) // what is between two statements, such as a here-document, belongs to the first
		if i+1 < len(file.Stmts) {
			end = file.Stmts[i+1].Pos().Offset()
		}
		commands = append(commands, one{text: strings.TrimSpace(s.Text[stmt.Pos().Offset():end]) + "\n"})
	}
	return commands, nil
}

func session(text string) (commands []one) {
	continued := false
	for line := range strings.Lines(text) {
		command, isCommand := strings.CutPrefix(line, "$ ")
		last := len(commands) - 1
		switch {
		case continued:
			commands[last].text += line
		case isCommand:
			shows := ""
			commands = append(commands, one{command, &shows})
		default:
			*commands[last].shows += line
		}
		continued = strings.HasSuffix(line, "\\\n") && (continued || isCommand)
	}
	return commands
}

// words are the first words of the last statement in a command, without assignments and sudo.
func words(command string) []string {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(command), "")
	if err != nil || len(file.Stmts) == 0 {
		return nil
	}
	call, isCall := file.Stmts[len(file.Stmts)-1].Cmd.(*syntax.CallExpr)
	if !isCall {
		return nil
	}
	var words []string
	for _, word := range call.Args {
		words = append(words, word.Lit())
	}
	if len(words) > 0 && words[0] == "sudo" {
		return words[1:]
	}
	return words
}

// serves reports whether a command is a server that stays in the foreground; subcommands are those of
// chartserve, of which a word that is none is a SOURCE.
func serves(command string, subcommands []string) bool {
	switch w := words(command); {
	case len(w) == 0, slices.Contains(w, "--help"), slices.Contains(w, "--version"):
		return false
	case w[0] == "make", strings.HasPrefix(w[0], "helm"):
		return len(w) > 1 && w[1] == "serve"
	case w[0] != "chartserve":
		return false
	default:
		return len(w) == 1 || w[1] == "serve" || !slices.Contains(subcommands, w[1])
	}
}

// long returns a command that makes a target that takes minutes as one that only looks whether it is there, and
// any other command as it is.
func long(command string) string {
	targets := []string{"test", "e2e", "check", "bench", "bench-go", "torture", "dist", "docs", "fuzz", "race", "screenshots"}
	w := words(command)
	if len(w) < 2 || w[0] != "make" || !slices.Contains(targets, w[1]) {
		return command
	}
	return strings.Replace(command, "make ", "make -n >/dev/null ", 1)
}
