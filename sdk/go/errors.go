package toolcell

import (
	"errors"
	"fmt"

	"toolcell.dev/sdk/internal/host"
)

// Kind says why a call itself failed, so that the client gets an error and the model no result.
type Kind uint8

const (
	kindNotFound Kind = iota
	kindInvalidArguments
	kindDenied
	kindUnavailable
	kindCancelled
	kindOther
)

// CallError fails the call itself. Any other error of a tool is a result for the model; of a resource or a prompt every error
// fails the call.
type CallError struct {
	kind Kind
	text string
	err  error
}

func (e *CallError) Error() string { return e.text }

// Unwrap gives what %w in the text stood for.
func (e *CallError) Unwrap() error { return e.err }

func failure(kind Kind, format string, arguments []any) error {
	err := fmt.Errorf(format, arguments...)
	return &CallError{kind, err.Error(), errors.Unwrap(err)}
}

// NotFound says that there is nothing of that name or URI.
func NotFound(format string, arguments ...any) error { return failure(kindNotFound, format, arguments) }

// InvalidArguments says which argument is wrong, and what would be right.
func InvalidArguments(format string, arguments ...any) error {
	return failure(kindInvalidArguments, format, arguments)
}

// Denied says what the host refused.
func Denied(format string, arguments ...any) error { return failure(kindDenied, format, arguments) }

// Unavailable says that something does not answer, and a later try may work.
func Unavailable(format string, arguments ...any) error {
	return failure(kindUnavailable, format, arguments)
}

// Cancelled says that the caller's interest ended and the plugin noticed.
func Cancelled() error { return &CallError{kindCancelled, "cancelled", nil} }

// Failed is any other failure of the call itself; a task it runs as has failed.
func Failed(format string, arguments ...any) error { return failure(kindOther, format, arguments) }

// ErrInputRequired is what [Elicit] and its like return while the client is asked. A handler returns it, wrapped or not.
var ErrInputRequired = errors.New("the client is asked first; return this error")

// HostError is a refusal of the host: of the store, of another tool, of a request. Its text ends with what would allow it, where
// the operator could.
type HostError = host.Error

// IsDenied says whether the operator did not grant it.
func IsDenied(err error) bool { return isHost(err, host.Denied) }

// IsConflict says whether [Store.CompareAndSet] met another value.
func IsConflict(err error) bool { return isHost(err, host.Conflict) }

func isHost(err error, kind host.Kind) bool {
	var refused *host.Error
	return errors.As(err, &refused) && refused.Kind == kind
}
