package verify

import (
	"cmp"
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"chartserve/internal/airgap/images"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/provenance"
)

// Options say what is verified. The zero value verifies everything but signatures
// and addresses outside.
type Options struct {
	// Limits bound what is read of an archive; zero: Helm's own.
	Limits pkgr.Limits
	// Jobs is how many archives are read at once, each of which may take as much
	// memory as its chart has bytes; zero: one for each CPU.
	Jobs int
	// Keyring has the keys whose signatures count; nil: signatures are not checked.
	Keyring *provenance.Keyring
	// RequireProvenance makes a finding of each archive without a provenance file.
	RequireProvenance bool
	// Offline finds what a client would fetch from outside.
	Offline bool
	// AllowHosts are inside, as HOST or HOST:PORT, besides names of the loopback
	// and the host of the verified repository itself.
	AllowHosts []string
	// Now is the time when keys must be good; nil: time.Now.
	Now func() time.Time
	// Progress is told of long work, from one goroutine at a time; may be nil.
	Progress func(what string, done, total int)
}

// Verifier verifies repositories. It is safe for concurrent use.
type Verifier struct {
	opts    Options
	checker *pkgr.Checker
	finder  *images.Finder
}

// New makes a Verifier. The error is about the Options.
func New(o Options) (*Verifier, error) {
	if o.Jobs < 0 {
		return nil, errors.New("verify: Jobs can't be negative")
	}
	for _, h := range o.AllowHosts {
		if h == "" || strings.ContainsAny(h, "/@ ") {
			return nil, errors.New("verify: AllowHosts takes HOST or HOST:PORT, not a URL: " + h)
		}
	}
	o.Jobs = cmp.Or(o.Jobs, runtime.GOMAXPROCS(0))
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Verifier{opts: o, checker: pkgr.NewChecker(o.Limits), finder: new(images.Finder)}, nil
}

// place is where archives and their provenance are read. Errors are
// fs.ErrNotExist for what is not there.
type place interface {
	open(ctx context.Context, ref string) (io.ReadCloser, error)
}

// job is one archive and the entries that point to it.
type job struct {
	ref     string // what the place opens
	name    string // how findings call it
	base    string // its file name, unescaped
	entries []*index.Entry
}

// run is the state of one verification.
type run struct {
	*Verifier
	findings
	place  place
	inside hosts
	known  known

	totals sync.Mutex // guards what follows
	report Report
	done   int
	by     map[provenance.Signer]int
}

// newRun begins a verification of the repository that place reads. own is its host,
// empty for a folder; shown is how the Report calls it.
func (v *Verifier) newRun(p place, own, shown string) *run {
	r := &run{Verifier: v, place: p, inside: newHosts(own, v.opts.AllowHosts), by: map[provenance.Signer]int{}}
	r.report.Repository = shown
	return r
}

// jobs checks all archives in parallel. The error is ctx's: all
// else is a finding.
func (r *run) jobs(ctx context.Context, jobs []*job) error {
	var group errgroup.Group
	group.SetLimit(r.opts.Jobs)
	for _, j := range jobs {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			r.archive(ctx, j)
			r.step(len(jobs))
			return nil
		})
	}
	_ = group.Wait()
	return context.Cause(ctx)
}

func (r *run) step(total int) {
	r.totals.Lock()
	defer r.totals.Unlock()
	r.done++
	if r.opts.Progress != nil {
		r.opts.Progress("archives verified", r.done, total)
	}
}

// finish makes the Report.
func (r *run) finish() *Report {
	r.report.SignaturesChecked = r.opts.Keyring != nil
	r.report.Signers = []Signer{}
	for s, n := range r.by {
		r.report.Signers = append(r.report.Signers, Signer{s.Name, s.Fingerprint, n})
	}
	slices.SortFunc(r.report.Signers, func(a, b Signer) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
	r.report.Findings = r.sorted()
	return &r.report
}
