package toolcell

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"toolcell.dev/sdk/internal/host"
)

// Request is an HTTP request. The host resolves names, checks the grant, and speaks TLS; redirects are not followed. The standard
// client of net/http has no network in a component.
type Request struct {
	// Method is GET if empty.
	Method string
	URL    string
	Header [][2]string
	Body   []byte
	// Timeout is for everything; 0 is the time the call has.
	Timeout time.Duration
	// Limit is how many bytes of the response's body are read; 0 is 4 MiB. More is an error.
	Limit int64
}

// Response is its answer.
type Response struct {
	Status int
	header [][2]string
	Body   []byte
}

// Header is the value of a header, whatever its case.
func (r *Response) Header(name string) string {
	for _, pair := range r.header {
		if strings.EqualFold(pair[0], name) {
			return pair[1]
		}
	}
	return ""
}

// Get asks for a page.
func (c *Call) Get(url string) (*Response, error) { return c.HTTP(Request{URL: url}) }

// HTTP sends a request and reads its answer, whatever its status.
func (c *Call) HTTP(request Request) (*Response, error) {
	ctx := c.Context
	if request.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, request.Timeout)
		defer cancel()
	}
	if request.Method == "" {
		request.Method = "GET"
	}
	if request.Limit <= 0 {
		request.Limit = 4 << 20
	}
	response, err := host.Current.HTTP(ctx, host.Request{
		Method: request.Method, URL: request.URL, Header: request.Header, Body: request.Body,
	})
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, request.Limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > request.Limit {
		return nil, fmt.Errorf("the response has more than %d bytes", request.Limit)
	}
	return &Response{response.Status, response.Header, body}, nil
}
