package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"chartserve/internal/remote"
)

// apiFlags say where a repository takes charts in, and how a command tells of it.
type apiFlags struct {
	contextPath string
	output      choice
}

func (f *apiFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.contextPath, "context-path", "", "`PATH` below which the server has its repositories, such as /charts; the repository's index says it, but not to who may not read it")
	registerOutput(cmd, &f.output)
}

// splitURL takes the URL of a repository off the end of a command line. what names the
// arguments before it.
func splitURL(cmd *cobra.Command, args []string, what string) (rest []string, address string, err error) {
	if len(args) < 2 {
		return nil, "", fmt.Errorf("%s needs %s, and then the URL of the repository, such as https://charts.example.com/charts", cmd.Name(), what)
	}
	address = args[len(args)-1]
	u, err := url.Parse(address)
	switch {
	case err == nil && u.Scheme == "oci":
		return nil, "", fmt.Errorf("%s works with chart repositories, and oci:// is a registry (helm push sends charts there)", cmd.Name())
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, "", fmt.Errorf("%s takes the http:// or https:// URL of the repository as its last argument", cmd.Name())
	}
	return args[:len(args)-1], address, nil
}

// needsURL is for cobra.Command.Args.
func needsURL(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		_, _, err := splitURL(cmd, args, what)
		return err
	}
}

// find returns the API of the repository.
func (f *apiFlags) find(ctx context.Context, address string, o remote.Options) (*remote.API, error) {
	c, err := remote.New(o)
	if err != nil {
		return nil, usageError{err}
	}
	api, err := c.FindAPI(ctx, address, f.contextPath)
	if status := new(remote.StatusError); errors.As(err, &status) && status.Code == http.StatusForbidden {
		err = fmt.Errorf("%w (who may not read the index gives --context-path)", err)
	}
	if f.contextPath != "" && errors.Is(err, remote.ErrAddress) {
		err = usageError{err}
	}
	return api, err
}

// withRemedy adds to a refusal what whoever runs the server, or the command, can do.
func withRemedy(err error) error {
	status := new(remote.StatusError)
	if !errors.As(err, &status) {
		return err
	}
	if status.Code == http.StatusConflict && errors.Is(err, remote.ErrServed) {
		return fmt.Errorf("%w (raise the version, or see --force)", err)
	}
	remedy := map[int]string{
		http.StatusNotFound:              "the server has no API there: see --context-path",
		http.StatusMethodNotAllowed:      "the server does not allow that: chartserve does with --allow-upload",
		http.StatusRequestEntityTooLarge: "the server's --max-upload-size bounds it",
	}[status.Code]
	if remedy == "" {
		return err
	}
	return fmt.Errorf("%w (%s)", err, remedy)
}
