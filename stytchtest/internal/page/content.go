package page

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"guestpass/stytchtest/internal/wire"
)

// A Content is a query or body, made readable. Whole tokens are shortened in Text and
// follow in Tokens.
type Content struct {
	Text   string
	Cut    bool // there was more of it
	Tokens []Decoded
}

// A Decoded token is taken apart, not verified.
type Decoded struct{ ID, Name, Header, Claims, Whole string }

// jwt finds tokens, with the name of the member or parameter whose value they are.
var jwt = regexp.MustCompile(`(?:(\w+)(?:"\s*:\s*"|=))?(eyJ[\w-]+)\.(eyJ[\w-]+)\.[\w-]+`)

func readable(id, text string) Content {
	c := Content{Text: text, Cut: len(text) >= wire.MaxRecorded}
	var pretty bytes.Buffer
	if json.Indent(&pretty, []byte(text), "", "  ") == nil {
		c.Text = strings.TrimSpace(pretty.String())
	} else if lines, ok := formLines(text); ok {
		c.Text = lines
	}
	for _, found := range jwt.FindAllStringSubmatch(c.Text, -1) {
		header, claims := decodePart(found[2]), decodePart(found[3])
		if header == nil || claims == nil {
			continue
		}
		name, whole := found[1], found[0][strings.Index(found[0], found[2]):]
		if name == "" {
			name = "token"
		}
		id := id + "-" + strconv.Itoa(len(c.Tokens))
		c.Tokens = append(c.Tokens, Decoded{id, name, Indented(header), Indented(claims), whole})
		c.Text = strings.ReplaceAll(c.Text, whole, whole[:12]+"…"+whole[len(whole)-6:])
	}
	return c
}

func decodePart(part string) (object map[string]any) {
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil || json.Unmarshal(data, &object) != nil {
		return nil
	}
	return object
}

// formLines writes one parameter on a line, in their order.
func formLines(text string) (string, bool) {
	var lines []string
	for pair := range strings.SplitSeq(text, "&") {
		name, value, given := strings.Cut(pair, "=")
		name, badName := url.QueryUnescape(name)
		value, badValue := url.QueryUnescape(value)
		if !given || badName != nil || badValue != nil || strings.ContainsAny(pair, " \n<>{}") {
			return "", false
		}
		lines = append(lines, name+"="+value)
	}
	return strings.Join(lines, "\n"), true
}

// Indented returns a value as JSON in lines.
func Indented(v any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // the template escapes
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return err.Error() // claims that a test minted need not be JSON
	}
	return strings.TrimSpace(text.String())
}

// At returns a time of the emulator's clock, with the day unless it is today.
func At(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format("2 Jan 15:04")
}

// Rounded leaves out the seconds of what is longer than a few minutes.
func Rounded(d time.Duration) time.Duration {
	if d.Abs() < 5*time.Minute {
		return d.Round(time.Second)
	}
	return d.Round(time.Minute)
}

// Span returns the length of a duration in its two largest units.
func Span(d time.Duration) string {
	d = d.Abs()
	var parts []string
	for _, unit := range []struct {
		name   string
		length time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}} {
		if n := d / unit.length; n > 0 && len(parts) < 2 {
			parts = append(parts, strconv.Itoa(int(n))+" "+unit.name)
		}
		d %= unit.length
	}
	if parts == nil {
		return "0 s"
	}
	return strings.Join(parts, " ")
}

// Said puts the query to which a button leads into words.
func Said(query url.Values) (done, problem string) {
	if query.Has("problem") {
		return "", "“" + query.Get("problem") + "” is no duration. Say how far the clock should go, such as 90m, " +
			"2h or 1h30m."
	}
	switch query.Get("done") {
	case "reset":
		done = "Everything is as the seed has it, and the clock shows the real time. The keys stayed."
	case "rotate":
		done = "A new key signs from now on. The old one stays published for a month."
	case "advance":
		if by, err := time.ParseDuration(query.Get("by")); err == nil && by < 0 {
			done = "The clock went back by " + Span(by) + "."
		} else if err == nil {
			done = "The clock went on by " + Span(by) + "."
		}
	case "clear-faults":
		done = "There are no faults any more."
	case "revoke-consent":
		done = "What was allowed is taken back, and everything that was issued by it has ended."
	case "revoke-token":
		done = "The token has ended. With a refresh token, so have those that came from the same code."
	case "revoke-tokens":
		done = "All tokens of the client have ended. What people allowed it stays."
	case "delete-client":
		done = "The client is deleted, with its tokens and all that people allowed it."
	case "gone":
		done = "There was nothing to do: that was gone already."
	}
	return done, ""
}
