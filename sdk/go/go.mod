module toolcell.dev/sdk

go 1.27
