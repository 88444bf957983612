# Makes the lines of `go test -v` short: packages, skipped tests, and what
# failed tests said.

/^=== / { test = $3; next }

/^ *--- PASS:/ { delete said[$3]; next }

/^ *--- (FAIL|SKIP):/ { print; printf "%s", said[$3]; delete said[$3]; test = ""; next }

/no test files/ || /^PASS$/ { next }

/^(ok|FAIL|panic:)/ { test = "" }

/^FAIL\t/ { for (name in said) printf "unfinished: %s\n%s", name, said[name] }

/^(ok|FAIL)\t/ { delete said }

test == "" { print; fflush(); next }

{ said[test] = said[test] $0 "\n" }
