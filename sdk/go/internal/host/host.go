// Package host is what a plugin can ask of its host, without saying how: over the contract in a component, by a fake in tests.
package host

import (
	"context"
	"io"
)

// Host serves one call at a time.
type Host interface {
	Context() Context
	Cancelled() bool
	ProgressWanted() bool
	Progress(progress float64, total *float64, message *string)
	LogEnabled(level uint8) bool
	Log(level uint8, logger *string, json string)
	ResourceUpdated(uri string)
	ResourcesChanged()
	PromptsChanged()
	ToolsChanged()
	Get(key string) (value []byte, found bool, err error)
	Set(key string, value []byte) error
	Delete(key string) error
	// CompareAndSet takes nil for what is not there.
	CompareAndSet(key string, expected, value *[]byte) error
	// Keys answers one page; next is nil at the end.
	Keys(prefix string, cursor *string) (keys []string, next *string, err error)
	Call(tool, arguments string) (PeerResult, error)
	HTTP(ctx context.Context, request Request) (Response, error)
}

// Current is the host of the running call.
var Current Host

// Context is what the host knows of the call.
type Context struct {
	Principal, Claims                *string
	ClientName, ClientVersion        string
	Abilities                        uint8
	RemainingMillis                  uint64
	TraceParent, TraceState, Baggage string
	Meta                             string
}

// PeerResult is the answer of another tool: its texts, and its structured result.
type PeerResult struct {
	IsError    bool
	Texts      []string
	Structured *string
}

// Kind says why the host did not do something.
type Kind uint8

const (
	Denied Kind = iota
	Limit
	Conflict
	NotFound
	Invalid
	Timeout
	Other
)

// Error is a refusal of the host.
type Error struct {
	Kind Kind
	Text string
	// Current is what a compare-and-set met instead.
	Current *[]byte
}

func (e *Error) Error() string { return e.Text }

// Request is an HTTP request.
type Request struct {
	Method, URL string
	Header      [][2]string
	Body        []byte
}

// Response is its answer, whose body is still to be read.
type Response struct {
	Status int
	Header [][2]string
	Body   io.ReadCloser
}
