package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"chartserve/internal/chart"
	"chartserve/internal/remote"
)

// deleteFlags say how the repository is reached.
type deleteFlags struct {
	logFlags
	clientFlags
	apiFlags
	missingOK bool
}

func newDelete() *cobra.Command {
	f := new(deleteFlags)
	const what = "a NAME@VERSION"
	cmd := &cobra.Command{
		Use:               "delete NAME@VERSION... URL",
		Short:             "Take versions out of a repository that takes uploads",
		Long:              deleteLong,
		Example:           deleteExample,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args:              needsURL(what),
		RunE: func(cmd *cobra.Command, args []string) error {
			charts, address, err := splitURL(cmd, args, what)
			if err != nil {
				return err
			}
			return f.delete(cmd, charts, address)
		},
	}
	f.logFlags.register(cmd)
	f.clientFlags.register(cmd, "the host of the URL", "")
	f.apiFlags.register(cmd)
	cmd.Flags().BoolVar(&f.missingOK, "missing-ok", false, "a version that is not there is no failure")
	return cmd
}

// deleted is one version that is to go.
type deleted struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Status  string `json:"status"` // deleted, missing or failed
	Error   string `json:"error,omitempty"`
}

func (f *deleteFlags) delete(cmd *cobra.Command, args []string, address string) error {
	all, err := readVersions(args)
	if err != nil {
		return err
	}
	o, err := f.clientFlags.options([]string{address}, f.logger(cmd.ErrOrStderr()))
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	api, err := f.find(ctx, address, o)
	if err != nil {
		return err
	}
	failed := 0
	for _, c := range all {
		c.Status = "deleted"
		err := api.Remove(ctx, c.Name, c.Version)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if status := new(remote.StatusError); errors.As(err, &status) && status.Code == http.StatusNotFound {
			if c.Status = "missing"; f.missingOK {
				err = nil
			}
		} else if err != nil {
			c.Status, err = "failed", withRemedy(err)
		}
		if err != nil {
			failed++
			c.Error = oneLine(err.Error())
			complain(cmd, slog.LevelError, fmt.Sprintf("%s@%s: %s", c.Name, c.Version, c.Error))
		}
	}
	if err := f.tell(cmd.OutOrStdout(), all, chart.ShowAddress(address), failed); err != nil {
		return err
	}
	if failed > 0 {
		return errReported
	}
	return nil
}

// readVersions reads NAME@VERSION; the version is an exact one.
func readVersions(args []string) ([]*deleted, error) {
	var all []*deleted
	for _, arg := range args {
		name, version, _ := strings.Cut(arg, "@")
		md := &chart.Metadata{APIVersion: chart.APIVersionV1, Name: name, Version: version}
		if err := md.Validate(); err != nil {
			return nil, usagef("%q: write NAME@VERSION, with a version as the index has it, such as nova@1.2.3", arg)
		}
		all = append(all, &deleted{Name: name, Version: version})
	}
	return all, nil
}

func (f *deleteFlags) tell(w io.Writer, all []*deleted, address string, failed int) error {
	if f.output.value == "json" {
		return writeJSON(w, struct {
			Repository string     `json:"repository"`
			Charts     []*deleted `json:"charts"`
			Failed     int        `json:"failed"`
		}{address, all, failed})
	}
	for _, c := range all {
		if c.Error != "" {
			continue
		}
		text := "deleted from"
		if c.Status == "missing" {
			text = "not in"
		}
		if _, err := fmt.Fprintf(w, "%s %s: %s %s\n", c.Name, c.Version, text, address); err != nil {
			return err
		}
	}
	return nil
}

const deleteLong = `Delete takes versions out of a repository that takes uploads: a chartserve with
--allow-upload, or a ChartMuseum. URL is the repository's, as for helm repo add. A
version is spelled as in the index: a constraint deletes nothing.

A version that comes from a SOURCE of a chartserve stays: that would bring it back.
In a folder at hand chartserve prune does more.

Exit status: 0 they are gone, 1 one is not or was not there, 2 usage.`

const deleteExample = `  # A version that should not have been published
  chartserve delete nova@1.2.3 http://localhost:8879/charts

  # Those of a branch, gone already or not, with a token
  chartserve delete --missing-ok --bearer-token-file ci.token nova@1.2.3-br1 heat@1.0.0-br1 \
    https://charts.example.com/charts`
