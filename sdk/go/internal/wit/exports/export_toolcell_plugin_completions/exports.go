// Package export_toolcell_plugin_completions is where the generated exports call the SDK.
package export_toolcell_plugin_completions

import (
	. "toolcell.dev/sdk/internal/wit/imports/toolcell_plugin_completions"
	"toolcell.dev/sdk/internal/wit/pkg/types"
)

var Complete func(CompletionRequest) wit_types.Result[Completion, CallError]
