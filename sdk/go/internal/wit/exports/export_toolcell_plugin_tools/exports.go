// Package export_toolcell_plugin_tools is where the generated exports call the SDK.
package export_toolcell_plugin_tools

import (
	. "toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_tools"
	"toolcell.dev/sdk/internal/wit/pkg/types"
)

var (
	ListTools func() wit_types.Result[ToolList, CallError]
	CallTool  func(ToolCall) wit_types.Result[ToolOutcome, CallError]
)
