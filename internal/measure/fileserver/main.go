// Command fileserver serves a folder with net/http alone: what sending bytes costs at least.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"
)

func main() {
	addr, folder := flag.String("addr", "", "host and port"), flag.String("folder", "", "what to serve")
	flag.Parse()
	server := &http.Server{Addr: *addr, Handler: http.FileServer(http.Dir(*folder)), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
