package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"sluice/consumers/search/query"
)

type apiCommand struct {
	pipelineFlags
	BadgesStack      string `help:"With --stack, which is that of search: the badges' stack on AWS; without it, players aren't served." placeholder:"NAME"`
	LeaderboardStack string `help:"With --badges-stack: the leaderboard's stack on AWS." placeholder:"NAME"`
	Listen           string `default:"127.0.0.1:8080" help:"Address and port. The API doesn't ask who asks: before it listens elsewhere, put something that does in front of it." placeholder:"ADDRESS"`
}

// Validate checks which stacks are named together.
func (c *apiCommand) Validate() error {
	if (c.BadgesStack == "") != (c.LeaderboardStack == "") || c.BadgesStack != "" && c.Stack == "" {
		return errors.New("--badges-stack and --leaderboard-stack go together, with --stack")
	}
	return nil
}

// Run serves the API until it is interrupted; what is being answered is answered
// first.
func (c *apiCommand) Run(ctx context.Context) error {
	searcher, err := c.searcher(ctx)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	routes := http.NewServeMux()
	routes.Handle("/search", query.NewHandler(searcher, log))
	if c.Stack == "" || c.BadgesStack != "" {
		players, err := playerFlags{pipelineFlags{c.localFlags, c.BadgesStack}, c.LeaderboardStack}.players(ctx)
		if err != nil {
			return err
		}
		routes.Handle("/players/{id}", newPlayersHandler(players, log))
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen at %s: %w; name another address with --listen", c.Listen, err)
	}
	say("The API listens at http://%s; try curl 'http://%[1]s/search?index=%s', or /players/NAME; stop it with Ctrl-C.\n", listener.Addr(), searcher.Indexes()[0])
	handler := http.Handler(routes)
	if ip := net.ParseIP(hostOf(listener.Addr().String())); ip.IsLoopback() {
		handler = onlyLocal(routes)
	} else {
		log.Warn("whoever reaches this address can search and read players; the API doesn't ask who asks", "address", listener.Addr())
	}
	return serve(ctx, listener, handler, log)
}

// stopTimeout is how long answers that are being made may take after an interrupt.
const stopTimeout = 10 * time.Second

// serve serves until the context ends.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      time.Minute, // of a page of large documents, behind its search
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	stopping, stop := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer stop()
	if err := server.Shutdown(stopping); err != nil {
		return fmt.Errorf("answers were still being made after %v: %w", stopTimeout, err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	sayLine("The API is stopped.")
	return nil
}

// onlyLocal refuses requests for other hosts: a web page whose name somebody lets lead
// to this machine could read the answers otherwise.
func onlyLocal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r.Host)
		if ip := net.ParseIP(host); host != "localhost" && !ip.IsLoopback() {
			http.Error(w, "the API listens for this machine only: ask it as localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostOf returns an address without its port.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
