"""Two queries that must give the same: the search of an isovec table, and plain SQL."""


class Pair:
    """What to ask of the isovec table, and what plain SQL says to it. Without `ordered`, the order is left open; `near`
    is how far the last column, a distance, may be off, relative to the largest of the answer (a small one may be what is
    left of large products), rows nearer to each other than that coming in any order."""

    def __init__(self, form, asked, expected, parameters, ordered=True, near=0):
        self.form, self.asked, self.expected, self.parameters = form, asked, expected, parameters
        self.ordered, self.near = ordered, near

    def agrees(self, found, expected):
        if found == expected:
            return True
        if self.near:
            return self.agrees_nearly(found, expected)
        return not self.ordered and sorted(found, key=repr) == sorted(expected, key=repr)

    def agrees_nearly(self, found, expected):
        if len(found) != len(expected) or any(distance is None for _, distance in found + expected):
            return False
        there = {rowid: distance for rowid, distance in expected}
        largest = max([1, *map(abs, there.values())])

        def close(a, b):
            return abs(a - b) <= self.near * largest

        edge = expected[-1][1] if expected else 0
        for (rowid, distance), (_, other) in zip(found, expected):
            if not close(distance, other) or not close(distance, there.get(rowid, edge)):
                return False
        return len({rowid for rowid, _ in found}) == len(found)
