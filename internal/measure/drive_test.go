package measure_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A request is sent as it is, again and again.
type request struct {
	method, path, token, body string
	more                      string // header lines, each with its end
	want                      int    // the status
}

func (r request) text(host string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n%s", r.method, r.path, host, r.more)
	if r.token != "" {
		fmt.Fprintf(&text, "Authorization: Bearer %s\r\n", r.token)
	}
	if r.body != "" {
		fmt.Fprintf(&text, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(r.body))
	}
	text.WriteString("\r\n" + r.body)
	return text.String()
}

// A connection sends one request after the other. net/http's client costs more than the servers that are measured.
type connection struct {
	net.Conn
	*bufio.Reader
}

func connect(host string) (*connection, error) {
	dialled, err := net.Dial("tcp", host)
	if err != nil {
		return nil, err
	}
	return &connection{dialled, bufio.NewReaderSize(dialled, 64<<10)}, nil
}

// ask returns status and body of the reply.
func (c *connection) ask(text string) (status int, body []byte, err error) {
	if err = c.SetDeadline(time.Now().Add(time.Minute)); err == nil {
		_, err = io.WriteString(c.Conn, text)
	}
	if err != nil {
		return 0, nil, err
	}
	response, err := http.ReadResponse(c.Reader, nil)
	if err != nil {
		return 0, nil, err
	}
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

// A cost is what one kind of request took.
type cost struct {
	cpu  time.Duration // of the server, for each
	rate float64       // a second, with one processor for the server
	took []time.Duration
}

func (c cost) percentile(p float64) time.Duration {
	if len(c.took) == 0 {
		return 0
	}
	slices.Sort(c.took)
	return c.took[min(len(c.took)-1, int(p*float64(len(c.took))))]
}

// connections keep one processor busy, and are fewer than the calls that one person may have at Stytch at once.
const connections = 4

// drive has all connections ask for the same for a while.
func (p *program) drive(b *testing.B, r request, lasts time.Duration) cost {
	b.Helper()
	host := strings.TrimPrefix(p.url, "http://")
	text, over := r.text(host), time.Now().Add(lasts)
	var mu sync.Mutex // guards all, failed
	var all []time.Duration
	var failed error
	var group sync.WaitGroup
	before, began := p.spent(), time.Now()
	for range connections {
		group.Go(func() {
			took, err := repeat(host, text, r.want, over)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			if err != nil {
				failed = err
			}
		})
	}
	group.Wait()
	if failed != nil {
		b.Fatalf("%s, %s: %v\n%s", p.name, r.path, failed, p.said())
	}
	n := len(all)
	return cost{(p.spent() - before) / time.Duration(n), float64(n) / time.Since(began).Seconds(), all}
}

func repeat(host, text string, want int, over time.Time) (took []time.Duration, err error) {
	c, err := connect(host)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	for time.Now().Before(over) {
		sent := time.Now()
		status, body, err := c.ask(text)
		if err != nil {
			return nil, err
		}
		if status != want {
			return nil, fmt.Errorf("%d in place of %d: %.300s", status, want, body)
		}
		took = append(took, time.Since(sent))
	}
	return took, nil
}
