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

# image: ./image with a file of 400000 bytes and one of its sends, ./stream.
image() {
  mkdir root
  seq 100000 | head -c 400000 >root/large
  make_image image --rootdir root --shrink
  "$BTRFLY" send -q image / >stream
}

@test "a limit on the size of files is an error with a sentence, for each command" {
  image
  # shellcheck disable=SC2016 # for the inner shell
  fails 1 'btrfly send: send /: write to standard output: File too large' \
    sh -c 'ulimit -f 100; exec "$0" send -q image / >got' "$BTRFLY"
  # shellcheck disable=SC2016
  fails 1 'btrfly cat: large: standard output: File too large' \
    sh -c 'ulimit -f 100; exec "$0" cat image large >got' "$BTRFLY"
  # shellcheck disable=SC2016
  fails 1 'btrfly receive: *File too large*' \
    sh -c 'ulimit -f 100; mkdir dir; exec "$0" receive -q -f stream dir' "$BTRFLY"
  # As long as may be already: 100 blocks of 512 bytes.
  head -c 51200 /dev/zero >got
  local command
  for command in 'ls image' 'subvolume show image /' 'filesystem show image' 'stream check stream' 'receive --dump -f stream'; do
    # shellcheck disable=SC2016,SC2086
    fails 1 'btrfly *: *: File too large' sh -c 'ulimit -f 100; exec "$0" "$@" >>got' "$BTRFLY" $command
  done
}
