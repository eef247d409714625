// Command share runs a command whose tests, of any package, share one server of each kind instead of starting their own:
//
//	go run ./deploy/local/servers/servertest/share go test ./consumers/...
package main

import (
	"fmt"
	"os"

	"sluice/deploy/local/servers/servertest"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: share COMMAND [ARGUMENT...]")
		os.Exit(2)
	}
	code, err := servertest.Share(os.Args[1], os.Args[2:]...)
	if err != nil {
		fmt.Fprintln(os.Stderr, "share:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}
