package repo

// Superseded returns a channel that is closed once a newer View has taken v's place, so that
// any number of readers wait for a change without asking again and again. The newer one may
// have the same charts. A View of a Subset is superseded with the one that it was made of; one
// of NewView or EmptyView never is, and has a nil channel.
func (v *View) Superseded() <-chan struct{} { return v.superseded }

// show serves v in the place of the View before. Calls come one after the other: from the
// owner's goroutine, or from the workers that it waits for.
func (r *Repository) show(v *View) {
	v.superseded = make(chan struct{})
	if old := r.view.Swap(v); old != nil {
		close(old.superseded)
	}
}

// showProgress returns what passes long work on to tell, if that is not nil, and to the
// readers of Status for as long as there is no index.
func (r *Repository) showProgress(tell func(what string, done, total int)) func(what string, done, total int) {
	return func(what string, done, total int) {
		if tell != nil {
			tell(what, done, total)
		}
		if v := *r.View(); v.Index == nil {
			v.Status.Progress = &Progress{What: what, Done: done, Total: total}
			r.show(&v)
		}
	}
}
