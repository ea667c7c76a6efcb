package toolcell

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"toolcell.dev/sdk/internal/host"
	clock "toolcell.dev/sdk/internal/wit/imports/wasi_clocks_monotonic_clock"
	handler "toolcell.dev/sdk/internal/wit/imports/wasi_http_outgoing_handler"
	wh "toolcell.dev/sdk/internal/wit/imports/wasi_http_types"
	"toolcell.dev/sdk/internal/wit/imports/wasi_io_poll"
	"toolcell.dev/sdk/internal/wit/imports/wasi_io_streams"
	wit "toolcell.dev/sdk/internal/wit/pkg/types"
)

// What the codes of wasi:http mean, in their order.
var codes = []string{
	"the DNS did not answer in time", "the DNS knows no such host", "there is no such destination",
	"the destination is not available", "the destination's address is not allowed", "the destination cannot be reached",
	"the connection was refused", "the connection was cut", "no connection in time", "nothing came in time",
	"nothing could be sent in time", "too many connections", "TLS failed", "the TLS certificate is not valid",
	"the other side ended TLS", "the request was denied", "the request needs a length", "the request is too large",
	"the method is not valid", "the URL is not valid", "the URL is too long", "the request's headers are too large",
	"a header of the request is too large", "the request's trailers are too large", "a trailer of the request is too large",
	"the response is not complete", "the response's headers are too large", "a header of the response is too large",
	"the response is too large", "the response's trailers are too large", "a trailer of the response is too large",
	"the response's transfer coding is not valid", "the response's content coding is not valid", "no response in time",
	"the upgrade failed", "the other side does not speak HTTP", "the request went round in a circle",
	"the host is not set up for it", "the host failed",
}

func httpError(code wh.ErrorCode) error {
	switch code.Tag() {
	case wh.ErrorCode_InternalError:
		// The host says here why, and which line would grant it.
		if why := code.InternalError(); why.IsSome() {
			return &host.Error{Kind: host.Denied, Text: why.Some()}
		}
	case wh.ErrorCode_HttpRequestDenied, wh.ErrorCode_DestinationIpProhibited:
		return &host.Error{Kind: host.Denied, Text: codes[code.Tag()]}
	}
	if int(code.Tag()) < len(codes) {
		return &host.Error{Kind: host.Other, Text: codes[code.Tag()]}
	}
	return &host.Error{Kind: host.Other, Text: "the exchange failed"}
}

var errTwice = &host.Error{Kind: host.Other, Text: "the host gave the response away twice"}

// wait waits until one of them is ready, but not longer than the context allows.
func wait(ctx context.Context, ready ...*wasi_io_poll.Pollable) error {
	defer func() {
		for _, each := range ready {
			each.Drop()
		}
	}()
	if err := ctx.Err(); err != nil {
		return err
	}
	deadline, limited := ctx.Deadline()
	if limited {
		left := time.Until(deadline)
		if left <= 0 {
			return context.DeadlineExceeded
		}
		ready = append(ready, clock.SubscribeDuration(uint64(left)))
	}
	which := uncollected(func() []uint32 { return wasi_io_poll.Poll(ready) })
	if limited && len(which) == 1 && int(which[0]) == len(ready)-1 {
		return context.DeadlineExceeded
	}
	return nil
}

func methodOf(name string) wh.Method {
	switch name {
	case "GET":
		return wh.MakeMethodGet()
	case "HEAD":
		return wh.MakeMethodHead()
	case "POST":
		return wh.MakeMethodPost()
	case "PUT":
		return wh.MakeMethodPut()
	case "DELETE":
		return wh.MakeMethodDelete()
	case "CONNECT":
		return wh.MakeMethodConnect()
	case "OPTIONS":
		return wh.MakeMethodOptions()
	case "TRACE":
		return wh.MakeMethodTrace()
	case "PATCH":
		return wh.MakeMethodPatch()
	}
	return wh.MakeMethodOther(name)
}

func headOf(request host.Request) (*wh.OutgoingRequest, error) {
	scheme, rest, found := strings.Cut(request.URL, "://")
	if !found || (scheme != "http" && scheme != "https") {
		return nil, &host.Error{Kind: host.Invalid, Text: fmt.Sprintf("`%s` is no http: or https: URL", request.URL)}
	}
	rest, _, _ = strings.Cut(rest, "#")
	authority, path := rest, "/"
	if at := strings.IndexAny(rest, "/?"); at >= 0 {
		authority, path = rest[:at], rest[at:]
	}
	if path[0] == '?' {
		path = "/" + path
	}
	headers := wh.MakeFields()
	length := false
	for _, pair := range request.Header {
		length = length || strings.EqualFold(pair[0], "content-length")
		if uncollected(func() bool { return headers.Append(pair[0], []byte(pair[1])).IsErr() }) {
			headers.Drop()
			return nil, &host.Error{Kind: host.Invalid, Text: fmt.Sprintf("the header `%s` cannot be sent", pair[0])}
		}
	}
	if len(request.Body) > 0 && !length {
		// A host that sees to it itself refuses this header, which is as good.
		headers.Append("content-length", fmt.Append(nil, len(request.Body)))
	}
	outgoing := wh.MakeOutgoingRequest(headers)
	kind := wh.MakeSchemeHttp()
	if scheme == "https" {
		kind = wh.MakeSchemeHttps()
	}
	if outgoing.SetMethod(methodOf(request.Method)).IsErr() || outgoing.SetScheme(wit.Some(kind)).IsErr() ||
		outgoing.SetAuthority(wit.Some(authority)).IsErr() || outgoing.SetPathWithQuery(wit.Some(path)).IsErr() {
		outgoing.Drop()
		return nil, &host.Error{Kind: host.Invalid, Text: fmt.Sprintf("`%s` is no URL that can be asked for", request.URL)}
	}
	return outgoing, nil
}

type (
	sent     = wit.Result[*wh.FutureIncomingResponse, wh.ErrorCode]
	answered = wit.Option[wit.Result[wit.Result[*wh.IncomingResponse, wh.ErrorCode], wit.Unit]]
)

func (wasmHost) HTTP(ctx context.Context, request host.Request) (host.Response, error) {
	outgoing, err := headOf(request)
	if err != nil {
		return host.Response{}, err
	}
	// The body is taken before the request is given away, and written after: nobody reads it earlier. A request whose body was
	// never taken has none, and says so to the server.
	var body *wh.OutgoingBody
	if len(request.Body) > 0 {
		body = outgoing.Body().Ok()
	}
	future := uncollected(func() sent { return handler.Handle(outgoing, wit.None[*wh.RequestOptions]()) })
	if future.IsErr() {
		return host.Response{}, httpError(future.Err())
	}
	coming := future.Ok()
	defer coming.Drop()
	if body != nil {
		if err := sendBody(ctx, body, request.Body); err != nil {
			return host.Response{}, err
		}
	}
	for {
		got := uncollected(func() answered { return coming.Get() })
		if got.IsNone() {
			if err := wait(ctx, coming.Subscribe()); err != nil {
				return host.Response{}, err
			}
			continue
		}
		if got.Some().IsErr() {
			return host.Response{}, errTwice
		}
		if got.Some().Ok().IsErr() {
			return host.Response{}, httpError(got.Some().Ok().Err())
		}
		return responseOf(ctx, got.Some().Ok().Ok())
	}
}

// sendBody sends what the server takes: one may answer before it has read everything, and then the response tells.
func sendBody(ctx context.Context, body *wh.OutgoingBody, data []byte) error {
	stream := body.Write().Ok()
	for len(data) > 0 {
		room := uncollected(func() wit.Result[uint64, wasi_io_streams.StreamError] { return stream.CheckWrite() })
		if room.IsErr() {
			break
		}
		if room.Ok() == 0 {
			if err := wait(ctx, stream.Subscribe()); err != nil {
				stream.Drop()
				body.Drop()
				return err
			}
			continue
		}
		now := data[:min(uint64(len(data)), room.Ok())]
		if uncollected(func() bool { return stream.Write(now).IsErr() }) {
			break
		}
		data = data[len(now):]
	}
	if len(data) == 0 {
		uncollected(func() bool { return stream.Flush().IsErr() })
	}
	stream.Drop()
	if len(data) > 0 {
		body.Drop()
		return nil
	}
	uncollected(func() bool { return wh.OutgoingBodyFinish(body, wit.None[*wh.Fields]()).IsErr() })
	return nil
}

func responseOf(ctx context.Context, incoming *wh.IncomingResponse) (host.Response, error) {
	response := host.Response{Status: int(incoming.Status())}
	headers := incoming.Headers()
	for _, pair := range uncollected(headers.Entries) {
		response.Header = append(response.Header, [2]string{pair.F0, string(pair.F1)})
	}
	headers.Drop()
	consumed := incoming.Consume()
	if consumed.IsErr() {
		incoming.Drop()
		return host.Response{}, errTwice
	}
	body := consumed.Ok()
	stream := body.Stream()
	if stream.IsErr() {
		body.Drop()
		incoming.Drop()
		return host.Response{}, errTwice
	}
	response.Body = &incomingBody{ctx: ctx, stream: stream.Ok(), body: body, response: incoming}
	return response, nil
}

// incomingBody reads a body as it comes.
type incomingBody struct {
	ctx      context.Context
	stream   *wasi_io_streams.InputStream
	body     *wh.IncomingBody
	response *wh.IncomingResponse
	rest     bytes.Reader
	end      error
}

type chunk = wit.Result[[]byte, wasi_io_streams.StreamError]

func (b *incomingBody) Read(into []byte) (int, error) {
	for b.rest.Len() == 0 {
		if b.end != nil {
			return 0, b.end
		}
		if deadline, limited := b.ctx.Deadline(); limited && !time.Now().Before(deadline) {
			b.end = context.DeadlineExceeded
			continue
		}
		got := uncollected(func() chunk { return b.stream.Read(64 << 10) })
		switch {
		case got.IsErr():
			b.end = endOf(got.Err())
		case len(got.Ok()) == 0:
			if err := wait(b.ctx, b.stream.Subscribe()); err != nil {
				b.end = err
			}
		default:
			b.rest.Reset(got.Ok())
		}
	}
	return b.rest.Read(into)
}

func endOf(err wasi_io_streams.StreamError) error {
	if err.Tag() == wasi_io_streams.StreamError_Closed {
		return io.EOF
	}
	failed := err.LastOperationFailed()
	defer failed.Drop()
	code := uncollected(func() wit.Option[wh.ErrorCode] { return wh.HttpErrorCode(failed) })
	if code.IsSome() {
		return httpError(code.Some())
	}
	return &host.Error{Kind: host.Other, Text: "the response broke off"}
}

func (b *incomingBody) Close() error {
	if b.stream != nil {
		// A stream has to go before what it came from.
		b.stream.Drop()
		b.body.Drop()
		b.response.Drop()
		b.stream, b.end = nil, io.ErrClosedPipe
	}
	return nil
}
