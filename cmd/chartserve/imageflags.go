package main

import (
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"chartserve/internal/airgap/images"
)

// listFlags decide which images a list has besides those of the default values.
type listFlags struct {
	values, exclude, add []string
}

func (f *listFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.values, "values", nil, "`[NAME=]FILE` with values, as helm install gets with -f: for all charts, or for the chart NAME (repeatable, later ones win)")
	flags.StringArrayVar(&f.exclude, "exclude-image", nil, "leave out images by `GLOB`: of the whole name as it is listed, or of its parts before a /, : or @, such as quay.io or docker.io/*/nginx (repeatable)")
	flags.StringArrayVar(&f.add, "add-image", nil, "list the image `REF` too, NAME:TAG or NAME@DIGEST (repeatable)")
}

// given reports whether there is any.
func (f *listFlags) given() bool { return len(f.values)+len(f.exclude)+len(f.add) > 0 }

// apply puts what the flags say into a scan.
func (f *listFlags) apply(s *images.Scan) error {
	for _, value := range f.values {
		v := images.Values{File: value}
		if name, file, ok := strings.Cut(value, "="); ok && !strings.Contains(name, "/") {
			v = images.Values{Chart: name, File: file}
		}
		data, err := os.ReadFile(v.File)
		if err != nil {
			return fmt.Errorf("--values: %w", err)
		}
		if err := yaml.Unmarshal(data, &v.Table); err != nil {
			return fmt.Errorf("--values: %s is not a file of values: %w", v.File, err)
		}
		s.Finder.Values = append(s.Finder.Values, v)
	}
	for _, glob := range f.exclude {
		if _, err := path.Match(glob, ""); err != nil {
			return usagef("invalid value %q for --exclude-image: a [ is not closed, or stands empty", glob)
		}
	}
	s.Exclude = f.exclude
	for _, ref := range f.add {
		i, err := images.Named(ref)
		if err != nil {
			return usagef("invalid value %q for --add-image: %w (write NAME:TAG or NAME@DIGEST)", ref, err)
		}
		s.List.Add([]images.Image{i}, nil)
	}
	return nil
}

// maxUndecided is how many lines about what is undecided people are shown.
const maxUndecided = 100

// writeUndecided writes a line for each place that is undecided. Versions of one chart
// that say the same are one.
func writeUndecided(w io.Writer, list []images.Undecided) {
	type group struct {
		images.Undecided
		more int
	}
	var groups []*group
	byText := map[string]*group{}
	for _, u := range list {
		version := u.Version
		u.Version = ""
		text := undecidedText(u)
		if g := byText[text]; g != nil {
			g.more++
			continue
		}
		u.Version = version
		g := &group{u, 0}
		byText[text] = g
		groups = append(groups, g)
	}
	for _, g := range groups[:min(len(groups), maxUndecided)] {
		more := ""
		if g.more > 0 {
			more = fmt.Sprintf(" (and in %s)", plural(g.more, "other version"))
		}
		fmt.Fprintf(w, "undecided: %s%s\n", undecidedText(g.Undecided), more)
	}
	if more := len(groups) - maxUndecided; more > 0 {
		fmt.Fprintf(w, "undecided: %d more (chartserve images --output json lists them)\n", more)
	}
}

func undecidedText(u images.Undecided) string {
	return oneLine(fmt.Sprintf("%s %s: %s: %s: %q: %s", u.Chart, u.Version, u.File, u.Key, u.Value, u.Reason))
}
