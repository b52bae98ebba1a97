# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is written into the benchmark's files: the same bytes for the same seed."""
import itertools
import random

PIECE = 1 << 20


class Content:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pool = None

    def noise(self, length):
        """Bytes that no compressor makes smaller."""
        return self.random.randbytes(length)

    def text(self, length):
        """Words, the frequent ones often: a half to a third of its size when compressed."""
        if self.pool is None:
            self.pool = self._make_pool(16 << 20)
        pieces = []
        while length:
            n = min(length, self.random.randint(8 << 10, 64 << 10))
            start = self.random.randrange(len(self.pool) - n)
            pieces.append(self.pool[start:start + n])
            length -= n
        return b"".join(pieces)

    def _make_pool(self, length):
        rng = self.random
        words = ["".join(rng.choices("etaoinshrdlucmfwypvbgkjqxz", k=rng.randint(2, 11)))
                 for _ in range(20000)]
        weights = list(itertools.accumulate(1 / (i + 8) for i in range(len(words))))
        pool = " ".join(rng.choices(words, cum_weights=weights, k=length // 4))
        return pool.encode()[:length]

    def small_size(self):
        """0.5 to 16 KiB, as many files below 3 KiB as above."""
        return int(512 * 2 ** self.random.uniform(0, 5))

    def write(self, path, length, what):
        with open(path, "wb") as file:
            while length:
                n = min(length, PIECE)
                file.write(what(n))
                length -= n
