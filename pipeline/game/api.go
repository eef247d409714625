package game

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"sluice/cli/verb"
	searchops "sluice/consumers/search/ops"
	"sluice/consumers/search/query"
	"sluice/shared/declaration"
)

type apiCommand struct {
	verb.PipelineFlags
	BadgesStack      string   `help:"With --stack, which is that of search: the badges' stack on AWS; without it, players aren't served." placeholder:"NAME"`
	LeaderboardStack string   `help:"With --badges-stack: the leaderboard's stack on AWS." placeholder:"NAME"`
	Listen           string   `default:"127.0.0.1:8080" help:"Address and port. The API doesn't ask who asks: before it listens elsewhere, put something that does in front of it." placeholder:"ADDRESS"`
	AllowHost        []string `help:"A name under which the API may be asked, besides localhost and IP addresses, also by the pages of that name; may be given again." placeholder:"NAME"`
	Whole            bool     `help:"Give every attribute of an item; without it, hits have those that the index maps."`
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
func (c *apiCommand) Run(ctx context.Context, pipeline declaration.Pipeline) error {
	part, err := c.Part(ctx, "search")
	if err != nil {
		return err
	}
	searcher, err := searchops.NewSearcher(part, pipeline)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	routes := http.NewServeMux()
	searches := query.NewHandler(searcher, log)
	searches.Whole = c.Whole
	routes.Handle("/search", searches)
	if c.Stack == "" || c.BadgesStack != "" {
		players, err := playerFlags{verb.PipelineFlags{LocalFlags: c.LocalFlags, Stack: c.BadgesStack}, c.LeaderboardStack}.players(ctx, pipeline)
		if err != nil {
			return err
		}
		routes.Handle("/players/{id}", newPlayersHandler(players, log))
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen at %s: %w; name another address with --listen", c.Listen, err)
	}
	verb.Say("The API listens at http://%s; try curl 'http://%[1]s/search?index=%s', or /players/NAME; stop it with Ctrl-C.\n", listener.Addr(), searcher.Indexes()[0])
	if ip := net.ParseIP(hostOf(listener.Addr().String())); !ip.IsLoopback() {
		log.Warn("whoever reaches this address can search and read players; the API doesn't ask who asks", "address", listener.Addr())
	}
	return serve(ctx, listener, onlyOwn(routes, c.AllowHost), log)
}

// stopTimeout is how long answers that are being made may take after an interrupt.
const stopTimeout = 10 * time.Second

// serve serves until the context ends.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      time.Minute, // until the answer begins; writing it has its own limits
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
	verb.SayLine("The API is stopped.")
	return nil
}

// onlyOwn refuses requests that a web page of somebody else makes a browser send. Such a
// page has an Origin of its own, or a name that somebody lets lead to this machine. An
// IP address is no name, so nobody else can let it lead here.
func onlyOwn(next http.Handler, allowed []string) http.Handler {
	own := func(host string) bool {
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		return host == "localhost" || net.ParseIP(host) != nil || slices.ContainsFunc(allowed, func(name string) bool { return strings.EqualFold(name, host) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r.Host)
		if !own(host) {
			http.Error(w, fmt.Sprintf("the API isn't asked under the name %q: ask it as localhost or by its IP address, or start it with --allow-host %[1]s", host), http.StatusMisdirectedRequest)
			return
		}
		for _, origin := range r.Header.Values("Origin") {
			page, err := url.Parse(origin)
			if err != nil || !own(page.Hostname()) || !strings.EqualFold(page.Host, r.Host) && !slices.Contains(allowed, page.Hostname()) {
				http.Error(w, fmt.Sprintf("the API isn't for pages of %q; start it with --allow-host and the page's name to allow them", origin), http.StatusForbidden)
				return
			}
		}
		// Images, scripts and frames of a page are asked for without an Origin; browsers say so in a header that no page can set.
		if site := r.Header.Get("Sec-Fetch-Site"); r.Header.Get("Origin") == "" && (site == "cross-site" || site == "same-site") {
			http.Error(w, "the API isn't for what another page shows or links to; type its address, or start it with --allow-host and ask with fetch", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostOf returns an address without its port and without brackets.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}
