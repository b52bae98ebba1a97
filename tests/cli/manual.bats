# SPDX-License-Identifier: LGPL-2.1-or-later
# The manual: a page for every command, every page built, every option on its page.
load support

pages() { ls "$REPO/docs/man"; }

# The first words of the commands, as usage has them.
commands() {
  "$BTRFLY" 2>&1 | awk '$1 == "btrfly" { print $2 }'
}

@test "every command has its page" {
  local command
  [ -n "$(commands)" ]
  for command in $(commands); do
    [ -e "$REPO/docs/man/btrfly-$command.8.scd" ] || {
      echo "no page of $command"
      return 1
    }
  done
}

@test "every page is built" {
  require scdoc
  local page
  for page in $(pages); do
    [ -s "$BUILD/docs/${page%.scd}" ] || {
      echo "$page is not in docs/meson.build"
      return 1
    }
  done
}

@test "every page of a command is named in btrfly(8)" {
  local command
  for command in $(commands); do
    grep -qE "^\*([a-z]+\*, \*)*$command\b" "$REPO/docs/man/btrfly.8.scd" || {
      echo "$command is not in btrfly.8.scd"
      return 1
    }
  done
}
