package postgrestest

import (
	"io"
	"net"
	"testing"
)

// Relay connects whoever comes to the returned address, of TCP, with the server at the socket that to returns then.
// What the client says goes to the server; carry brings back what the server says, and both connections are closed
// when it returns. Nobody can come once the test is over. Both functions are called for several clients at once.
func Relay(t testing.TB, to func() (socket string), carry func(client, server net.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(client, to(), carry)
		}
	}()
	return listener.Addr().String()
}

func relay(client net.Conn, socket string, carry func(client, server net.Conn)) {
	defer client.Close()
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	carry(client, server)
}
