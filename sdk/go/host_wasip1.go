package toolcell

import (
	"runtime/debug"

	"toolcell.dev/sdk/internal/host"
	"toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_changes"
	"toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_context"
	kv "toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_key_value"
	"toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_log"
	peers "toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_peers"
	"toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_progress"
	w "toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_types"
	wit "toolcell.dev/sdk/internal/wit/pkg/types"
)

type wasmHost struct{}

// uncollected runs a request whose answer the host writes into memory of this program. While it does, nothing may be collected: the
// collector would wait for other goroutines, and none can run before the host is done.
func uncollected[T any](request func() T) T {
	before := debug.SetGCPercent(-1)
	defer debug.SetGCPercent(before)
	return request()
}

func (wasmHost) Context() host.Context {
	from := uncollected(toolcell_plugin_context.Current)
	context := host.Context{Abilities: from.Abilities, RemainingMillis: from.RemainingMs, Meta: from.Meta}
	if from.Caller.IsSome() {
		caller := from.Caller.Some()
		context.Principal, context.Claims = &caller.Principal, &caller.Claims
	}
	if from.Client.IsSome() {
		client := from.Client.Some()
		context.ClientName, context.ClientVersion = client.Name, client.Version
	}
	if from.Trace.IsSome() {
		trace := from.Trace.Some()
		context.TraceParent = trace.Traceparent
		context.TraceState, context.Baggage = trace.Tracestate.SomeOr(""), trace.Baggage.SomeOr("")
	}
	return context
}

func (wasmHost) Cancelled() bool      { return toolcell_plugin_context.IsCancelled() }
func (wasmHost) ProgressWanted() bool { return toolcell_plugin_progress.IsWanted() }
func (wasmHost) Progress(progress float64, total *float64, message *string) {
	toolcell_plugin_progress.Report(progress, pointed(total), pointed(message))
}
func (wasmHost) LogEnabled(level uint8) bool { return toolcell_plugin_log.IsEnabled(level) }
func (wasmHost) Log(level uint8, logger *string, json string) {
	toolcell_plugin_log.Write(level, pointed(logger), json)
}
func (wasmHost) ResourceUpdated(uri string) { toolcell_plugin_changes.ResourceUpdated(uri) }
func (wasmHost) ResourcesChanged()          { toolcell_plugin_changes.ResourcesChanged() }
func (wasmHost) PromptsChanged()            { toolcell_plugin_changes.PromptsChanged() }
func (wasmHost) ToolsChanged()              { toolcell_plugin_changes.ToolsChanged() }

func storeError(from kv.StoreError) error {
	switch from.Tag() {
	case kv.StoreError_Denied:
		return &host.Error{Kind: host.Denied, Text: from.Denied()}
	case kv.StoreError_Limit:
		return &host.Error{Kind: host.Limit, Text: from.Limit()}
	case kv.StoreError_Conflict:
		err := &host.Error{Kind: host.Conflict, Text: "another value is there"}
		if current := from.Conflict(); current.IsSome() {
			err.Current = new(current.Some())
		}
		return err
	}
	return &host.Error{Kind: host.Other, Text: from.Other()}
}

func done(result wit.Result[wit.Unit, kv.StoreError]) error {
	if result.IsErr() {
		return storeError(result.Err())
	}
	return nil
}

func (wasmHost) Get(key string) ([]byte, bool, error) {
	result := uncollected(func() wit.Result[wit.Option[[]byte], kv.StoreError] { return kv.Get(key) })
	if result.IsErr() {
		return nil, false, storeError(result.Err())
	}
	value := result.Ok()
	return value.SomeOr(nil), value.IsSome(), nil
}

func (wasmHost) Set(key string, value []byte) error {
	return done(uncollected(func() wit.Result[wit.Unit, kv.StoreError] { return kv.Set(key, value) }))
}

func (wasmHost) Delete(key string) error {
	return done(uncollected(func() wit.Result[wit.Unit, kv.StoreError] { return kv.Delete(key) }))
}

func (wasmHost) CompareAndSet(key string, expected, value *[]byte) error {
	return done(uncollected(func() wit.Result[wit.Unit, kv.StoreError] {
		return kv.CompareAndSet(key, pointed(expected), pointed(value))
	}))
}

func (wasmHost) Keys(prefix string, cursor *string) ([]string, *string, error) {
	result := uncollected(func() wit.Result[kv.KeyPage, kv.StoreError] { return kv.ListKeys(prefix, pointed(cursor)) })
	if result.IsErr() {
		return nil, nil, storeError(result.Err())
	}
	page := result.Ok()
	if page.Next.IsNone() {
		return page.Keys, nil, nil
	}
	return page.Keys, new(page.Next.Some()), nil
}

func (wasmHost) Call(tool, arguments string) (host.PeerResult, error) {
	result := uncollected(func() wit.Result[w.ToolResult, peers.PeerError] { return peers.Call(tool, arguments) })
	if result.IsErr() {
		from := result.Err()
		switch from.Tag() {
		case peers.PeerError_Denied:
			return host.PeerResult{}, &host.Error{Kind: host.Denied, Text: from.Denied()}
		case peers.PeerError_NotFound:
			return host.PeerResult{}, &host.Error{Kind: host.NotFound, Text: from.NotFound()}
		case peers.PeerError_InvalidArguments:
			return host.PeerResult{}, &host.Error{Kind: host.Invalid, Text: from.InvalidArguments()}
		case peers.PeerError_Limit:
			return host.PeerResult{}, &host.Error{Kind: host.Limit, Text: from.Limit()}
		}
		return host.PeerResult{}, &host.Error{Kind: host.Other, Text: from.Other()}
	}
	from := result.Ok()
	answer := host.PeerResult{IsError: from.IsError}
	for _, block := range from.Content {
		if block.Tag() == w.Content_Text {
			answer.Texts = append(answer.Texts, block.Text().Text)
		}
	}
	if from.Structured.IsSome() {
		answer.Structured = new(from.Structured.Some())
	}
	return answer, nil
}
