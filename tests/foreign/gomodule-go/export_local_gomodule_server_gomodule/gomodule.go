// Package export_local_gomodule_server_gomodule asks a module proxy, the one that GOPROXY names, for the newest versions of
// modules.
package export_local_gomodule_server_gomodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	handler "wit_component/wasi_http_outgoing_handler"
	http "wit_component/wasi_http_types"

	. "go.bytecodealliance.org/pkg/wit/types"
)

type module struct {
	Version string
	Time    string `json:",omitempty"`
}

func get(address string) ([]byte, error) {
	place, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	scheme := http.MakeSchemeHttps()
	if place.Scheme == "http" {
		scheme = http.MakeSchemeHttp()
	}
	request := http.MakeOutgoingRequest(http.MakeFields())
	request.SetScheme(Some(scheme))
	request.SetAuthority(Some(place.Host))
	request.SetPathWithQuery(Some(place.RequestURI()))
	sent := handler.Handle(request, None[*http.RequestOptions]())
	if sent.IsErr() {
		return nil, said(sent.Err())
	}
	sent.Ok().Subscribe().Block()
	answer := sent.Ok().Get().Some().Ok()
	if answer.IsErr() {
		return nil, said(answer.Err())
	}
	if status := answer.Ok().Status(); status != 200 {
		return nil, fmt.Errorf("%s answered %d", place.Host, status)
	}
	stream := answer.Ok().Consume().Ok().Stream().Ok()
	var body []byte
	for {
		part := stream.BlockingRead(64 * 1024)
		if part.IsErr() {
			return body, nil
		}
		body = append(body, part.Ok()...)
	}
}

func said(code http.ErrorCode) error {
	if code.Tag() == http.ErrorCode_InternalError {
		return errors.New(code.InternalError().SomeOr("internal error"))
	}
	return fmt.Errorf("the request failed with code %d", code.Tag())
}

// latest asks for each of the modules; a name without a slash is one of github.com.
func latest(names string, each func(string, module)) error {
	proxy := os.Getenv("GOPROXY")
	if proxy == "" {
		proxy = "https://proxy.golang.org"
	}
	for name := range strings.SplitSeq(names, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !strings.Contains(name, "/") {
			name = "github.com/" + name
		}
		body, err := get(proxy + "/" + name + "/@latest")
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		var found module
		if err := json.Unmarshal(body, &found); err != nil {
			return fmt.Errorf("%s: the proxy sent no JSON: %w", name, err)
		}
		each(name, found)
	}
	return nil
}

func answer(value any, count int, err error) Result[string, string] {
	if err == nil && count == 0 {
		err = errors.New("name at least one module")
	}
	if err != nil {
		return Err[string](err.Error())
	}
	text, err := json.Marshal(value)
	if err != nil {
		return Err[string](err.Error())
	}
	return Ok[string, string](string(text))
}

func GetLatestVersions(names string) Result[string, string] {
	versions := map[string]string{}
	err := latest(names, func(name string, found module) { versions[name] = found.Version })
	return answer(versions, len(versions), err)
}

func GetModuleInfo(names string) Result[string, string] {
	var all []module
	err := latest(names, func(_ string, found module) { all = append(all, found) })
	return answer(all, len(all), err)
}
