package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"chartserve/internal/airgap/bundle"
	"chartserve/internal/airgap/images"
	"chartserve/internal/repo"
	"chartserve/internal/store"
)

// bundleCreateFlags are those of bundle create.
type bundleCreateFlags struct {
	contentFlags
	listFlags
	path     string
	output   string
	manifest string
	base     string
	images   string
	split    byteSize
}

func newBundleCreate() *cobra.Command {
	f := new(bundleCreateFlags)
	cmd := &cobra.Command{
		Use:               "create -o FILE [--repo-path DIR | SOURCE...]",
		Short:             "Write a repository folder, or the charts of SOURCEs, as a bundle",
		Long:              bundleCreateLong,
		Example:           bundleCreateExample,
		ValidArgsFunction: completeDirs,
		RunE:              f.create,
	}
	f.contentFlags.register(cmd)
	f.listFlags.register(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.output, "output", "o", "", "`FILE` to write, - for standard output (required)")
	flags.StringVar(&f.path, "repo-path", store.DefaultFolder, "repository folder: the `DIR` with the archives and index.yaml to bundle")
	_ = cmd.MarkFlagDirname("repo-path")
	flags.StringVar(&f.manifest, "manifest", "", "`FILE` for a copy of the manifest, to base a delta on; FILE.manifest beside the output without it")
	flags.StringVar(&f.base, "base", "", "leave out what this `FILE` lists: an earlier bundle's manifest, or that bundle")
	flags.StringVar(&f.images, "images", "", "`FILE` with the container images to list, one on a line, in place of those that the charts name (see chartserve images)")
	flags.Var(&f.split, "split", "cut the bundle into parts of this `SIZE`, such as 4GiB: FILE.001, FILE.002, ... and FILE.sha256")
	return cmd
}

func (f *bundleCreateFlags) create(cmd *cobra.Command, args []string) error {
	if err := f.check(cmd, args); err != nil {
		return err
	}
	o, err := f.bundleOptions(cmd)
	if err != nil {
		return err
	}
	if f.output == "-" {
		m, err := f.write(cmd, args, "", cmd.OutOrStdout(), o)
		if err != nil {
			return err
		}
		return cmp.Or(f.writeManifest(m), f.summary(cmd.ErrOrStderr(), m, []string{"standard output"}))
	}
	out, err := bundle.NewOutput(f.output, int64(f.split))
	if err != nil {
		return err
	}
	defer out.Abort()
	m, err := f.write(cmd, args, out.Dir(), out, o)
	if err != nil {
		return err
	}
	if err := errors.Join(out.Commit(), f.writeManifest(m)); err != nil {
		return err
	}
	return f.summary(cmd.OutOrStdout(), m, out.Files())
}

// write writes the bundle to w. What has to be built before is built below the
// directory scratch, which is beside the output, where there is room for it twice.
func (f *bundleCreateFlags) write(cmd *cobra.Command, args []string, scratch string, w io.Writer, o bundle.CreateOptions) (*bundle.Manifest, error) {
	folder := f.path
	if len(args) > 0 {
		var err error
		if folder, err = os.MkdirTemp(scratch, "chartserve-bundle-"); err != nil {
			return nil, err
		}
		defer os.RemoveAll(folder)
		if err := f.build(cmd, args, folder); err != nil {
			return nil, err
		}
	}
	if f.images == "" {
		var err error
		if o.Images, err = f.listImages(cmd, folder); err != nil {
			return nil, err
		}
	}
	m, err := bundle.Create(cmd.Context(), folder, w, o)
	if err != nil {
		return nil, findingsError(cmd, err)
	}
	if o.Base != nil && m.Base == "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "chartserve: --base %s: none of these files is in it, so the bundle is whole and needs no base (name the manifest of what the site has)\n", f.base)
	}
	return m, nil
}

// check refuses what can't be meant, before anything is built.
func (f *bundleCreateFlags) check(cmd *cobra.Command, args []string) error {
	switch {
	case f.output == "":
		return usagef("bundle create needs -o FILE, the bundle to write; - is standard output")
	case f.images != "" && f.given():
		return usagef("--images is the whole list: --values, --exclude-image and --add-image are for the one that is made of the charts")
	case f.output == "-" && f.split > 0:
		return usagef("--split makes files: name one with -o")
	case len(args) > 0 && cmd.Flags().Changed("repo-path"):
		return usagef("bundle create takes SOURCEs to build or a --repo-path that is built already, not both")
	}
	if f.output == "-" {
		return nil
	}
	f.manifest = cmp.Or(f.manifest, f.output+".manifest")
	if fi, err := os.Stat(f.output); err == nil && fi.IsDir() {
		return usagef("%s is a directory: -o names the file to write", f.output)
	}
	return nil
}

// bundleOptions are what goes into the bundle besides the archives.
func (f *bundleCreateFlags) bundleOptions(cmd *cobra.Command) (bundle.CreateOptions, error) {
	o := bundle.CreateOptions{Limits: f.limits(), Jobs: f.jobs, Progress: newProgress(cmd.ErrOrStderr(), nil).step}
	var err error
	if f.base != "" {
		if o.Base, err = bundle.ReadManifest(cmd.Context(), f.base); err != nil {
			return o, fmt.Errorf("--base: %w", err)
		}
	}
	if f.images != "" {
		if o.Images, err = os.ReadFile(f.images); err != nil {
			return o, fmt.Errorf("--images: %w", err)
		}
		if err := images.CheckText(o.Images); err != nil {
			return o, fmt.Errorf("--images: %s: %w", f.images, err)
		}
	}
	return o, nil
}

// listImages is the list of the images that the archives in a folder name. What
// can't be decided goes to stderr; an archive that can't be read the bundle refuses.
func (f *bundleCreateFlags) listImages(cmd *cobra.Command, folder string) ([]byte, error) {
	s := &images.Scan{Options: repo.Options{Limits: f.limits(), Jobs: f.jobs}}
	if err := f.apply(s); err != nil {
		return nil, err
	}
	if err := s.Run(cmd.Context(), nil, folder); err != nil {
		return nil, err
	}
	if bad := s.Unused(); len(bad) > 0 {
		return nil, fmt.Errorf("%s: %s", bad[0].Chart, bad[0].Reason)
	}
	writeUndecided(cmd.ErrOrStderr(), s.List.Undecided())
	for _, bad := range s.Failures() {
		fmt.Fprintf(cmd.ErrOrStderr(), "undecided: %s: %s\n", oneLine(bad.Chart), oneLine(bad.Reason))
	}
	var b bytes.Buffer
	err := s.List.WriteText(&b)
	return b.Bytes(), err
}

// build makes a repository of the SOURCEs in a folder of its own.
func (f *bundleCreateFlags) build(cmd *cobra.Command, args []string, folder string) error {
	o, err := f.options(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	o.Sources, o.Output = args, outputs(true, f.output, f.manifest)
	// What is missing in a bundle is missed where it can't be fetched any more.
	o.Strict = true
	r, err := repo.Open(folder, o)
	if err != nil {
		return err
	}
	defer closeRepo(r, o.Logger)
	err = r.Build(cmd.Context())
	if errors.Is(err, repo.ErrBadCharts) {
		f.sayFailures(cmd.ErrOrStderr(), r.Status().Failures, "")
	}
	return err
}

func (f *bundleCreateFlags) writeManifest(m *bundle.Manifest) error {
	if f.manifest == "" {
		return nil
	}
	out, err := bundle.NewOutput(f.manifest, 0)
	if err != nil {
		return err
	}
	defer out.Abort()
	if _, err := out.Write(m.Encode()); err != nil {
		return err
	}
	return out.Commit()
}

func (f *bundleCreateFlags) summary(w io.Writer, m *bundle.Manifest, files []string) error {
	totals, into, sums := m.Totals(), files[0], ""
	if len(files) > 1 {
		into += " to " + filepath.Base(files[len(files)-2])
		sums = ", with checksums in " + filepath.Base(files[len(files)-1])
	}
	text := fmt.Sprintf("Bundled %s into %s (%d bytes)%s\n", bundleCounts(totals), into, totals.Bytes, sums)
	if m.Base != "" {
		text += fmt.Sprintf("A delta: %s of the base are left out\n", plural(totals.InBase, "file"))
	}
	text += fmt.Sprintf("Manifest: SHA-256 %s\n", m.Digest())
	return f.say(w, text, "bundled", "files", files, "contents", totals, "manifest", m.Digest())
}

const bundleCreateLong = `Create writes the archives that the index.yaml of a repository folder names, with
their provenance, an index of their own and the list of the container images that
they name, into one file. Each archive is checked whole first, against that index.
With SOURCEs it builds these into a folder of its own first, and fails when any
chart is bad. The list of images is the one of chartserve images, which takes the
same --values, --exclude-image and --add-image.

The same repository gives the same bytes, and so do the same SOURCEs with the same
SOURCE_DATE_EPOCH. A file has its name once it is complete, never before. The SHA-256
of the manifest, which is printed, stands for all of it: passed on by another way, it
proves at the site that nothing was exchanged.`

const bundleCreateExample = `  # Bundle what chartserve build or chartserve mirror made
  chartserve bundle create -o site.bundle.tar --repo-path public

  # Build the charts of a tree and bundle them, cut for FAT-formatted sticks
  chartserve bundle create -o site.bundle.tar --split 4GB charts

  # Next month: only what is new since
  chartserve bundle create -o june.bundle.tar --base site.bundle.tar.manifest`
