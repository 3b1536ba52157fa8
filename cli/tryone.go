//go:build !production

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"guestpass/gpttest"
)

// callOne calls the operation of --call, with typed arguments.
func (t *try) callOne(ctx context.Context, s surface, op gpttest.Operation, arguments map[string]any) error {
	result, err := s.call(ctx, op, arguments)
	if err != nil {
		return fmt.Errorf("call %s: %w", op.ID, err)
	}
	t.print.called(op, arguments, result, true)
	if result.Status >= 400 || judged(op, result.Result).unreadable {
		return errQuiet
	}
	return nil
}

// checkArguments returns an error for arguments that ChatGPT would not send.
func checkArguments(op gpttest.Operation, arguments map[string]any) error {
	var names []string
	for _, a := range op.Arguments {
		names = append(names, a.Name)
	}
	takes := "it takes " + strings.Join(names, ", ")
	if len(names) == 0 {
		takes = "it takes none"
	}
	err := op.CheckArguments(arguments)
	var unknown *gpttest.KwargsError
	var missing *gpttest.MissingError
	switch {
	case errors.As(err, &unknown):
		return usagef("%s has no argument %s: %s", op.ID, strings.Join(unknown.Names, ", "), takes)
	case errors.As(err, &missing):
		return usagef("%s needs %s: write %s=…", op.ID, strings.Join(missing.Names, ", "),
			strings.Join(missing.Names, "=… "))
	}
	return err
}

// typedArguments turns words into values of the types of the operation's arguments.
func typedArguments(op gpttest.Operation, words map[string]string) map[string]any {
	arguments := map[string]any{}
	for name, text := range words {
		arguments[name] = typed(op, name, text)
	}
	return arguments
}

// typed turns a text into a value of the argument's type. A text that does not fit stays as it is, so that the server's
// answer can be seen.
func typed(op gpttest.Operation, name, text string) any {
	for _, a := range op.Arguments {
		if a.Name != name {
			continue
		}
		if a.Type == "array" {
			values := []any{}
			if json.Unmarshal([]byte(text), &values) == nil {
				return values
			}
			for _, part := range strings.Split(text, ",") {
				values = append(values, typedAs(a.Items, part))
			}
			return values
		}
		return typedAs(a.Type, text)
	}
	return text
}

func typedAs(kind, text string) any {
	switch kind {
	case "integer", "number":
		if json.Valid([]byte(text)) {
			return json.Number(text)
		}
	case "boolean":
		if value, err := strconv.ParseBool(text); err == nil {
			return value
		}
	case "object":
		var value any
		if json.Unmarshal([]byte(text), &value) == nil {
			return value
		}
	}
	return text
}
