"""What `causeway check` looks at, one module for each thing outside, each answering with findings."""
