package servers

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Server is one pinned server: how to have it and how to run it. Those that exist are the package's variables.
type Server struct {
	Name          string // what people call the server
	Version       string // the one version that is installed and run
	PreferredPort int    // the port that people expect the server at

	slug    string // the name in paths
	recipe  fs.FS  // files that say what to install and how to start it; a change of them installs anew
	install func(ctx context.Context, dir string, progress Progress) error
	intact  func(ctx context.Context, dir string) bool // whether an install still runs; nil: always
	// needs are the tools that run the server, installNeeds those that install it.
	needs, installNeeds []tool
	command             func(dir string, run launch) (command, error)
	// portFile is where, below its working directory, a server writes its address that can't take our socket.
	portFile string
	// data is, below its working directory, where it keeps what it remembers from one run to the next; empty: nowhere.
	data string
	// answers makes one real request with the access key and returns nil if it was answered.
	answers func(ctx context.Context, endpoint, key string) error
}

type launch struct {
	port    int    // 0: any, for a server with a portFile
	dir     string // its working directory, for all that it writes
	logPath string
	key     string // the access key that is let in; empty: each
}

// environment is what a server gets of ours: where programs are, and nothing that may be secret.
func environment(run launch) []string {
	env := []string{"HOME=" + run.dir, "TMPDIR=" + run.dir}
	for _, name := range []string{"PATH", "JAVA_HOME", "LANG", "LC_ALL", "TZ"} {
		if value, set := os.LookupEnv(name); set { //nolint:forbidigo // where programs are, not a setting
			env = append(env, name+"="+value)
		}
	}
	if run.key != "" {
		env = append(env, keyVariable+"="+run.key)
	}
	return env
}

// keyVariable tells the guards of servers which access key is let in.
const keyVariable = "SLUICE_ACCESS_KEY"

type command struct {
	path string
	args []string
	env  []string
	// listenerIsStdin passes the listening socket as standard input instead of file descriptor 3.
	listenerIsStdin bool
}

// Progress is told what is being done, in lines for people. Nil says nothing.
type Progress func(format string, args ...any)

func (p Progress) say(format string, args ...any) {
	if p != nil {
		p(format, args...)
	}
}

//go:embed dynamodb ministack opensearch samcli
var recipes embed.FS

func recipe(slug string) fs.FS {
	sub, err := fs.Sub(recipes, slug)
	if err != nil {
		panic(err) // only for a slug that is no valid path
	}
	return sub
}

// cacheDir is the directory of all installed servers, the same for every checkout of one user.
func cacheDir() (string, error) {
	user, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(user, "sluice", "servers"), nil
}

// KeepsData reports whether the server, started again in its directory, has what it had.
func (s *Server) KeepsData() bool { return s.data != "" }

// Ask makes one real request to a server of this package, by its name, with an access key, and returns nil if it was answered.
func Ask(ctx context.Context, name, endpoint, key string) error {
	for _, server := range []*Server{DynamoDBLocal, Ministack, OpenSearch} {
		if server.Name == name {
			return server.answers(ctx, endpoint, key)
		}
	}
	return fmt.Errorf("there is no server %q", name)
}

// Clear removes what the server has kept in the directory that it was started in. It must not run.
func (s *Server) Clear(dir string) error {
	if s.data == "" {
		return nil
	}
	return os.RemoveAll(filepath.Join(dir, s.data))
}

// recipeSum names the recipe, so that checkouts with different ones don't replace each other's installs.
func (s *Server) recipeSum() (string, error) {
	sum := sha256.New()
	err := s.eachFile(func(path string, text []byte) error {
		_, err := fmt.Fprintf(sum, "%s %d\n%s", path, len(text), text)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil))[:8], err
}

// eachFile calls use with each file of the recipe.
func (s *Server) eachFile(use func(path string, text []byte) error) error {
	return fs.WalkDir(s.recipe, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(s.recipe, path)
		if err != nil {
			return err
		}
		return use(path, text)
	})
}

func (s *Server) dir() (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	recipe, err := s.recipeSum()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, s.slug+"-"+s.Version+"-"+recipe), nil
}
