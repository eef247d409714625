package cli

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
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

type apiCommand struct {
	verb.PipelineFlags
	Listen    string   `default:"127.0.0.1:8080" help:"Address and port. The API doesn't ask who asks: before it listens elsewhere, put something that does in front of it." placeholder:"ADDRESS"`
	AllowHost []string `help:"A name under which the API may be asked, besides localhost and IP addresses, also by the pages of that name; may be given again." placeholder:"NAME"`
	Whole     bool     `help:"Give every attribute of an item; without it, hits have those that the index maps."`
}

// Run serves the API until it is interrupted; what is being answered is answered
// first.
func (c *apiCommand) Run(ctx context.Context, p declaration.Pipeline, servers []operate.Server) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	routes := http.NewServeMux()
	var examples []string
	serving := operate.Serving{Pipeline: p, Whole: c.Whole, Log: log, Find: func(consumer string) (operate.Part, error) { return c.Part(ctx, consumer) }}
	for _, s := range servers {
		handlers, err := s.Handlers(ctx, serving)
		if verb.RunsElsewhere(err) {
			log.Info("not served", "why", err)
			continue
		}
		if err != nil {
			return err
		}
		for _, h := range handlers {
			routes.Handle(h.Pattern, h.Handler)
			examples = append(examples, h.Example)
		}
	}
	if len(examples) == 0 {
		return errors.New("no consumer of this pipeline answers over HTTP")
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen at %s: %w; name another address with --listen", c.Listen, err)
	}
	verb.Say("The API listens at http://%s; try curl 'http://%[1]s%s'; stop it with Ctrl-C.\n", listener.Addr(), strings.Join(examples, "', or '"))
	if ip := net.ParseIP(hostOf(listener.Addr().String())); !ip.IsLoopback() {
		log.Warn("whoever reaches this address can read all that the API answers; it doesn't ask who asks", "address", listener.Addr())
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
