package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"guestpass/internal/setup"
)

func callbackCommand(environ []string) *cobra.Command {
	s := &setupRun{environ: environ}
	var clientID string
	var tidy bool
	command := &cobra.Command{
		Use:   "callback URL",
		Short: "Register a GPT's or a plugin's callback URL with its connected app",
		Long: `Registers the callback URL that the GPT editor shows below an action, or that a plugin
shows, with the connected app of GUESTPASS_TRY_CLIENT_ID or --client-id: that of a GPT on
both hosts of ChatGPT, since it uses both. The id in the URL of a GPT can change when its authentication is
changed; then run this again with the new one, and with --tidy, so that those of before go.

It needs STYTCH_PROJECT_ID and STYTCH_SECRET.`,
		Example: "  guestpass setup callback https://chat.openai.com/aip/g-1234/oauth/callback\n" +
			"  guestpass setup callback --tidy https://chatgpt.com/aip/g-5678/oauth/callback",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("name the one callback URL, such as https://chatgpt.com/aip/g-1234/oauth/callback")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return s.callback(cmd, args[0], clientID, tidy) },
	}
	command.Flags().StringVar(&clientID, "client-id", "", "connected app of the GPT or the plugin "+
		"(default GUESTPASS_TRY_CLIENT_ID)")
	command.Flags().BoolVar(&tidy, "tidy", false, "take away the app's callbacks of the same kind that are of other "+
		"GPTs or plugins")
	s.common(command)
	return command
}

func (s *setupRun) callback(cmd *cobra.Command, address, clientID string, tidy bool) (err error) {
	urls, err := setup.Callbacks(address)
	if err != nil {
		return usagef("the callback URL cannot be used: %w", err)
	}
	if _, err := s.begin(cmd); err != nil {
		return err
	}
	c, applied := s.config, false
	id := or(clientID, c.TryClientID)
	switch {
	case c.ProjectID == "" || c.Secret == "":
		return usagef("STYTCH_PROJECT_ID and STYTCH_SECRET are not both set: run `guestpass setup` first, or name " +
			"its file with --" + envFileFlag)
	case id == "":
		return usagef("name the connected app of the GPT with --client-id")
	}
	if s.base = c.BaseURL; c.Emulator != "" {
		release, err := s.alone()
		if err != nil {
			return err
		}
		defer release()
		if err := s.standIn(cmd.Context(), cmd.OutOrStdout()); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, s.finish(applied)) }()
	plan, err := setup.ReadCallbacks(cmd.Context(), s.client(c.ProjectID, c.Secret), id, urls, tidy)
	if err == nil {
		err = plan.Write(cmd.OutOrStdout(), s.file())
	}
	if err != nil || plan.Nothing() {
		return err
	}
	if done, err := s.confirm(); err != nil || !done {
		return err
	}
	applied = true
	if err := setup.ApplyCallbacks(cmd.Context(), plan); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), "\nregistered")
	return nil
}
