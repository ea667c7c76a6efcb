module echo

go 1.27

require toolcell.dev/sdk v0.1.0

replace toolcell.dev/sdk => ./.toolcell/sdk/go
