# SPDX-License-Identifier: LGPL-2.1-or-later
# The command itself: its table of subcommands, wrong usage, and what all commands have in common.
# shellcheck disable=SC2030,SC2031,SC2154 # status, output and stderr come from bats' run
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

# misused PATTERN WORD…: wrong usage, said in a line that matches, and nothing on standard output.
misused() {
  local pattern=$1
  shift
  run --separate-stderr "$BTRFLY" "$@"
  [ "$status" = 2 ] || { echo "$*: status $status: $stderr"; return 1; }
  # shellcheck disable=SC2053 # the right side is a pattern
  [[ ${stderr_lines[0]} == "btrfly "$pattern ]] || { echo "$*: $stderr"; return 1; }
  [ -z "$output" ]
}

@test "an empty word where something is to be named is wrong usage that says which" {
  image
  misused 'send: IMAGE is an empty word' send '' /
  misused 'send: SUBVOL is an empty word' send image ''
  misused 'send: SUBVOL is an empty word' send image / ''
  misused 'send: -p PARENT is an empty word' send -p '' image /
  misused 'send: -c CLONE-SRC is an empty word' send -c / -c '' image /
  misused 'send: -f FILE is an empty word' send -f '' image /
  misused 'receive: DIR is an empty word' receive ''
  misused 'receive: -f FILE is an empty word' receive -f '' dir
  misused 'receive: -f FILE is an empty word' receive --dump -f ''
  misused 'cat: IMAGE is an empty word' cat '' large
  misused 'cat: PATH is an empty word' cat image large ''
  misused 'ls: IMAGE is an empty word' ls ''
  misused 'ls: PATH is an empty word' ls image ''
  misused 'diff: IMAGE is an empty word' diff '' / /
  misused 'diff: OLD is an empty word' diff image '' /
  misused 'diff: NEW is an empty word' diff image / ''
  misused 'subvolume list: IMAGE is an empty word' subvolume list ''
  misused 'subvolume list: SUBVOL is an empty word' subvolume list image ''
  misused 'subvolume show: IMAGE is an empty word' subvolume show '' /
  misused 'subvolume show: SUBVOL is an empty word' subvolume show image ''
  misused "subvolume show: '' is not a subvolume's id" subvolume show -r '' image
  misused "subvolume show: '' is not a uuid" subvolume show -u '' image
  misused 'filesystem show: IMAGE|DEVICE is an empty word' filesystem show image ''
  misused 'stream check: FILE is an empty word' stream check ''
  local command
  for command in 'send image /' 'cat image large' 'ls image' 'diff image / /' 'subvolume list image' 'subvolume show image /'; do
    # shellcheck disable=SC2086 # words
    fails 1 'btrfly *: --device DEV is an empty word' "$BTRFLY" ${command% image*} --device '' image ${command#* image}
  done
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

@test "the image is refused as standard output, by each command" {
  image
  cp image before
  local command
  for command in 'send image /' 'send -n image /' 'cat image large' 'ls image' 'diff image / /' 'subvolume list image' \
    'subvolume show image /' 'filesystem show image'; do
    # shellcheck disable=SC2016,SC2086 # for the inner shell; words
    fails 1 'btrfly *: standard output is refused as output: it would overwrite image, which is read' \
      sh -c 'exec "$0" "$@" >>image' "$BTRFLY" $command
    # shellcheck disable=SC2016,SC2086
    fails 1 'btrfly *: standard output is refused *' sh -c 'exec "$0" "$@" 1<>image' "$BTRFLY" $command
    cmp image before
  done
}
