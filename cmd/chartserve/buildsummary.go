package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/page/markup"
	"chartserve/internal/repo"
)

const (
	// maxSummaryFile is the size in bytes beyond which GitHub shows nothing of a step's file.
	maxSummaryFile = 1 << 20
	// maxSummary bounds one summary in bytes, but for the heads of its tables; maxSummaryRows
	// bounds a table, maxSummaryCell a text in it, in characters.
	maxSummary, maxSummaryRows, maxSummaryCell = 256 << 10, 200, 1000
)

// summaryFlags say where a build tells in Markdown what it did.
type summaryFlags struct{ file string }

func (f *summaryFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "summary", "", "`FILE` to append a summary in Markdown to, for the page of a job, such as \"$GITHUB_STEP_SUMMARY\"; written also where the build fails")
	_ = cmd.MarkFlagFilename("summary", "md")
}

// summary is what a build tells in Markdown, of everything that differs in the index.
type summary struct {
	out    *os.File
	before map[chartVersion]string // digests, by what the index listed before the build
	text   bytes.Buffer
}

type chartVersion struct{ name, version string }

// begin opens the file, and notes what the index in the repository folder lists. It returns
// nil where no summary is wanted.
func (f *summaryFlags) begin(repoPath string) (*summary, error) {
	switch f.file {
	case "":
		return nil, nil
	case "-":
		return nil, usagef(`invalid value "-" for --summary: write the name of a file`)
	}
	out, err := os.OpenFile(f.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, fmt.Errorf("--summary: %w", err)
	}
	s := &summary{out: out, before: map[chartVersion]string{}}
	dir, err := folder.Open(repoPath)
	if err != nil {
		return s, nil // there is none yet, or Open says what is wrong with it
	}
	defer dir.Close()
	if listed, err := dir.Index(); err == nil { // else it is made anew
		for _, e := range listed.Entries {
			s.before[chartVersion{e.Name, e.Version}] = e.Digest
		}
	}
	return s, nil
}

// end appends the summary of what was built from sources; r is nil where nothing was, and err
// why the build failed.
func (s *summary) end(r *repo.Repository, from string, took time.Duration, err error, logger *slog.Logger) error {
	if s == nil {
		return nil
	}
	s.write(r, from, took, err)
	fi, serr := s.out.Stat()
	if serr == nil && fi.Mode().IsRegular() && fi.Size()+int64(s.text.Len()) > maxSummaryFile {
		logger.Warn("the summary is left out: the file would be larger than GitHub shows", "file", s.out.Name(), "bytes", maxSummaryFile)
		return s.out.Close()
	}
	_, werr := s.out.Write(s.text.Bytes())
	if err := cmp.Or(werr, s.out.Close()); err != nil {
		return fmt.Errorf("--summary: %w", err)
	}
	return nil
}

func (s *summary) write(r *repo.Repository, from string, took time.Duration, err error) {
	title := "Charts"
	if err != nil {
		title = "Charts: failed"
	}
	fmt.Fprintf(&s.text, "### %s\n\n", title)
	if err != nil && !errors.Is(err, repo.ErrBadCharts) {
		fmt.Fprintf(&s.text, "%s\n\n", literal(err.Error()))
	}
	if r == nil {
		return
	}
	st, d := r.Status(), s.compare(r.View())
	fmt.Fprintf(&s.text, "%s from %s in %s: %d packaged, %d checked, %d reused.\n\n", counts(st), literal(from), seconds(took),
		st.LastRebuild.Packaged, st.LastRebuild.Checked, st.LastRebuild.Reused)
	s.text.WriteString("| New | Replaced | Unchanged | Kept without a source | Retired or removed | Failed | Warnings |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	fmt.Fprintf(&s.text, "| %d | %d | %d | %d | %d | %d | %d |\n\n", len(d.added), len(d.replaced), d.unchanged, len(d.kept), len(d.gone), len(st.Failures), len(st.Warnings))
	var failed, warned [][]string
	for _, f := range st.Failures {
		failed = append(failed, []string{literal(f.Path), literal(strings.TrimSpace(f.Name + " " + f.Version)), literal(f.Reason)})
	}
	for _, w := range st.Warnings {
		warned = append(warned, []string{literal(w.Path), literal(w.Message)})
	}
	s.table("Failed", "Where | Chart | Reason, and what to do", failed)
	s.table("New", "Chart | Version | SHA-256", d.added)
	s.table("Replaced", "Chart | Version | SHA-256 | Before", d.replaced)
	s.table("Kept without a source", "Chart | Version | SHA-256", d.kept)
	s.table("Retired or removed", "Chart | Version | SHA-256", d.gone)
	s.table("Warnings", "Where | Warning", warned)
}

func literal(text string) string { return markup.Literal(text, maxSummaryCell) }

// table writes rows, as many as there is room for. Without any there is no table.
func (s *summary) table(title, head string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(&s.text, "#### %s\n\n| %s |\n|%s\n", title, head, strings.Repeat(" --- |", 1+strings.Count(head, "|")))
	shown := 0
	for _, row := range rows {
		line := "| " + strings.Join(row, " | ") + " |\n"
		if shown == maxSummaryRows || s.text.Len()+len(line) > maxSummary {
			break
		}
		s.text.WriteString(line)
		shown++
	}
	s.text.WriteString("\n")
	if more := len(rows) - shown; more > 0 {
		fmt.Fprintf(&s.text, "and %d more\n\n", more)
	}
}

// differences are rows of tables: versions that the index lists now, or did before.
type differences struct {
	added, replaced, kept, gone [][]string
	unchanged                   int
}

func (s *summary) compare(v *repo.View) (d differences) {
	sources := len(v.Status.Sources) > 0
	for c := range v.Charts() {
		for _, version := range c.Versions {
			id := chartVersion{version.Entry.Name, version.Entry.Version}
			before, there := s.before[id]
			delete(s.before, id)
			row := []string{literal(id.name), literal(id.version), digestText(version.Entry.Digest)}
			switch {
			case !there:
				d.added = append(d.added, row)
			case before != version.Entry.Digest:
				d.replaced = append(d.replaced, append(row, digestText(before)))
			case sources && !version.Live:
				d.kept = append(d.kept, row)
			default:
				d.unchanged++
			}
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(s.before), func(a, b chartVersion) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.version, b.version))
	}) {
		d.gone = append(d.gone, []string{literal(id.name), literal(id.version), digestText(s.before[id])})
	}
	return d
}

var hexadecimal = regexp.MustCompile(`^[0-9a-f]{64}$`)

// digestText is a SHA-256 as code; an index of others may have anything in its place.
func digestText(digest string) string {
	if hexadecimal.MatchString(digest) {
		return "`" + digest + "`"
	}
	return literal(digest)
}
