package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"chartserve/internal/access"
)

// newToken holds the commands about tokens.
func newToken() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "token",
		Short:   "Make tokens that clients log in with",
		Long:    tokenLong,
		Example: tokenExample,
	}
	return asGroup(cmd, newTokenCreate())
}

type tokenFlags struct {
	file           string
	rights, charts []string
	expires        period
}

func newTokenCreate() *cobra.Command {
	f := new(tokenFlags)
	cmd := &cobra.Command{
		Use:               "create NAME --token-file FILE",
		Short:             "Make a token, print it, and add its hash to a token file",
		Long:              tokenCreateLong,
		Example:           tokenExample,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("token create needs one NAME: who or what the token is for, such as ci")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.create(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.file, "token-file", "", "`FILE` that the token's hash is added to, and that serve --token-file reads")
	_ = cmd.MarkFlagFilename("token-file")
	flags.StringSliceVar(&f.rights, "rights", []string{"read"}, "`RIGHTS` of the token: some of read, upload and delete, separated by commas")
	flags.StringSliceVar(&f.charts, "charts", nil, "`GLOB` of names of charts that its rights are for, such as 'web-*'; all without it (repeatable)")
	flags.Var(&f.expires, "expires", "the token is good for this `DURATION`, such as 90d; 0 is for ever")
	return cmd
}

func (f *tokenFlags) create(cmd *cobra.Command, name string) error {
	if f.file == "" {
		return usagef("token create needs --token-file FILE, for the token's hash")
	}
	t := &access.Token{Name: name, Charts: f.charts}
	for _, right := range f.rights {
		t.Rights = append(t.Rights, access.Right(right))
	}
	if f.expires > 0 {
		t.Expires = time.Now().Add(time.Duration(f.expires)).Truncate(time.Second)
	}
	secret, err := t.Create(f.file)
	if err != nil {
		return fmt.Errorf("token create: %w", err)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), secret)
	return err
}

const tokenLong = `Token makes tokens that clients log in with to a chartserve serve --token-file: as
bearer tokens, or in place of a password beside the token's name.

A token file has one line for each token: its name, the SHA-256 of the token, and
what it is good for. To take a token back, delete its line. A server follows the file.`

const tokenCreateLong = `Create makes a token and prints it, once: the file has only its SHA-256. A file that
is not there is made, for its owner alone.

The token may be sent as a bearer token, or as the password beside its NAME, which is
what helm repo add can do.`

const tokenExample = `  # For CI: a token that uploads the charts of a team, for 90 days
  chartserve token create ci --rights upload --charts 'web-*' --expires 90d --token-file tokens

  # Serve with it; everybody may read
  chartserve serve --allow-upload --token-file tokens --anonymous-read charts`
