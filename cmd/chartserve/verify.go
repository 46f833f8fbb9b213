package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/airgap/verify"
	"chartserve/internal/chart"
	"chartserve/internal/provenance"
	"chartserve/internal/remote"

	"chartserve/internal/store"
)

// verifyFlags say what is verified and how it is told.
type verifyFlags struct {
	limitFlags
	clientFlags
	keyringFlags
	path    string
	require bool
	offline bool
	strict  bool
	allow   []string
	output  choice
}

func newVerify() *cobra.Command {
	f := new(verifyFlags)
	cmd := &cobra.Command{
		Use:     "verify [URL]",
		Short:   "Prove that a repository is complete and unchanged",
		Long:    verifyLong,
		Example: verifyExample,
		// Without files: an argument is an address.
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return fmt.Errorf("verify takes one URL; it got %d", len(args))
			case len(args) == 1 && !strings.Contains(args[0], "://"):
				return fmt.Errorf("%q is not a URL: a folder is given as --repo-path %s", args[0], args[0])
			case len(args) == 1 && cmd.Flags().Changed("repo-path"):
				return fmt.Errorf("verify takes a URL or --repo-path, not both")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.verify(cmd, args)
		},
	}
	flags := cmd.Flags()
	f.limitFlags.register(flags)
	f.clientFlags.register(cmd, "the host of the URL", "")
	flags.StringVar(&f.path, "repo-path", store.DefaultFolder, "repository folder: the `DIR` that holds index.yaml and the archives")
	_ = cmd.MarkFlagDirname("repo-path")
	f.keyringFlags.register(cmd, "the public keys whose signatures count (without one none is checked)")
	flags.BoolVar(&f.require, "require-provenance", false, "an archive without a .prov is a finding")
	flags.BoolVar(&f.offline, "offline", false, "an address that a client would fetch from outside is a finding")
	flags.BoolVar(&f.strict, "strict", false, "a warning is a failure too, exit status 1")
	flags.StringArrayVar(&f.allow, "allow-host", nil, "`HOST` or HOST:PORT that the site reaches, for --offline (repeatable)")
	registerOutput(cmd, &f.output)
	return cmd
}

func (f *verifyFlags) verify(cmd *cobra.Command, args []string) error {
	start := time.Now()
	o := verify.Options{
		Limits: f.limits(), Jobs: f.jobs, RequireProvenance: f.require, Offline: f.offline, AllowHosts: f.allow,
		Progress: newProgress(cmd.ErrOrStderr(), nil).step,
	}
	var err error
	if o.Keyring, err = readKeyrings(f.keyrings); err != nil {
		return err
	}
	v, err := verify.New(o)
	if err != nil {
		return usageError{err}
	}
	var report *verify.Report
	if len(args) == 1 {
		report, err = f.verifyURL(cmd, v, args[0])
	} else {
		report, err = v.Folder(cmd.Context(), f.path)
	}
	if err != nil {
		return err
	}
	if f.output.value == "json" {
		err = writeJSON(cmd.OutOrStdout(), report)
	} else {
		err = writeReport(cmd.OutOrStdout(), report, time.Since(start))
	}
	if err != nil {
		return err
	}
	if report.Findings.Count(chart.Failing) > 0 || f.strict && len(report.Findings) > 0 {
		return errReported
	}
	return nil
}

func (f *verifyFlags) verifyURL(cmd *cobra.Command, v *verify.Verifier, address string) (*verify.Report, error) {
	if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("verify takes the http:// or https:// URL of a chart repository")
	}
	o, err := f.clientFlags.options([]string{address}, nil)
	if err != nil {
		return nil, err
	}
	c, err := remote.New(o)
	if err != nil {
		return nil, err
	}
	return v.Repository(cmd.Context(), address, c)
}

// readKeyrings is nil without files.
func readKeyrings(files []string) (*provenance.Keyring, error) {
	var k *provenance.Keyring
	for _, name := range files {
		if k == nil {
			k = new(provenance.Keyring)
		}
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("keyring: %w", err)
		}
		err = k.Add(file)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("keyring %s: %w", name, err)
		}
	}
	return k, nil
}

// maxOutside is how many findings about one address outside are listed for people.
const maxOutside = 3

// fewOutside leaves out all but the first findings about each address outside, and
// counts the others.
func fewOutside(all chart.Errors) (few chart.Errors, more map[verify.Outside]int) {
	listed, more := map[verify.Outside]int{}, map[verify.Outside]int{}
	for _, f := range all {
		var o verify.Outside
		if errors.As(f, &o) {
			if listed[o] == maxOutside {
				more[o]++
				continue
			}
			listed[o]++
		}
		few = append(few, f)
	}
	return few, more
}

// writeReport writes a line for each finding, and a summary.
func writeReport(w io.Writer, r *verify.Report, took time.Duration) error {
	var b strings.Builder
	findings, more := fewOutside(r.Findings)
	b.WriteString(findingLines(findings, func(f *chart.Error) string { return f.Severity.String() + ": " }))
	for _, o := range slices.Sorted(maps.Keys(more)) {
		fmt.Fprintf(&b, "warning: %s: %d more findings (--output json lists them)\n", oneLine(o.Error()), more[o])
	}
	result := "no findings"
	if n := len(r.Findings); n > 0 {
		result = fmt.Sprintf("%s (%s, %s)", plural(n, "finding"), plural(r.Findings.Count(chart.Failing), "error"), plural(r.Findings.Count(chart.Warning), "warning"))
	}
	fmt.Fprintf(&b, "Verified %s in %s in %s: %s\n", plural(r.Archives, "archive"), oneLine(r.Repository), seconds(took), result)
	switch {
	case !r.SignaturesChecked && r.Provenance > 0:
		fmt.Fprintf(&b, "Signatures were not checked, only what they sign: %s; --keyring checks them\n", plural(r.Provenance, "provenance file"))
	case !r.SignaturesChecked:
		b.WriteString("Signatures were not checked: there is no provenance, and no --keyring\n")
	default:
		fmt.Fprintf(&b, "Signatures were checked: %s\n", plural(r.Provenance, "provenance file"))
	}
	for _, s := range r.Signers {
		fmt.Fprintf(&b, "  %s by %s, key %s\n", plural(s.Archives, "archive"), oneLine(s.Name), s.Fingerprint)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const verifyLong = `Verify reads the index, every archive and every .prov of a repository, and reports
what keeps it from being complete and unchanged: digests that do not fit, archives
without an entry and entries without an archive, metadata that differs, an index
that Helm refuses, damaged archives, dependencies that are declared and not in
charts/, and provenance that is not about its archive or, with --keyring, not
signed by a key that you trust.

With --offline it also finds what a client would fetch from outside: an archive's
URL in the index is an error; the repository of a dependency that is in charts/
is a warning, because only "helm dependency update" and "build" would go there;
so is the registry of an image that a chart names, for which nodes may have a mirror.
Names of the loopback and the host of URL itself are inside.

Nothing is written. The exit status is 1 when there is an error, and with --strict
when there is a warning.`

const verifyExample = `  # A folder that was carried over: complete, unchanged, signed, and closed
  chartserve verify --repo-path public --offline --keyring keys.gpg --require-provenance

  # A repository that is being served
  chartserve verify http://localhost:8879/charts

  # For a script
  chartserve verify --repo-path public --output json | jq -r '.findings[].file'`
