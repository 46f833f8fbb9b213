package docs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Mark is what the comment before a block says of it.
type Mark struct {
	File   string // where the block is written to; empty if it is not
	Setup  string // the setup that is sourced before the block
	No     string // why the block is not run; empty if it is
	Exit   int    // the status that its last command ends with
	Prints bool   // the block is output of the block before it
	Log    bool   // the block is what the server says on stderr, among other lines
	Stop   bool   // the server that runs is stopped first
	Server bool   // its last command is a server
}

// Reasons are why a block may not be run. A command that only takes long or needs files is none of them.
func Reasons() []string {
	return []string{"needs a cluster", "needs a container engine", "another operating system", "hosts outside", "root of a machine"}
}

// parseMark reads the text after "run:". Several settings have a semicolon between them.
func parseMark(text string) (m Mark, err error) {
	for setting := range strings.SplitSeq(text, ";") {
		word, value, _ := strings.Cut(strings.TrimSpace(setting), " ")
		value = strings.TrimSpace(value)
		switch {
		case word == "file" && value != "":
			m.File = value
		case word == "setup" && value != "":
			m.Setup = value
		case word == "no," && slices.Contains(Reasons(), value):
			m.No = value
		case word == "exit":
			if m.Exit, err = strconv.Atoi(value); err != nil || m.Exit < 1 || m.Exit > 125 {
				return m, fmt.Errorf("exit %q is no status (1 to 125)", value)
			}
		case word == "prints" && value == "":
			m.Prints = true
		case word == "log" && value == "":
			m.Log = true
		case word == "stop" && value == "":
			m.Stop = true
		case word == "server" && value == "":
			m.Server = true
		default:
			return m, fmt.Errorf("%q is no mark (file NAME, setup NAME, exit N, prints, log, stop, server, or no, and one of: %s)",
				strings.TrimSpace(setting), strings.Join(Reasons(), "; "))
		}
	}
	return m, nil
}
