package store

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"guestpass/internal/pattern"
)

// bounds are in time: parameters of each session with Postgres that changes something, by their names. 0 is none.
type bounds map[string]time.Duration

// defaultBounds hold unless the URL says another.
var defaultBounds = bounds{"lock_timeout": lockTimeout, "statement_timeout": statementTimeout,
	"idle_in_transaction_session_timeout": idleTimeout}

// takeBounds takes the bounds of the URL out of what every connection would begin with. A pooler may refuse them.
func takeBounds(config *pgx.ConnConfig) (bounds, error) {
	taken := bounds{}
	for name, usual := range defaultBounds {
		taken[name] = usual
		text, found := config.RuntimeParams[name]
		if !found {
			continue
		}
		value, err := parseBound(text)
		if err != nil {
			return nil, fmt.Errorf("must give %s %w", name, err)
		}
		taken[name] = value
		delete(config.RuntimeParams, name)
	}
	return taken, nil
}

var (
	boundText = pattern.New(`^\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*$`)
	units     = map[string]time.Duration{"us": time.Microsecond, "": time.Millisecond, "ms": time.Millisecond,
		"s": time.Second, "min": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	errBound = errors.New("a duration as Postgres has it, such as 2s, 500ms or 1min, which is milliseconds without a " +
		"unit and at most 24d, and 0 for no bound")
)

// parseBound reads a duration as Postgres reads and writes it, and rounds it to milliseconds as it does.
func parseBound(text string) (time.Duration, error) {
	parts := boundText.FindStringSubmatch(text)
	if parts == nil {
		return 0, errBound
	}
	number, err := strconv.ParseFloat(parts[1], 64)
	exact := number * float64(units[parts[2]])
	if err != nil || exact > math.MaxInt32*float64(time.Millisecond) {
		return 0, errBound
	}
	return time.Duration(exact).Round(time.Millisecond), nil
}

// answer returns how long a statement is waited for; 0: without end.
func (b bounds) answer() time.Duration {
	if b["statement_timeout"] == 0 {
		return 0
	}
	return b["statement_timeout"] + answerMargin
}

// statements set the bounds for one transaction, where a pooler does not pass them on.
func (b bounds) statements() (text string) {
	for name, value := range b {
		text += "SET LOCAL " + name + " = " + milliseconds(value) + "; "
	}
	return text
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
