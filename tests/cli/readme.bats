# SPDX-License-Identifier: LGPL-2.1-or-later
# The README tells the truth.
load support

# The block of a session: what is typed behind "$ ", and what is answered.
session() { sed -n '/^```console$/,/^```$/p' "$REPO/README.md" | sed '1d;$d'; }

# Run the commands of a session as if they were typed.
replay() {
  local line
  while IFS= read -r line; do
    case $line in
    '$ '*)
      printf '%s\n' "$line"
      eval "${line#??}" 2>&1 </dev/null || true
      ;;
    esac
  done
}

# The rows of the table below "What works today", without its head.
rows() { sed -n '/^## What works today$/,/^## /p' "$REPO/README.md" | grep '^|' | sed '1,2d'; }

@test "the session of the README is what is printed" {
  ln -s "$REPO/tests" tests
  mkdir build
  ln -s "$BTRFLY" build/btrfly
  session >written
  [ -s written ]
  replay <written >printed
  diff written printed
}

@test "every proof in the table of the README is there" {
  local row proof program count=0
  while IFS= read -r row; do
    row=${row% |}
    for proof in $(grep -o '`[^`]*`' <<<"${row##*| }" | tr -d '`'); do
      count=$((count + 1))
      # A path, or an option of the program before it.
      case $proof in
      --*) "$program" --help | grep -qwe "$proof" ;;
      *) program=$REPO/$proof && [ -e "$program" ] ;;
      esac || {
        echo "no $proof: $row"
        return 1
      }
    done
    [[ ${row##*| } == *\`* ]] || {
      echo "no proof: $row"
      return 1
    }
  done < <(rows)
  [ "$count" -gt 5 ]
}

@test "every command in the table of the README exists, and every command is in it" {
  "$BTRFLY" 2>&1 | awk '$1 == "btrfly" { print $2 }' | sort >there
  rows | grep -o '`btrfly [a-z]*' | cut -d' ' -f2 | sort -u >told
  diff there told
}
