// Command fileserver serves a folder with net/http alone, and answers /nothing out of memory: what sending bytes costs
// at least, and a request.
package main

import (
	"flag"
	"io"
	"log"
	"net/http"
	"time"
)

func main() {
	addr, folder := flag.String("addr", "", "host and port"), flag.String("folder", "", "what to serve")
	flag.Parse()
	routes := http.NewServeMux()
	routes.Handle("/", http.FileServer(http.Dir(*folder)))
	routes.HandleFunc("/nothing", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"ok"}`)
	})
	server := &http.Server{Addr: *addr, Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
