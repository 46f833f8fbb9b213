package repo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync"
	"syscall"

	"chartserve/internal/store"
)

// pass brings the repository up to date with mail. Bad charts are no error: they are in
// the Status. An error is of the repository folder itself, or that of ctx.
func (r *Repository) pass(ctx context.Context, m mail) (err error) {
	defer func() { r.store.Tidy() }() // after the answer; reopen may change the store
	defer func() {
		if err != nil && ctx.Err() != nil {
			m.answer(ErrStopped)
		} else {
			m.answer(err)
		}
	}()
	defer r.passing(ctx, m.since, &err)()
	r.begun = r.opts.Now()
	r.tally.reset()
	_ = r.short.met()
	if err := r.reopen(); err != nil {
		return r.trouble(err)
	}
	if m.asked == nil {
		m.asked = r.question()
	}
	w, delivery, err := r.survey(m)
	if err != nil {
		r.phase = min(r.phase, uncertain) // what m named was not looked at
		return r.trouble(err)
	}
	if w == nil {
		return nil
	}
	// Until the end of the pass the next one has to look at everything. Where ctx ends,
	// what was looked at is still known, and saved.
	r.phase = uncertain
	if err := r.examine(ctx, w); err != nil {
		return err
	}
	nodes, err := r.graph.all(ctx)
	if err != nil {
		return err
	}
	m = r.receive(m)
	p := r.planner.plan(nodes, r.dirty, m.uploads)
	if err := r.maker.all(ctx, p.jobs); err != nil {
		p.discard()
		return err
	}
	again, err := r.publish(p, m, w.all)
	if err == nil && delivery != nil && r.isJudged(delivery) {
		err = delivery.Done()
	}
	if err != nil {
		return r.trouble(err)
	}
	r.phase = settled
	if again {
		r.phase = changed
	}
	r.finish(p, nodes, r.because(m, delivery != nil))
	return r.answer(m.asked)
}

// examine looks at what there is, and asks who vouches for it.
func (r *Repository) examine(ctx context.Context, w *work) error {
	if err := r.look(ctx, w); err != nil {
		return err
	}
	if err := r.vouch(ctx); err != nil {
		return err
	}
	if err := r.short.met(); err != nil {
		return r.trouble(err)
	}
	return nil
}

// work is what a pass has to look at.
type work struct {
	charts   []*chartDir
	archives []*archive // of the SOURCEs and of the repository folder
	others   []string   // other files of the folder
	// forgot says that something is known to be gone without a look.
	forgot bool
	// all says that everything is looked at.
	all bool
}

func (w *work) empty() bool {
	return len(w.charts)+len(w.archives)+len(w.others) == 0 && !w.forgot
}

// survey takes in what was delivered, and turns mail into work; nil: there is nothing
// to do.
func (r *Repository) survey(m mail) (*work, *store.Received, error) {
	all := m.change.Rescan || r.phase < settled
	r.judge.structure = r.serving && r.View().Index == nil
	r.hear(m.verdicts)
	var files []store.Found
	var err error
	if r.phase == unknown {
		if files, err = r.recall(); err != nil {
			return nil, nil, err
		}
	}
	if err := r.store.LoadReplaced(); err != nil {
		return nil, nil, err
	}
	delivery, err := r.store.Receive()
	if err != nil {
		return nil, nil, err
	}
	paths := m.change.Paths
	if delivery != nil {
		files = nil // there are more now
		if paths, err = r.takeIn(delivery, paths); err != nil {
			return nil, nil, err
		}
	}
	w := &work{all: all}
	if !all {
		busy := r.lookAtPaths(w, paths) || !w.empty() || m.replan || len(m.uploads)+len(m.removals) > 0 || delivery != nil || m.asked != nil
		if !busy && len(r.dirty)+len(r.planner.unfinished)+len(r.planner.bad) == 0 {
			return nil, nil, nil
		}
		return w, delivery, nil
	}
	if files == nil {
		if files, err = r.store.List(".", r.charts.onDir); err != nil {
			return nil, nil, err
		}
	}
	r.lookAtSources(w, true)
	r.folder.listAll(w, files)
	return w, delivery, nil
}

// recall reads the state of the last run while the repository folder is listed.
func (r *Repository) recall() ([]store.Found, error) {
	var reading sync.WaitGroup
	var unread error
	reading.Go(func() { unread = r.loadState() })
	files, err := r.store.List(".", r.charts.onDir)
	reading.Wait()
	if unread != nil {
		r.short.note(unread)
		r.opts.Logger.Warn("the saved state is not used; everything is read again", "error", unread)
		r.forget()
	}
	r.creations.inherit(r.folder)
	if short := r.short.met(); short != nil {
		r.forget()
		return nil, short
	}
	r.phase = uncertain
	return files, err
}

// forget drops what the state has said.
func (r *Repository) forget() {
	r.connect(r.store)
	clear(r.charts.byDir)
}

// takeIn gives the files of a delivery their places, adds them to paths, and notes their
// creation times. The delivery is done when the pass is published: until then a pass
// that fails, or a process that is killed, leaves the rest of it to the next.
func (r *Repository) takeIn(d *store.Received, paths []string) ([]string, error) {
	r.creations.add(d.Entries)
	for _, name := range d.Files() {
		paths = append(paths, r.folder.path(name))
	}
	return paths, d.Take(func(name string) *store.Current { return r.archives.byPath[name].current() })
}

// isJudged reports whether every archive that a delivery brought could be read, be it
// good or bad. Until then the delivery is not done: an archive that a disk did not hand
// out this time is published later, with its creation time.
func (r *Repository) isJudged(d *store.Received) bool {
	for _, e := range d.Entries {
		var errno syscall.Errno
		if a := r.archives.byPath[(ident{e.Name, e.Version}).archiveName()]; a != nil && errors.As(a.err, &errno) {
			return false
		}
	}
	return true
}

// receive makes the entries of uploads. Of those of one version the first is for this
// pass; the others, and removals of that version, are for the next, which sees what became
// of it.
func (r *Repository) receive(m mail) mail {
	now, next, taken := m, mail{}, map[ident]bool{}
	now.uploads, now.removals = nil, nil
	for _, u := range m.uploads {
		if taken[u.id()] {
			next.uploads = append(next.uploads, u)
			continue
		}
		taken[u.id()] = true
		if u.info != nil {
			u.made.entry, u.err = r.judge.entry(u.info, u.id().archiveName())
		}
		now.uploads = append(now.uploads, u)
	}
	for _, rm := range m.removals {
		if taken[rm.id] {
			next.removals = append(next.removals, rm)
			continue
		}
		now.removals = append(now.removals, rm)
	}
	if len(next.uploads)+len(next.removals) > 0 && !r.mail.post(next) {
		next.answer(ErrStopped)
	}
	return now
}

// question returns the Prune that another process asks for; nil: there is none.
func (r *Repository) question() *asked {
	q, err := r.store.Question()
	if err != nil {
		r.opts.Logger.Warn("what another process asks for can't be read", "error", err)
	}
	if q == nil {
		return nil
	}
	a := &asked{id: q.ID}
	if err := json.Unmarshal(q.Text, &a.Prune); err != nil {
		a.Prune = Prune{DryRun: true, Retention: Retention{Keep: math.MaxInt}}
		a.out.Error = fmt.Sprintf("the chartserve that runs on the folder does not understand that (%v): it is of another version", err)
	}
	return a
}

// answer tells the process that asked what was done.
func (r *Repository) answer(a *asked) error {
	if a == nil || a.id == "" {
		return nil
	}
	text, err := json.Marshal(a.out)
	if err == nil {
		err = r.store.Answer(a.id, text)
	}
	if err != nil {
		return r.trouble(err)
	}
	return nil
}

// trouble records why the repository folder can't be brought up to date; what is served
// stays.
func (r *Repository) trouble(err error) error {
	err = advise(err)
	v := *r.View()
	v.Status.Problem = err.Error()
	r.show(&v)
	return fmt.Errorf("repository folder %q: %w", r.store.Name(), err)
}
