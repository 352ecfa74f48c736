// An HTTP server over a listener that the WASI host opened: it stands after the preopened
// directories, whose number the first argument gives. Serves files of the directory at /, echoes
// what is posted to /echo, and ends after a request for /quit.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func main() {
	if os.Getenv("LISTEN_FDS") != "1" || len(os.Args) != 2 {
		must(fmt.Errorf("LISTEN_FDS=%q, arguments %q", os.Getenv("LISTEN_FDS"), os.Args))
	}
	directories, err := strconv.Atoi(os.Args[1])
	must(err)
	fd := 3 + directories
	// waiting for a caller must not hold up the goroutines that serve others
	must(syscall.SetNonblock(fd, true))
	listener, err := net.FileListener(os.NewFile(uintptr(fd), "listener"))
	must(err)

	quit := make(chan struct{})
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir("/")))
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Write(body)
	})
	mux.HandleFunc("GET /quit", func(http.ResponseWriter, *http.Request) { close(quit) })

	server := &http.Server{Handler: mux}
	go func() {
		if err := server.Serve(listener); err != http.ErrServerClosed {
			must(err)
		}
	}()
	fmt.Println("serving")
	<-quit
	must(server.Shutdown(context.Background()))
	fmt.Println("done")
}
