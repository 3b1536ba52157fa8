package server_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"guestpass"
	"guestpass/internal/inside"
)

func TestAStopLetsRunningRequestsFinish(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived, release := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		_, _ = io.WriteString(w, "finished")
	})
	ctx, stop := context.WithCancel(t.Context())
	served, answered := make(chan error, 1), make(chan string, 1)
	go func() { served <- guestpass.Serve(ctx, listener, handler, slog.New(slog.DiscardHandler), 0) }()
	go func() {
		response, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			answered <- err.Error()
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		answered <- string(body)
	}()
	<-arrived
	stop()
	select {
	case err := <-served:
		t.Fatalf("it stopped while a request was running: %v", err)
	default:
	}
	close(release)
	if got := <-answered; got != "finished" {
		t.Errorf("the running request got %q", got)
	}
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if _, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		t.Error("it still takes connections")
	}
}

// Calls that are served between the signal to stop and the end are seen on /account.
func TestUsesOfTheLastSecondsAreKept(t *testing.T) {
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	must(t, w.app.Run(ctx))
	if got := w.reads(w.token(ada, everything...)); got != 200 {
		t.Fatalf("after the signal: %d", got)
	}
	w.app.Flush(t.Context())
	kept, err := w.options.Store.Connections(t.Context(), acme, ada, 10)
	if err != nil || len(kept) != 1 {
		t.Errorf("%v %v", kept, err)
	}
}

// Whoever opens connections without end makes others wait, not the server fall.
func TestConnectionsBeyondTheNumberWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most, clients = 2, 5
		var arrived atomic.Int64
		let := make(chan struct{})
		handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			arrived.Add(1)
			<-let
		})
		listener := &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: listener.dial}}
		ctx, stop := context.WithCancel(t.Context())
		served, answered := make(chan error, 1), make(chan error, clients)
		go func() { served <- inside.ServeAtMost(ctx, most, listener, handler) }()
		for range clients {
			go func() {
				response, err := client.Get("http://guestpass.example")
				if err == nil {
					response.Body.Close()
				}
				answered <- err
			}()
		}
		for i := range clients {
			synctest.Wait()
			if want := int64(min(clients, most+i)); arrived.Load() != want {
				t.Errorf("%d requests are there after %d were answered, want %d", arrived.Load(), i, want)
			}
			let <- struct{}{}
			if err := <-answered; err != nil {
				t.Error(err)
			}
		}
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// pipes is a listener in memory.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.connections <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case connection := <-p.connections:
		return connection, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Net: "unix", Name: "memory"} }
