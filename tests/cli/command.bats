# SPDX-License-Identifier: LGPL-2.1-or-later
# The command itself: its table of subcommands, and wrong usage.
load support

@test "without a command: usage on stderr, exit status 2" {
  run --separate-stderr "$BTRFLY"
  [ "$status" = 2 ]
  [ -z "$output" ]
  [[ ${stderr_lines[0]} == "usage: btrfly COMMAND"* ]]
}

@test "an unknown command is named, exit status 2" {
  run --separate-stderr "$BTRFLY" sned
  [ "$status" = 2 ]
  [ "${stderr_lines[0]}" = "btrfly: unknown command 'sned'" ]
}
