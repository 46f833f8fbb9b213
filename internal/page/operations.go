package page

import (
	"time"

	"chartserve/internal/repo"
)

// Act is a request that wrote, or that was refused.
type Act struct {
	At time.Time
	// User is empty for who did not log in, or by a name that is not known.
	User string
	// Action is the right that it needed, such as "upload"; Path is of the URL, escaped.
	Action, Path string
	// Chart and Version are what it was about; empty where that is not known.
	Chart, Version string
	Status         int    // of the answer
	Reason         string // why the answer is an error
}

// Journal is what the server remembers of who wrote, and who was refused; newest first.
type Journal struct {
	Writes, Refusals []Act
	// Hidden says that the reader may not see them, LogIn that a login might help.
	Hidden, LogIn bool
}

// operations are how the server does, as its template shows it.
type operations struct {
	Frame
	repo.Status
	problems
	// Some says that the reader may see some charts only, and of the rest nothing but counts.
	Some             bool
	Listed, Replaced repo.Files
	Repositories     []Repository
	Journal          *Journal
}

// Operations is the page of how the repository of v is kept: st is its Status, for whoever
// asks. j is nil where nobody can write and nobody has to log in; some says that the reader
// may see some charts only.
func Operations(f Frame, v *repo.View, st repo.Status, some bool, j *Journal, others ...Repository) Page {
	f.Title, f.Here = "Operations", "operations"
	o := operations{Frame: f, Status: st, problems: f.problems(st, 1000), Some: some, Repositories: others, Journal: j}
	if f.Name != "" {
		o.Title += ": " + f.Name
	}
	o.Listed, o.Replaced = v.Stored()
	return Page{"operations", o}
}
