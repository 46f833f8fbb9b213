package main

import (
	_ "embed"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// licensesText is made by "make licenses" of the modules that are linked.
//
//go:embed licenses.txt
var licensesText string

func newLicenses() *cobra.Command {
	return &cobra.Command{
		Use:     "licenses",
		Short:   "Print the licences of what is linked into the program",
		Long:    "Licenses prints the licences and notices of the Go modules whose code the program holds. Archives\nand packages of chartserve have the same text as THIRD_PARTY_LICENSES.",
		Example: `  chartserve licenses | less`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("licenses takes no argument, but got %q", args[0])
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), licensesText)
			return err
		},
	}
}
