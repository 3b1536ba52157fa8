package stytchtest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A requestView is a request as the page shows it.
type requestView struct {
	Request
	ID, At            string
	Outcome           string // a class of the style sheet: good, refused or failed
	Asked, Sent, Came content
}

func viewRequest(r Request, now time.Time) requestView {
	v := requestView{Request: r, ID: "request-" + strconv.Itoa(r.number), At: at(r.Time, now), Outcome: "good"}
	v.Asked, v.Sent, v.Came = readable(v.ID+"-query", r.Query), readable(v.ID+"-body", r.Body),
		readable(v.ID+"-reply", r.Reply)
	if r.Status >= 400 && r.Status < 500 {
		v.Outcome = "refused"
	} else if r.Status == 0 || r.Status >= 500 {
		v.Outcome = "failed"
	}
	return v
}

// A content is a query or body, made readable. Whole tokens are shortened in Text and
// follow in Tokens.
type content struct {
	Text   string
	Cut    bool // there was more of it
	Tokens []decoded
}

// A decoded token is taken apart, not verified.
type decoded struct{ ID, Name, Header, Claims, Whole string }

// jwt finds tokens, with the name of the member or parameter whose value they are.
var jwt = regexp.MustCompile(`(?:(\w+)(?:"\s*:\s*"|=))?(eyJ[\w-]+)\.(eyJ[\w-]+)\.[\w-]+`)

func readable(id, text string) content {
	c := content{Text: text, Cut: len(text) >= maxRecorded}
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
		c.Tokens = append(c.Tokens, decoded{id, name, indented(header), indented(claims), whole})
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

func indented(v any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // the template escapes
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return err.Error() // claims that a test minted need not be JSON
	}
	return strings.TrimSpace(text.String())
}

// A tokenView is an issued token as the page shows it.
type tokenView struct {
	ID, Kind, Subject, Person, Client, Scope string
	Issued, Expires, Left                    string // Left is "ended" once it has, "" without an end
	KeyID, Claims                            string
	Ended, Revoked                           bool
}

// viewToken names the people and apps of the token. The caller holds mu.
func (e *Emulator) viewToken(t Token) tokenView {
	now := e.now()
	v := tokenView{ID: "token-" + strconv.Itoa(t.number), Kind: t.Kind, KeyID: t.KeyID, Issued: at(t.Time, now),
		Claims: indented(t.Claims)}
	var claims struct {
		Subject  string   `json:"sub"`
		Client   string   `json:"client_id"`
		Audience []string `json:"aud"`
		Scope    string   `json:"scope"`
		Expires  float64  `json:"exp"`
		ID       string   `json:"jti"`
	}
	_ = json.Unmarshal([]byte(v.Claims), &claims) // a claim of another type, which a test may mint, stays empty
	v.Subject, v.Person, v.Client, v.Scope = claims.Subject, claims.Subject, claims.Client, claims.Scope
	if p := e.state.person(claims.Subject); p != nil {
		v.Person = p.email()
	}
	for _, id := range append(claims.Audience, claims.Client) {
		if app := e.state.app(id); app != nil {
			v.Client = app.Name
		}
	}
	if issued := e.state.Issued[claims.ID]; issued != nil {
		v.Revoked = issued.Revoked
	}
	if claims.Expires == 0 {
		return v
	}
	expires := time.Unix(int64(claims.Expires), 0)
	v.Expires, v.Ended = at(expires, now), !now.Before(expires)
	v.Left = span(rounded(expires.Sub(now)))
	return v
}

// at is a time of the emulator's clock, with the day unless it is today.
func at(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format("2 Jan 15:04")
}

// rounded leaves out the seconds of what is longer than a few minutes.
func rounded(d time.Duration) time.Duration {
	if d.Abs() < 5*time.Minute {
		return d.Round(time.Second)
	}
	return d.Round(time.Minute)
}

// span is the length of a duration in its two largest units.
func span(d time.Duration) string {
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
