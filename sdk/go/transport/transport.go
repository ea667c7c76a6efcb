// Package transport lets the standard client of net/http work in a component: import it for its effect,
//
//	import _ "toolcell.dev/sdk/transport"
//
// and http.Get, http.Client and all that uses http.DefaultTransport send their requests through the host, which checks the grant
// and speaks TLS. It costs the size of net/http; [toolcell.Call.HTTP] does without.
package transport

import (
	"bytes"
	"io"
	"net/http"
	"strconv"

	_ "toolcell.dev/sdk" // the host
	"toolcell.dev/sdk/internal/host"
)

func init() { http.DefaultTransport = Transport{} }

// Transport is an [http.RoundTripper] over the host. It sends bodies whole, and reads answers as they come.
type Transport struct{}

// RoundTrip sends one request; the deadline is that of its context.
func (Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	out := host.Request{Method: request.Method, URL: request.URL.String()}
	if out.Method == "" {
		out.Method = http.MethodGet
	}
	for name, values := range request.Header {
		for _, value := range values {
			out.Header = append(out.Header, [2]string{name, value})
		}
	}
	if request.Body != nil {
		body, err := io.ReadAll(request.Body)
		if closed := request.Body.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	in, err := host.Current.HTTP(request.Context(), out)
	if err != nil {
		return nil, err
	}
	response := &http.Response{
		StatusCode: in.Status, Status: strconv.Itoa(in.Status) + " " + http.StatusText(in.Status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: in.Body, ContentLength: -1, Request: request,
	}
	for _, pair := range in.Header {
		response.Header.Add(pair[0], pair[1])
	}
	if length, err := strconv.ParseInt(response.Header.Get("Content-Length"), 10, 64); err == nil {
		response.ContentLength = length
	}
	if response.Body == nil {
		response.Body = io.NopCloser(bytes.NewReader(nil))
	}
	return response, nil
}
