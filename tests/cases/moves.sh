# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Directories that change places, wait for each other's moves, and go only when something has moved out of them.

# before          after
#   a(257)          b(258)
#     b(258)          a(257)
case_parent_and_child_change_places() {
  mkdir -p a/b
  snapshot
  mv a/b b
  mv a b
  numbered b=258 b/a=257
  expect 'rename a/b dest=b' 'rename a dest=b/a'
}

# before          after
#   a(257)          b2(258)
#     x(259)          a2(257)
#     b(258)            x(259)
#       y(260)        y(260)
case_parent_and_child_change_places_and_names() {
  mkdir -p a/b
  touch a/x a/b/y
  snapshot
  mv a/b b2
  mv a b2/a2
  numbered b2=258 b2/a2=257 b2/a2/x=259 b2/y=260
  expect 'rename a/b dest=b2' 'rename a dest=b2/a2'
}

# before          after
#   b(258)          a(257)
#     a(257)          b(258)
case_parent_and_older_child_change_places() {
  mkdir a b
  mv a b
  numbered b/a=257
  snapshot
  mv b/a a
  mv b a
  expect 'rename b/a dest=a' 'rename b dest=a/b'
}

# before          after
#   a(257)          c(259)
#     b(258)          b(258)
#       c(259)          a(257)
case_three_levels_are_turned_around() {
  mkdir -p a/b/c
  snapshot
  mv a/b/c c
  mv a/b c
  mv a c/b
  numbered c=259 c/b=258 c/b/a=257
  expect 'rename a/b/c dest=c' 'rename a/b dest=c/b' 'rename a dest=c/b/a'
}

# before            after
#   a(257)            d(260)
#     b(258)            b(258)
#       c(259)            c(259)
#         d(260)            a(257)
case_top_and_bottom_of_four_levels_change_places() {
  mkdir -p a/b/c/d
  snapshot
  mv a/b/c/d d
  mv a/b d
  mv a d/b/c
  numbered d=260 d/b=258 d/b/c=259 d/b/c/a=257
  expect 'rename a/b/c/d dest=d' 'rename a/b dest=d/b' 'rename a dest=d/b/c/a'
}

# before          after
#   a(257)          x(259)      a must wait until x is no longer in b
#   b(258)            a(257)
#     c(259)        b(258)
case_a_move_waits_for_a_newer_directory() {
  mkdir -p a b/c
  snapshot
  mv b/c x
  mv a x
  numbered x=259 x/a=257
  expect 'rename b/c dest=x' 'rename a dest=x/a'
}

# before            after
#   a(257)            x(260)
#   b(258)              c(261)
#   n(259)                a(257)
#     m(260)            b(258)
#       c(261)        n(259)
case_a_move_waits_for_an_ancestor_of_its_new_place() {
  mkdir a b n n/m n/m/c
  snapshot
  mv n/m x
  mv a x/c
  mv b x
  numbered x=260 x/c/a=257 x/b=258
  expect 'rename n/m dest=x' 'rename a dest=x/c/a' 'rename b dest=x/b'
}

# before            after
#   a(257)            z(261)
#   b(258)              a2(257)
#   c(259)              b(258)
#   d(260)              c2(259)
#     e(261)          d(260)
case_several_moves_wait_for_one() {
  mkdir a b c d d/e
  touch a/x b/y c/z
  snapshot
  mv d/e z
  mv a z/a2
  mv b z/b
  mv c z/c2
  numbered z/a2=257 z/b=258 z/c2=259 z=261
  expect 'rename d/e dest=z' 'rename a dest=z/a2' 'rename b dest=z/b' 'rename c dest=z/c2'
}

# before          after
#   a(257)          d2(260)
#   b(258)            c2(259)
#   c(259)              b2(258)
#   d(260)                a2(257)
case_a_chain_of_moves_each_waiting_for_the_next() {
  mkdir a b c d
  snapshot
  mv d d2
  mv c d2/c2
  mv b d2/c2/b2
  mv a d2/c2/b2/a2
  numbered d2/c2/b2/a2=257 d2/c2/b2=258 d2/c2=259 d2=260
  expect 'rename d dest=d2' 'rename c dest=d2/c2' 'rename b dest=d2/c2/b2' 'rename a dest=d2/c2/b2/a2'
}

# before              after
#   a(257)              f2(262)
#   b(258)                c2(259)
#   c(259)                  a2(257)
#   d(260)                  b2(258)
#   e(261)                e2(261)
#   f(262)                  d2(260)
case_moves_that_wait_form_a_tree() {
  mkdir a b c d e f
  snapshot
  mv f f2
  mv c f2/c2
  mv a f2/c2/a2
  mv b f2/c2/b2
  mv e f2/e2
  mv d f2/e2/d2
  numbered f2=262 f2/c2=259 f2/c2/a2=257 f2/e2/d2=260
  expect 'rename f dest=f2' 'rename c .*' 'rename e dest=f2/e2' 'rename a dest=f2/c2/a2' \
    'rename b dest=f2/c2/b2' 'rename d dest=f2/e2/d2'
}

# before          after
#   a(257)          z(260)
#     x(261)          a(257)     what is in a is changed and sent while a waits
#     s(258)            x2(261)
#   d(259)              s2(258)
#     e(260)              new(262)
case_entries_of_a_directory_that_waits_change() {
  mkdir a a/s d d/e
  touch a/x
  snapshot
  mv d/e z
  mv a z
  mv z/a/x z/a/x2
  mv z/a/s z/a/s2
  touch z/a/s2/new
  numbered z/a=257 z/a/s2=258 z=260 z/a/x2=261
  expect 'rename d/e dest=z' 'rename a dest=z/a' 'rename z/a/s dest=z/a/s2' 'link z/a/x2 dest=z/a/x'
}

# before          after
#   b(257)          c2(259)
#   z(258)            b(257)     b waits for c, but z takes its name before that: it moves from its orphan name
#   c(259)          b(258)
case_the_name_of_a_directory_that_waits_is_taken() {
  mkdir b z c
  snapshot
  mv c c2
  mv b c2/b
  mv z b
  numbered c2/b=257 c2=259 b=258
  expect 'rename b dest=o257-.*' 'rename z dest=b' 'rename c dest=c2' 'rename o257-.* dest=c2/b'
}

# before            after
#   a(257)            b(258)
#     x(259)            x(259)
#   b(258)              a(257)
case_a_file_moves_from_one_moved_directory_to_another() {
  mkdir a b
  touch a/x
  snapshot
  mv a/x b/x
  mv a b
  expect 'rename a dest=b/a' 'link b/x dest=b/a/x' 'unlink b/a/x'
}

# before            after
#   d(257)            e(258)
#     e(258)            f(259)
#       f(259)
case_deleted_directory_whose_child_is_renamed() {
  mkdir -p d/e/f
  snapshot
  mv d/e e
  rmdir d
  numbered e=258
  expect 'rename d dest=o257-.*' 'rename o257-.*/e dest=e' 'rmdir o257-.*'
}

# before            after
#   d(257)            f(259)
#     e(258)
#       f(259)
case_nested_directories_are_deleted_when_the_last_has_left() {
  mkdir -p d/e/f
  snapshot
  mv d/e/f f
  rm -r d
  expect 'rename d dest=o257-.*' 'rename o257-.*/e dest=o258-.*' 'rmdir o257-.*' \
    'rename o258-.*/f dest=f' 'rmdir o258-.*'
}

# before            after
#   d(257)            (nothing but keep)
#     a(258)
#       b(259)
#         file(260)
#     c(261)
#   keep(262)
case_a_tree_is_deleted() {
  mkdir -p d/a/b
  touch d/a/b/file
  mkdir d/c
  touch keep
  snapshot
  rm -r d
  expect 'rename o258-.*/b dest=o259-.*' 'rmdir o258-.*' 'unlink o259-.*/file' 'rmdir o259-.*' 'rmdir o257-.*/c' \
    'rmdir o257-[^/]*'
}

# before            after
#   d(259)            d2(259)    parents have higher numbers than what is in them
#     c(258)          b(257)
#       b(257)
case_deleted_directory_between_two_that_stay() {
  mkdir b c d
  mv b c
  mv c d
  numbered d/c/b=257 d/c=258 d=259
  snapshot
  mv d/c/b b
  rmdir d/c
  mv d d2
  expect 'rename d/c/b dest=b' 'rmdir d/c' 'rename d dest=d2'
}

# before            after
#   d(257)            z(261)
#     a(258)            a(258)     d can go only when a, which waits for z, has left it
#     b(259)          b(259)
#   e(260)            e(260)
#     z(261)
case_a_removal_waits_for_a_move_that_waits() {
  mkdir -p d/a d/b e/z
  numbered d=257 d/a=258 d/b=259 e=260 e/z=261
  snapshot
  mv e/z z
  mv d/a z
  mv d/b b
  rmdir d
  expect 'rename d dest=o257-.*' 'rename o257-.*/b dest=b' 'rename e/z dest=z' 'rename o257-.*/a dest=z/a' \
    'rmdir o257-.*'
}

# before            after
#   d(257)            z(262)
#     a(258)            a(258)     both moves out of d wait, for two different directories
#     b(259)          y(263)
#   e(260)              b(259)
#     f(261)          e(260)
#       z(262)          f(261)
#       y(263)
case_a_removal_waits_for_two_moves_that_wait() {
  mkdir -p d/a d/b e/f/z e/f/y
  numbered d/a=258 d/b=259 e/f=261 e/f/z=262 e/f/y=263
  snapshot
  mv e/f/z z
  mv e/f/y y
  mv d/a z
  mv d/b y
  rmdir d
  expect 'rename d dest=o257-.*' 'rename e/f/z dest=z' 'rename o257-.*/a dest=z/a' 'rename e/f/y dest=y' \
    'rename o257-.*/b dest=y/b' 'rmdir o257-.*'
}

# before            after
#   d(257)            z(261)
#     c(258)            a(259)     c waits for a, and a for z
#       a(259)        e(260)
#   e(260)
#     z(261)
case_nested_removals_wait_for_a_move_that_waits() {
  mkdir -p d/c/a e/z
  numbered d/c/a=259 e=260 e/z=261
  snapshot
  mv e/z z
  mv d/c/a z
  rm -r d
  expect 'rename o257-.*/c dest=o258-.*' 'rmdir o257-.*' 'rename e/z dest=z' 'rename o258-.*/a dest=z/a' \
    'rmdir o258-.*'
}

# before            after
#   d(257)            d(262)/        another directory has the name already
#     a(258)            a(258)
#     b..(259…261)
case_a_removed_directorys_name_is_taken_while_it_waits() {
  mkdir -p d/a
  touch d/b d/c d/e
  snapshot
  mkdir n
  mv d/a n
  rm -r d
  mv n d
  numbered d=262 d/a=258
  expect 'rename d dest=o257-.*' 'rename o257-.*/a dest=.*' 'rmdir o257-.*' 'rename o262-.* dest=d'
}

# before            after
#   d(257)            a100 … a159   moved out of d one by one; the last one lets it go
#     100 … 159
case_a_removal_waits_for_many_entries() {
  mkdir d
  local i
  for i in {100..159}; do mkdir "d/$i"; done
  snapshot
  for i in {100..159}; do mv "d/$i" "a$i"; done
  rmdir d
  expect 'rename d dest=o257-.*' 'rename o257-.*/100 dest=a100' 'rename o257-.*/159 dest=a159' 'rmdir o257-.*'
}

# before            after
#   d(257)            d2(257)
#     x(258)            y(260)
#       y(260)            x(258)
#   e(259)            e(259)
case_child_and_grandchild_change_places_in_a_renamed_directory() {
  mkdir -p d/x e d/x/y
  numbered d/x=258 e=259 d/x/y=260
  snapshot
  mv d d2
  mv d2/x/y d2/y
  mv d2/x d2/y/x
  expect 'rename d dest=d2' 'rename d2/x/y dest=d2/y' 'rename d2/x dest=d2/y/x'
}

# before            after
#   a(257)            b(258)
#     c(259)            d(260)
#   b(258)                a(257)
#     d(260)                c(259)
case_a_directory_moves_into_the_child_of_another_that_stays() {
  mkdir a b a/c b/d
  snapshot
  mv a b/d
  numbered b/d/a/c=259
  expect 'rename a dest=b/d/a'
}

# before            after
#   a(257)            c(259)
#     c(259)            b(258)
#   b(258)                d(260)
#     d(260)                a(257)
case_two_pairs_are_plaited() {
  mkdir a b a/c b/d
  snapshot
  mv a/c c
  mv b c
  mv a c/b/d
  numbered c=259 c/b=258 c/b/d=260 c/b/d/a=257
  expect 'rename a/c dest=c' 'rename b dest=c/b' 'rename a dest=c/b/d/a'
}

# before              after
#   c(259)              f(262)
#     d(260)              b(258)
#       b(258)              a(257)
#         f(262)              d(260)
#           a(257)              e(261)
#             e(261)              c(259)
#
# 258 … 261 wait for 262.  When it has moved, 260 would come to be below 257, which is then still below 260: it
# waits again, for 258.
case_a_move_that_waited_would_run_in_a_circle_and_waits_again() {
  mkdir a b c d e f
  mv e a
  mv a f
  mv f b
  mv b d
  mv d c
  numbered c=259 c/d=260 c/d/b=258 c/d/b/f=262 c/d/b/f/a=257 c/d/b/f/a/e=261
  snapshot
  mv c/d/b/f f
  mv c/d/b f
  mv f/a f/b
  mv c/d f/b/a
  mv f/b/a/e f/b/a/d
  mv c f/b/a/d/e
  numbered f=262 f/b=258 f/b/a=257 f/b/a/d=260 f/b/a/d/e=261 f/b/a/d/e/c=259
  expect 'rename c/d/b/f dest=f' 'rename c/d/b dest=f/b' 'rename f/a/e dest=c/d/e' 'rename f/a dest=f/b/a' \
    'rename c/d dest=f/b/a/d' 'rename c dest=f/b/a/d/e/c'
}

# before          after
#   d(260)          a(257)
#     n(258)          d(260)
#       c(259)          c(259)
#         a(257)
#
# From after to before 257, 258 and 259 wait for 260.  258 is new there: above the moves that waited is a directory
# that the parent has not, and Linux cannot tell where it was.
case_a_new_directory_that_waits_is_above_moves_that_waited() {
  mkdir a n c d
  mv a c
  mv c n
  mv n d
  numbered d=260 d/n=258 d/n/c=259 d/n/c/a=257
  snapshot
  mv d/n/c/a a
  mv d/n/c d/c
  rmdir d/n
  mv d a
  numbered a=257 a/d=260 a/d/c=259
  kernel_fails 'No such file or directory'
}
