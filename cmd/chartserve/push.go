package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"chartserve/internal/chart"
	"chartserve/internal/provenance"
	"chartserve/internal/remote"
	"chartserve/internal/repo"
)

// pushFlags say what is sent, how charts are packaged and signed before, and how the
// repository is reached.
type pushFlags struct {
	contentFlags
	keyringFlags
	signFlags
	overrideFlags
	apiFlags
	force bool
}

// pushJobs are the archives that are sent at once without --jobs.
const pushJobs = 4

func newPush() *cobra.Command {
	f := new(pushFlags)
	const what = "an ARCHIVE or a CHART"
	cmd := &cobra.Command{
		Use:     "push ARCHIVE|CHART... URL",
		Short:   "Send charts to a repository that takes uploads",
		Long:    pushLong,
		Example: pushExample,
		Args:    needsURL(what),
		RunE: func(cmd *cobra.Command, args []string) error {
			charts, address, err := splitURL(cmd, args, what)
			if err != nil {
				return err
			}
			return f.push(cmd, charts, address)
		},
	}
	f.contentFlags.registerContent(cmd)
	f.fetchFlags.registerFetch(cmd)
	f.clientFlags.register(cmd, "the host of the URL", "; those of hosts that dependencies come from are in --repositories FILE")
	f.keyringFlags.register(cmd, "the secret --key")
	f.signFlags.register(cmd)
	f.overrideFlags.register(cmd)
	f.apiFlags.register(cmd)
	cmd.Flags().BoolVarP(&f.force, "force", "f", false, "replace a version that is there with other content, where the server allows that")
	return cmd
}

func (f *pushFlags) push(cmd *cobra.Command, args []string, address string) (err error) {
	start := time.Now()
	f.host = address // what a dependency is downloaded from there is with the same credentials
	o, err := f.options(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	to, err := f.clientFlags.options([]string{address}, o.Logger)
	if err != nil {
		return err
	}
	key, err := f.signer(f.keyrings, cmd.InOrStdin(), o.Timestamp)
	if err != nil {
		return err
	}
	if key != nil {
		o.Signer = key
	}
	o.Sources, o.Strict = f.sources, true
	work, err := os.MkdirTemp("", "chartserve-")
	if err != nil {
		return fmt.Errorf("no directory to package charts in: %w (TMPDIR names a directory that is writable)", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	p := &packager{dir: work, key: key, options: repo.PackageOptions{Options: o, Version: f.version, AppVersion: f.appVersion}}
	all, err := p.collect(cmd.Context(), args)
	if err != nil {
		return err
	}
	told := newProgress(cmd.ErrOrStderr(), o.Logger)
	to.Progress = told.add
	if err := f.send(cmd.Context(), all, address, to, key, told); err != nil {
		return err
	}
	return f.tell(cmd, all, address, time.Since(start))
}

// send uploads what can be, and notes how each went.
func (f *pushFlags) send(ctx context.Context, all []*pushed, address string, to remote.Options, key *provenance.Key, told *progress) error {
	good := 0
	for _, c := range all {
		if c.err == nil {
			good++
		}
	}
	if good == 0 {
		return nil
	}
	api, err := f.find(ctx, address, to)
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(cmp.Or(f.jobs, pushJobs))
	told.step("archives pushed", 0, good)
	var done atomic.Int64
	for _, c := range all {
		if c.err != nil {
			continue
		}
		g.Go(func() error {
			c.err = withRemedy(c.publish(ctx, api, f.force, key))
			told.step("archives pushed", int(done.Add(1)), good)
			return nil
		})
	}
	return g.Wait()
}

func (c *pushed) publish(ctx context.Context, api *remote.API, force bool, key *provenance.Key) error {
	file, err := os.Open(c.path)
	if err != nil {
		return err
	}
	defer file.Close()
	u := &remote.Upload{Name: c.Name, Version: c.Version, Archive: file, Size: c.Size, Digest: c.Digest, Provenance: c.prov, Force: force}
	if key != nil { // one that the key made earlier has another date
		u.AsGood = func(prov []byte) bool { return key.Made(prov, c.Name+"-"+c.Version+".tgz", c.Digest) }
	}
	done, err := api.Publish(ctx, u)
	c.Status, c.Compared = "pushed", done.Compared
	if done.Unchanged {
		c.Status = "unchanged"
	}
	return err
}

// tell prints how each went; the error says whether any failed.
func (f *pushFlags) tell(cmd *cobra.Command, all []*pushed, address string, took time.Duration) error {
	count, size := map[string]int{}, int64(0)
	for _, c := range all {
		if c.err != nil {
			c.Status, c.Error = "failed", oneLine(c.err.Error())
			complain(cmd, slog.LevelError, c.File+": "+c.Error)
		} else {
			size += c.Size
			if !c.Compared {
				complain(cmd, slog.LevelWarn, fmt.Sprintf("%s: it is there, and was not compared: the credentials are not good for reading", c.File))
			}
		}
		count[c.Status]++
	}
	out := cmd.OutOrStdout()
	var err error
	if f.output.value == "json" {
		err = writeJSON(out, struct {
			Repository string    `json:"repository"`
			Charts     []*pushed `json:"charts"`
			Failed     int       `json:"failed"`
			Seconds    float64   `json:"seconds"`
		}{chart.ShowAddress(address), all, count["failed"], took.Seconds()})
	} else {
		err = writePushed(out, all, fmt.Sprintf("Pushed %s (%s) to %s: %d new, %d unchanged, %d failed; in %s\n",
			plural(len(all)-count["failed"], "archive"), bytesText(size), chart.ShowAddress(address), count["pushed"], count["unchanged"], count["failed"], seconds(took)))
	}
	if err == nil && count["failed"] > 0 {
		err = errReported
	}
	return err
}

func writePushed(w io.Writer, all []*pushed, summary string) error {
	for _, c := range all {
		if c.err != nil {
			continue
		}
		with := ""
		if c.Provenance {
			with = ", with its provenance"
		}
		if _, err := fmt.Fprintf(w, "%s %s: %s, sha256:%s%s\n", c.Name, c.Version, c.Status, c.Digest, with); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, summary)
	return err
}

const pushLong = `Push sends charts to a repository that takes uploads: a chartserve with
--allow-upload, or a ChartMuseum. URL is the repository's, as for helm repo add.

A CHART is a directory with a Chart.yaml. It is packaged as chartserve package does,
and signed with --sign; nothing is written beside it. An ARCHIVE goes as it is, with
the .prov that lies beside it; with --sign it is signed too, if that key has not
done it. Every archive is checked whole before it is sent.

What failed for want of a connection, or of a server that had time, is sent again.
What is there with the same bytes is left alone and counts as success; other bytes
of the same version are an error without --force. Afterwards the digest that the
repository lists is compared with what was sent, and the provenance too.

Exit status: 0 all is there, 1 something is not, 2 usage.`

const pushExample = `  # Package a chart and publish it
  chartserve push charts/nova http://localhost:8879/charts

  # All archives of a folder, with a password
  CHARTSERVE_PASSWORD=... chartserve push --username ci build/*.tgz \
    https://charts.example.com/charts

  # Signed, with a token, for a script
  chartserve push --sign --key ci@example.com --keyring secret.gpg --bearer-token-file ci.token \
    --output json charts/nova https://charts.example.com/charts`
