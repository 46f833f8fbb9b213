package httpapi

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"chartserve/internal/page"
	"chartserve/internal/repo"
)

const (
	// maxActs bounds the requests of each kind that the journal keeps of all repositories.
	// They are two lists, so that who is refused a thousand times hides no upload.
	maxActs = 50
	// maxActText bounds their texts, in bytes.
	maxActText = 500
)

// journal remembers the last requests that wrote, and those that were refused. The zero value
// is empty; all methods may be called at once.
type journal struct {
	mu               sync.Mutex
	writes, refusals []act // newest first
}

// act is one in a repository.
type act struct {
	page.Act
	repository string
}

func (j *journal) add(repository string, made page.Act, refused bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := &j.writes
	if refused {
		list = &j.refusals
	}
	*list = slices.Insert((*list)[:min(len(*list), maxActs-1)], 0, act{made, repository})
}

// of returns what happened in a repository.
func (j *journal) of(repository string) *page.Journal {
	j.mu.Lock()
	defer j.mu.Unlock()
	in := func(all []act) (acts []page.Act) {
		for _, a := range all {
			if a.repository == repository {
				acts = append(acts, a.Act)
			}
		}
		return acts
	}
	return &page.Journal{Writes: in(j.writes), Refusals: in(j.refusals)}
}

// actOf is a request for the journal. Where nobody has to log in everybody sees it: then the
// reason is the one that the client was told.
func (a *api) actOf(r *http.Request, v *visit, status int) page.Act {
	made := page.Act{
		At: time.Now(), User: v.Name, Action: string(needed(r)), Path: brief(r.URL.EscapedPath()),
		Chart: brief(v.chart), Version: brief(v.version), Status: status,
	}
	if v.reason != nil {
		_, made.Reason, _ = answer(v.reason)
		if a.options.Access != nil {
			made.Reason = v.reason.Error()
		}
		made.Reason = brief(made.Reason)
	}
	return made
}

func brief(text string) string { return text[:min(len(text), maxActText)] }

// journalFor is what who makes a request may see of the journal; nil: nothing is written
// there.
func (a *api) journalFor(r *http.Request) *page.Journal {
	if a.options.Access == nil && a.options.Uploads.Publisher == nil {
		return nil
	}
	at, v := a.at(r), visitOf(r)
	if a.options.Access == nil {
		return a.journal.of(at.name)
	}
	if _, all := v.Readable(at.name); !all || v.Name == "" { // it names users and charts
		return &page.Journal{Hidden: true, LogIn: v.Name == ""}
	}
	return a.journal.of(at.name)
}

// operations answers with how the repository is kept. A browser asks for a name and a
// password only when it is refused, which ?login does where reading needs none.
func (a *api) operations(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	if a.options.Access != nil && r.URL.Query().Has("login") && visitOf(r).Name == "" {
		return errUnauthorized
	}
	some := a.faceOf(r).subset != nil
	return a.sendPage(w, r, page.Operations(a.frame(r, v), v, a.statusOf(r, v), some, a.journalFor(r), a.others(r)...), "")
}
