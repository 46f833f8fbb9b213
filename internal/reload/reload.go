package reload

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Every is how often files are looked at.
const Every = time.Second

// Source is something that is made of files.
type Source struct {
	// Files are those; nil: nobody looks at them, and they are read again by Reload alone.
	Files *Files
	// Load reads them again, through Files. After an error what was read before goes on.
	Load func() error
	// Done is logged after that, unless it is empty, and Kept with the error.
	Done, Kept string
}

func (s *Source) load(log *slog.Logger) {
	if err := s.Load(); err != nil {
		log.Error(s.Kept, "error", err)
	} else if s.Done != "" {
		log.Info(s.Done)
	}
}

// Follower reads again what has changed.
type Follower struct {
	log *slog.Logger

	mu      sync.Mutex // held while anything is read
	sources []Source
}

// New makes a Follower of sources that were loaded already.
func New(log *slog.Logger, sources ...Source) *Follower {
	return &Follower{log: log, sources: sources}
}

// Run loads the sources whose files change, until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	ticker := time.NewTicker(Every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.each(func(s *Source) bool { return s.Files != nil && s.Files.changed() })
		}
	}
}

// Reload loads all sources now.
func (f *Follower) Reload() { f.each(func(*Source) bool { return true }) }

func (f *Follower) each(due func(*Source) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.sources {
		if s := &f.sources[i]; due(s) {
			s.load(f.log)
		}
	}
}
