package transport_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"toolcell.dev/sdk/toolcelltest"
	_ "toolcell.dev/sdk/transport"
)

func TestTheStandardClientAsksTheHost(t *testing.T) {
	host := toolcelltest.New(t)
	host.HandleHTTP(func(method, url string, body []byte) (int, string, error) {
		if strings.HasPrefix(url, "http://no/") {
			return 0, "", errors.New("not granted")
		}
		return 201, method + " " + url + " " + string(body), nil
	})
	response, err := http.Post("https://web/a?b=1", "text/plain", strings.NewReader("hi"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if response.StatusCode != 201 || string(text) != "POST https://web/a?b=1 hi" {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	if _, err := http.Get("http://no/"); err == nil || !strings.Contains(err.Error(), "not granted") {
		t.Error(err)
	}
}
