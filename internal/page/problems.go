package page

import "chartserve/internal/repo"

// problems are what a page says of failures and warnings: the first of them. A repository may
// have thousands, and each page that is open loads them again with each change.
type problems struct {
	FirstFailures []repo.Failure
	FirstWarnings []repo.Warning
}

// problems are at most so many of each; all of them where there is no JSON that has the rest.
func (f Frame) problems(st repo.Status, most int) problems {
	most = f.perPage(most)
	return problems{first(st.Failures, most), first(st.Warnings, most)}
}
