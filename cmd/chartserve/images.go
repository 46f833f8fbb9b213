package main

import (
	"fmt"
	"io"
	"os/exec"

	"github.com/spf13/cobra"

	"chartserve/internal/airgap/images"
)

// imageFlags say which charts are looked at and how the list is written.
type imageFlags struct {
	contentFlags
	sourceFlags
	listFlags
	repoPath string
	render   bool
	helm     string
	output   choice
	strict   bool
}

func newImages() *cobra.Command {
	f := new(imageFlags)
	cmd := &cobra.Command{
		Use:     "images [CHART|ARCHIVE]...",
		Short:   "List the container images that charts name",
		Long:    imagesLong,
		Example: imagesExample,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.list(cmd, args)
		},
	}
	f.contentFlags.register(cmd)
	f.listFlags.register(cmd)
	flags := cmd.Flags()
	f.sourceFlags.register(flags)
	flags.StringVar(&f.repoPath, "repo-path", "", "repository folder: look at each archive that the index.yaml in `DIR` names, or at every .tgz where there is none")
	_ = cmd.MarkFlagDirname("repo-path")
	flags.BoolVar(&f.render, "render", false, "also render each chart with helm, and read the manifests")
	flags.StringVar(&f.helm, "helm", "helm", "`PROGRAM` for --render: Helm 3 or 4")
	f.output = choice{value: "text", allowed: []string{"text", "json", "yaml"}}
	f.output.register(cmd, "output", "`FORM` of the list: text (one image a line), json (with where each comes from) or yaml (a source file of skopeo sync)")
	flags.BoolVar(&f.strict, "strict", false, "an image that can't be decided is a failure, exit status 1")
	return cmd
}

func (f *imageFlags) list(cmd *cobra.Command, args []string) error {
	o, err := f.options(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer setGarbage(startGarbage)()
	s := &images.Scan{Options: o}
	if err := f.apply(s); err != nil {
		return err
	}
	if f.render {
		path, err := exec.LookPath(f.helm)
		if err != nil {
			return fmt.Errorf("%w (install Helm 3 or 4, or name it with --helm)", err)
		}
		s.Finder.Renderer = &images.Renderer{Helm: path}
	}
	if err := s.Run(cmd.Context(), f.chosen(args, f.repoPath != ""), f.repoPath); err != nil {
		return err
	}
	return f.print(cmd.OutOrStdout(), cmd.ErrOrStderr(), s)
}

// print writes the list to stdout, and to stderr what is missing in it.
func (f *imageFlags) print(stdout, stderr io.Writer, s *images.Scan) error {
	failures := append(s.Unused(), s.Failures()...)
	var err error
	switch f.output.value {
	case "json":
		err = s.List.WriteJSON(stdout, failures)
	case "yaml":
		err = s.List.WriteYAML(stdout)
	default:
		err = s.List.WriteText(stdout)
	}
	if err != nil {
		return err
	}
	undecided := s.List.Undecided()
	if f.output.value != "json" {
		writeUndecided(stderr, undecided)
	}
	for _, bad := range failures {
		fmt.Fprintf(stderr, "chartserve: %s: %s\n", oneLine(bad.Chart), oneLine(bad.Reason))
	}
	switch {
	case len(failures) > 0:
		return errReported
	case f.strict && len(undecided) > 0:
		return fmt.Errorf("%s could not be decided", plural(len(undecided), "image"))
	}
	return nil
}

const imagesLong = `Images lists the container images that charts name, normalised and sorted, each
once: what a site without a network needs besides the charts.

CHART is a directory with a Chart.yaml, or one that holds many (by default the
working directory); ARCHIVE is a .tgz. Dependencies of charts in directories are
resolved as build does, without a network unless --fetch-dependencies is given.

The images come from the values (openstack-helm's images.tags, mappings with a
repository and a tag, image: NAME:TAG), of sub-charts with what their parents set,
from the artifacthub.io/images annotation, and from the image: lines of templates.
The values are the default ones, and what --values lays over them, as helm install
-f does. Images of what is disabled are listed too: somebody may enable it where
nothing can be downloaded. --render adds what the rendered manifests name.

What looks like an image but does not say which, such as a template, goes to
stderr with the file and the key (and into the list with --output json), and so
does a tag that is guessed: the chart's appVersion, where none is given. The exit
status is 1 when a chart could not be read or rendered, and with --strict when
anything is undecided; the rest is listed.`

const imagesExample = `  # Copy all images of a repository folder into a registry
  chartserve images --repo-path site | while read -r image; do
    crane copy "$image" "registry.example.com/${image#*/}"
  done

  # The same with skopeo
  chartserve images --repo-path site --output yaml >images.yaml
  skopeo sync --src yaml --dest docker images.yaml registry.example.com

  # What a site installs: with its values, without what it has already
  chartserve images --repo-path site --values global.yaml --values nova=nova.yaml \
    --exclude-image registry.k8s.io --add-image quay.io/coreos/etcd:v3.5.9

  # Where each image of one chart comes from, in its values and in what it renders
  chartserve images --render --output json charts/nova`
