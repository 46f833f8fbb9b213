package main

import (
	"errors"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// choice is a flag that takes one of a few words.
type choice struct {
	value   string
	allowed []string
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return "string" }

func (c *choice) Set(s string) error {
	if !slices.Contains(c.allowed, s) {
		return errors.New("write " + oneOf(c.allowed))
	}
	c.value = s
	return nil
}

// register adds the flag to cmd, with completion.
func (c *choice) register(cmd *cobra.Command, name, usage string) {
	cmd.Flags().Var(c, name, usage)
	// It fails only for a flag that isn't there, or is registered twice.
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(c.allowed, cobra.ShellCompDirectiveNoFileComp))
}

// oneOf is "a, b or c".
func oneOf(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// byteSize is a flag that takes a number of bytes, with or without a unit.
type byteSize int64

// byteUnits are the units that byteSize reads, in bytes. String writes those
// that have an "i".
var byteUnits = []struct {
	name  string
	bytes int64
}{
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"Gi", 1 << 30}, {"Mi", 1 << 20}, {"Ki", 1 << 10},
	{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3},
	{"G", 1e9}, {"M", 1e6}, {"K", 1e3},
	{"B", 1},
}

func (b *byteSize) Type() string { return "size" }

func (b *byteSize) String() string {
	n := int64(*b)
	for _, u := range byteUnits[:3] {
		if n > 0 && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

func (b *byteSize) Set(s string) error {
	number, factor := s, int64(1)
	for _, u := range byteUnits {
		if len(s) > len(u.name) && strings.EqualFold(s[len(s)-len(u.name):], u.name) {
			number, factor = strings.TrimSpace(s[:len(s)-len(u.name)]), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/factor {
		return errors.New("write a size such as 512KiB, 5MiB or 20M")
	}
	*b = byteSize(n * factor)
	return nil
}

// maxEpoch is the last second that an RFC 3339 time can tell.
const maxEpoch = 253402300799

// sourceDateEpoch is the timestamp for archives, as reproducible-builds.org
// defines the variable SOURCE_DATE_EPOCH; zero when it isn't set.
func sourceDateEpoch() (time.Time, error) {
	const name = "SOURCE_DATE_EPOCH"
	text := os.Getenv(name)
	if text == "" {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > maxEpoch {
		return time.Time{}, usagef("environment variable %s: invalid value %q: write seconds since 1970, such as 1750000000", name, text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// period is a flag that takes a time.Duration, or a number of days: 90d.
type period time.Duration

func (p *period) Type() string { return "duration" }

func (p *period) String() string {
	if *p == 0 {
		return "0"
	}
	if d := time.Duration(*p); d%(24*time.Hour) == 0 {
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
	return time.Duration(*p).String()
}

func (p *period) Set(s string) error {
	const most = math.MaxInt64 / int64(24*time.Hour)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseInt(days, 10, 64)
		if err != nil || n < 0 || n > most {
			return errors.New("write a number of days such as 90d, or a duration such as 36h")
		}
		*p = period(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return errors.New("write a number of days such as 90d, or a duration such as 36h")
	}
	*p = period(d)
	return nil
}
