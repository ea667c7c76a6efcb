package toolcell

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"toolcell.dev/sdk/internal/host"
)

// CallTool runs another tool of this host, on behalf of the same caller and within the time this call has left, and reads its
// structured result into Out; a string takes its texts instead. The plugin asks for tools in plugin.toml, and the operator grants
// them by name.
func CallTool[Out any](c *Call, tool string, arguments any) (Out, error) {
	var out Out
	text, err := json.Marshal(arguments)
	if err != nil {
		return out, fmt.Errorf("the arguments of %s cannot be written as JSON: %w", tool, err)
	}
	result, err := host.Current.Call(tool, string(text))
	if err != nil {
		return out, err
	}
	texts := strings.Join(result.Texts, "\n")
	if result.IsError {
		return out, errors.New(texts)
	}
	if into, ok := any(&out).(*string); ok {
		*into = texts
		return out, nil
	}
	if result.Structured == nil {
		return out, fmt.Errorf("the tool %s has no structured result; take its text, with CallTool[string]", tool)
	}
	return out, json.Unmarshal([]byte(*result.Structured), &out)
}
