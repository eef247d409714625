package servers

import (
	"syscall"
	"testing"
)

// Fails for a socket without TCP_NODELAY: each answer of Ministack would wait 40 ms.
func TestSocketsSendAtOnce(t *testing.T) {
	listener, err := listen(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	socket, err := listener.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var delay int
	var getErr error
	err = socket.Control(func(fd uintptr) {
		delay, getErr = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
	})
	if err != nil || getErr != nil || delay == 0 {
		t.Errorf("TCP_NODELAY is %d, want it set (%v, %v)", delay, err, getErr)
	}
}
