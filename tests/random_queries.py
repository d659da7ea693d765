"""Random queries in pairs: one that uses an isovec table's search, and plain SQL over the ordinary table of the same rows
that must give the same, bit for bit. What both mean stands beside each form."""

from query_pair import Pair
from random_tables import Conditions


class Queries:
    """`distances(expression, parameters)` returns the distances that a search can meet; `fixed_k` is False where conditions
    may be kept from the table, so that a k beside them has no fixed meaning."""

    def __init__(self, table, distances, fixed_k=True):
        self.table, self.rng, self.distances, self.fixed_k = table, table.rng, distances, fixed_k
        self.conditions = Conditions(table)
        self.forms = [
            (self.stream, 6),
            (self.nearest, 6 if fixed_k else 0),
            (self.within, 4),
            (self.nearest_within, 4 if fixed_k else 0),
            (self.nearest_joined, 3 if fixed_k else 0),
            (self.aggregate, 2),
            (self.scan, 4),
            (self.partition_of_truth, 2),
            (self.join_result, 3),
            (self.search_per_row, 3),
            (self.correlated, 2),
            (self.two_columns, 1),
            (self.transformed, 3 if fixed_k and any(v.fitted for v in table.vectors) else 0),
            (self.given, 3 if fixed_k and any(v.fits and not v.fitted for v in table.vectors) else 0),
            (self.membership, 2),
            (self.many_conditions, 1),
            (self.compound, 1),
            (self.windowed, 1),
        ]

    def draw(self):
        forms, weights = zip(*self.forms)
        return self.rng.choices(forms, weights)[0]()

    # Parts of queries.

    def vector(self):
        vector = self.rng.choice(self.table.vectors)
        return vector, {"q": self.table.query_json(vector)}

    def match(self, vector, query=":q"):
        text = f"{vector.name} MATCH " + self.rng.choice([query, f"{vector.wrap}({query})", f"(SELECT {query})"])
        return text + (" AND transform = 'none'" if vector.fitted else "")

    def scored(self, vector, where="1", query=":q", rest=""):
        """The rows of u with their distance and similarity, nearest first; `rest` may cut them."""
        return (
            f"(SELECT * FROM (SELECT rowid AS rowid, *, {vector.distance(query)} AS distance, "
            f"{vector.similarity(query)} AS similarity FROM u) WHERE distance IS NOT NULL AND ({where}) "
            f"ORDER BY distance, rowid {rest})"
        )

    def selection(self):
        names = (
            ["rowid", "distance", "similarity"]
            + [c.name for c in self.table.named]
            + [v.name for v in self.table.vectors]
        )
        return ", ".join(["rowid"] + self.rng.sample(names, self.rng.randrange(len(names))))

    def limit(self):
        draw = self.rng.random()
        if draw < 0.4:
            return ""
        limit = f" LIMIT {self.rng.choice([0, 1, 3, 10, 50, 10000, -1])}"
        return limit + (f" OFFSET {self.rng.choice([0, 1, 4, 60])}" if self.rng.random() < 0.5 else "")

    def order(self):
        """An order for the search and the same, made total, for plain SQL. A search needs none: it is in order."""
        draw = self.rng.random()
        if draw < 0.3:
            return "", " ORDER BY distance, rowid"
        if draw < 0.55:
            return " ORDER BY distance", " ORDER BY distance, rowid"
        if draw < 0.65:
            return (" ORDER BY distance, rowid",) * 2
        if draw < 0.75:
            return (
                self.rng.choice(
                    [
                        " ORDER BY distance DESC, rowid",
                        " ORDER BY +distance, rowid DESC",
                        " ORDER BY similarity DESC, distance DESC, rowid",
                        " ORDER BY similarity DESC, rowid",
                        " ORDER BY similarity DESC, rowid DESC",
                        " ORDER BY similarity, rowid",
                        " ORDER BY rowid DESC",
                        " ORDER BY rowid",
                    ]
                ),
            ) * 2
        column = self.rng.choice(self.table.columns).name
        return (f" ORDER BY {column}{self.rng.choice(['', ' DESC', ' NULLS LAST'])}, rowid",) * 2

    # Those that the table decides itself, so that k counts what is within.
    RANGES = [
        "distance < :d",
        "distance <= :d",
        "distance > :d",
        "distance >= :d",
        ":d > distance",
        "distance BETWEEN :d AND :e",
        "distance > :d AND distance <= :e",
        "distance > :d AND distance < :e",
        "distance >= :d AND :e > distance",
        "distance = :d",
        "distance IS :d",
    ]

    def distance_condition(self, vector, parameters, counted=False):
        """A range of distances whose ends are such as occur, or what else it may be compared with."""
        bounds = self.distances(f"SELECT distance FROM {self.scored(vector)}", parameters)
        parameters["d"] = self.rng.choice(bounds + [0.0, 1.0, -1.0, 1e300, 1, -2, 2**53 + 1, "0.5", "x", None])
        parameters["e"] = self.rng.choice(bounds + [0.5])
        return self.rng.choice(
            self.RANGES + ["distance <> :d", "+distance <= +:d", "distance IN (:d, :e)", "distance IS NOT NULL"]
            if not counted
            else self.RANGES
        )

    def some_k(self):
        return self.rng.choice([0, 1, 2, 5, 20, 10000, 3.0, 2**63 - 1, "2", "5.0", " 1 ", 2**32])

    def counted(self, prefix=""):
        """Conditions that k counts after."""
        if self.rng.random() < 0.2:
            return "1"
        conditions = Conditions(self.table, prefix)
        return " AND ".join(conditions.pushed(certain=True) for _ in range(self.rng.choice([1, 1, 2, 3])))

    # Forms of queries.

    def stream(self):
        """MATCH with any conditions: LIMIT counts after all of them."""
        vector, parameters = self.vector()
        where, selection, limit = (
            self.conditions.any() if self.rng.random() < 0.8 else "1",
            self.selection(),
            self.limit(),
        )
        order, total = self.order()
        parts = [self.match(vector), where]
        self.rng.shuffle(parts)
        return Pair(
            "stream" + (", LIMIT" if limit else ""),
            f"SELECT {selection} FROM t WHERE {' AND '.join(parts)}{order}{limit}",
            f"SELECT {selection} FROM {self.scored(vector, where)} AS t{total}{limit}",
            parameters,
        )

    def nearest(self):
        """k counts the rows that pass conditions on columns, before what SQLite keeps to itself."""
        vector, parameters = self.vector()
        parameters["k"] = self.some_k()
        pushed = self.counted()
        kept = self.conditions.kept() if self.rng.random() < 0.3 else "1"
        order, total = self.order()
        selection, limit = self.selection(), self.limit()
        k = self.rng.choice(["k = :k", ":k = k", "k = (SELECT :k)", "k IS :k"])
        parts = [self.match(vector), k, pushed, kept]
        self.rng.shuffle(parts)
        return Pair(
            "k",
            f"SELECT {selection} FROM t WHERE {' AND '.join(parts)}{order}{limit}",
            f"SELECT {selection} FROM {self.scored(vector, pushed, rest='LIMIT CAST(:k AS INTEGER)')} AS t "
            f"WHERE {kept}{total}{limit}",
            parameters,
        )

    def within(self):
        """Ranges of distances, with k where it counts only what is in the range."""
        vector, parameters = self.vector()
        condition = self.distance_condition(vector, parameters)
        where = f"{condition} AND {self.conditions.any(1)}" if self.rng.random() < 0.6 else condition
        order, total = self.order()
        limit = self.limit()
        return Pair(
            "distance range",
            f"SELECT rowid, distance FROM t WHERE {self.match(vector)} AND {where}{order}{limit}",
            f"SELECT rowid, distance FROM {self.scored(vector, where)} AS t{total}{limit}",
            parameters,
        )

    def nearest_within(self):
        """k counts what is within a range of distances and passes conditions on columns: also a page of a search."""
        vector, parameters = self.vector()
        parameters["k"] = self.some_k()
        where = f"{self.distance_condition(vector, parameters, counted=True)} AND {self.counted()}"
        kept = self.conditions.kept() if self.rng.random() < 0.3 else "1"
        order, total = self.order()
        limit = self.limit()
        return Pair(
            "k, distance range",
            f"SELECT rowid, distance FROM t WHERE {self.match(vector)} AND k = :k AND {where} AND {kept}{order}{limit}",
            f"SELECT rowid, distance FROM {self.scored(vector, where, rest='LIMIT CAST(:k AS INTEGER)')} AS t "
            f"WHERE {kept}{total}{limit}",
            parameters,
        )

    def nearest_joined(self):
        """k counts before an inner join, whichever table comes first; and after the condition of a join that has to search
        once for each row."""
        vector, parameters = self.vector()
        parameters["k"] = self.some_k()
        pushed = self.counted("t.")
        column = self.rng.choice(self.table.columns).name
        on = self.rng.choice(["o.r = t.rowid", f"o.y = t.{column}", "t.rowid > o.r", "o.n % 2 = t.rowid % 2"])
        join = self.rng.choice(
            [
                "t JOIN o ON {}",
                "o JOIN t ON {}",
                "t, o ON {}",
                "t CROSS JOIN o ON {}",
                "t LEFT JOIN o ON {}",
                "o CROSS JOIN t ON {}",
            ]
        )
        order = " ORDER BY t.distance, t.rowid, o.n" if self.rng.random() < 0.5 else ""
        limit = self.limit() if order else ""
        select = "SELECT o.n, t.rowid, t.distance FROM"
        asked = f"{select} {join.format(on)} WHERE t.{self.match(vector)} AND t.k = :k AND {pushed}"
        counted = "LIMIT CAST(:k AS INTEGER)"
        if join.startswith("o CROSS"):
            # The columns of o are known before the search begins.
            on = self.rng.choice(["o.r = t.rowid", "t.rowid > o.r"])
            asked = f"{select} {join.format(on)} WHERE t.{self.match(vector)} AND t.k = :k AND {pushed}"
            ranked = (
                f"SELECT o.n AS n, t.*, row_number() OVER (PARTITION BY o.n ORDER BY t.distance, t.rowid) AS rank "
                f"FROM {self.scored(vector)} AS t JOIN o ON {on} WHERE {pushed}"
            )
            expected = (
                f"WITH t AS ({ranked}) SELECT t.n, t.rowid, t.distance FROM t JOIN o USING (n) WHERE rank <= CAST(:k AS INTEGER)"
            )
        else:
            expected = f"WITH t AS {self.scored(vector, pushed.replace('t.', ''), rest=counted)} {select} {join.format(on)}"
        return Pair("k in a join", asked + order + limit, expected + order + limit, parameters, ordered=bool(order))

    def aggregate(self):
        """Aggregates over a search, with and without groups."""
        vector, parameters = self.vector()
        where = self.conditions.any(1)
        column = self.rng.choice(self.table.columns).name
        what = self.rng.choice(
            [
                "count(*)",
                "min(distance)",
                "max(distance)",
                "min(rowid), max(rowid)",
                "count(DISTINCT {c})",
                "min({c})",
                "max({c})",
                "count(*) FILTER (WHERE distance < 1)",
                "{c}, count(*), min(distance) {g}",
                "DISTINCT {c} {o}",
                "{c}, max(rowid) {g}",
            ]
        )
        group = what.format(c=column, g=f"GROUP BY {column} ORDER BY {column}", o=f"ORDER BY {column}").partition(
            " GROUP"
        )
        head, _, tail = group
        if "DISTINCT " + column + " ORDER" in head:
            head, tail = f"DISTINCT {column}", ""
        tail = f" GROUP{tail}" if tail else ""
        return Pair(
            "aggregate",
            f"SELECT {head} FROM t WHERE {self.match(vector)} AND {where}{tail}",
            f"SELECT {head} FROM {self.scored(vector, where)} AS t{tail}",
            parameters,
            ordered="GROUP" in tail,
        )

    def scan(self):
        """No search: any conditions, any order."""
        where = self.conditions.any()
        names = ", ".join(
            self.rng.sample([c.name for c in self.table.columns] + [v.name for v in self.table.vectors], 2)
        )
        column = self.rng.choice(self.table.columns).name
        order = self.rng.choice(
            [
                f" ORDER BY {column}, rowid",
                f" ORDER BY {column} DESC, rowid DESC",
                " ORDER BY rowid",
                " ORDER BY rowid DESC",
            ]
        )
        form = self.rng.choice(
            [
                "SELECT rowid, {n} FROM {f} WHERE {w}{o}{l}",
                "SELECT count(*) FROM {f} WHERE {w}",
                "SELECT {c}, count(*), min(rowid) FROM {f} WHERE {w} GROUP BY {c} ORDER BY {c}",
                "SELECT min({c}), max({c}) FROM {f} WHERE {w}",
                "SELECT rowid FROM {f} WHERE {w}",
            ]
        )
        fill = {"n": names, "w": where, "o": order, "l": self.limit(), "c": column}
        return Pair(
            "scan", form.format(f="t", **fill), form.format(f="u", **fill), {}, ordered="ORDER" in form or "{o}" in form
        )

    def partition_of_truth(self):
        """Rows where p holds, where it does not, and where it is NULL are together all rows."""
        vector, parameters = self.vector()
        where = self.conditions.any()
        match = self.match(vector)
        parts = " UNION ALL ".join(
            f"SELECT rowid, distance FROM t WHERE {match} AND {p}"
            for p in (f"({where})", f"NOT ({where})", f"({where}) IS NULL")
        )
        return Pair(
            "p, NOT p, p IS NULL",
            parts,
            f"SELECT rowid, distance FROM {self.scored(vector)}",
            parameters,
            ordered=False,
        )

    def join_result(self):
        """A search joined to a table, written in either order; also a LEFT JOIN."""
        vector, parameters = self.vector()
        column = self.rng.choice(self.table.columns).name
        ranged = self.rng.choice([c for c in self.table.columns if c.type != "text"]).name
        on = self.rng.choice(
            ["o.r = t.rowid", f"o.y = t.{column}", f"t.{column} = o.s", f"t.{ranged} > o.y", "o.n % 2 = t.rowid % 2"]
        )
        where = Conditions(self.table, "t.").any(1)
        join = self.rng.choice(
            [
                "t JOIN o ON {on}",
                "o JOIN t ON {on}",
                "t, o ON {on}",
                "o CROSS JOIN t ON {on}",
                "t CROSS JOIN o ON {on}",
                "t LEFT JOIN o ON {on}",
            ]
        )
        asked = f"SELECT o.n, t.rowid, t.distance FROM {join.format(on=on)} WHERE t.{self.match(vector)} AND {where}"
        scored = (
            f"WITH t AS {self.scored(vector)} SELECT o.n, t.rowid, t.distance FROM {join.format(on=on)} WHERE {where}"
        )
        order = " ORDER BY t.distance, t.rowid, o.n" if self.rng.random() < 0.5 else ""
        limit = self.limit() if order else ""
        return Pair("join of a result", asked + order + limit, scored + order + limit, parameters, ordered=bool(order))

    def search_per_row(self):
        """One search for each row of another table, with its k or with a condition on distance."""
        i = self.rng.randrange(len(self.table.vectors))
        vector, query = self.table.vectors[i], f"o.q{i}"
        pushed = Conditions(self.table, "t.").pushed(certain=True) if self.fixed_k and self.rng.random() < 0.6 else "1"
        by_k = self.fixed_k and self.rng.random() < 0.6
        cut = "t.k = o.k" if by_k else "t.distance < o.n / 4.0"
        join = self.rng.choice(
            ["o JOIN t ON {c}", "t JOIN o ON {c}", "o CROSS JOIN t WHERE {c}", "o LEFT JOIN t ON {c}", "o, t WHERE {c}"]
        )
        condition = f"t.{self.match(vector, query)} AND {cut} AND {pushed}"
        asked = f"SELECT o.n, t.rowid, t.distance FROM {join.format(c=condition)} ORDER BY o.n, t.distance, t.rowid"
        rank = (
            f"SELECT *, row_number() OVER (PARTITION BY on_ ORDER BY distance, rowid) AS rank FROM (SELECT o.n AS on_, u.rowid AS rowid, u.*, "
            f"{vector.distance(query)} AS distance FROM o, u) AS t WHERE distance IS NOT NULL AND {pushed}"
        )
        kept = "t.rank <= o.k" if by_k else "t.distance < o.n / 4.0"
        kind = "LEFT JOIN" if "LEFT" in join else "JOIN"
        expected = (
            f"WITH t AS ({rank}) SELECT o.n, t.rowid, t.distance FROM o {kind} t ON t.on_ = o.n AND {kept} "
            "ORDER BY o.n, t.distance, t.rowid"
        )
        return Pair("search per row" + (", k of the row" if by_k else ""), asked, expected, {})

    def correlated(self):
        """A search in a correlated subquery: as a scalar, in EXISTS."""
        i = self.rng.randrange(len(self.table.vectors))
        vector, query = self.table.vectors[i], f"o.q{i}"
        match = self.match(vector, query)
        rows = f"SELECT rowid FROM {self.scored(vector, query=query)}"
        if self.rng.random() < 0.5:
            limit = f"LIMIT 1 OFFSET {self.rng.randrange(3)}"
            return Pair(
                "correlated subquery",
                f"SELECT n, (SELECT rowid FROM t WHERE {match} ORDER BY distance {limit}) FROM o ORDER BY n",
                f"SELECT n, ({rows} {limit}) FROM o ORDER BY n",
                {},
            )
        return Pair(
            "correlated EXISTS",
            f"SELECT n FROM o WHERE EXISTS (SELECT 1 FROM t WHERE {match} AND t.rowid = o.r) ORDER BY n",
            f"SELECT n FROM o WHERE r IN ({rows}) ORDER BY n",
            {},
        )

    def two_columns(self):
        """Two searches of the table joined by rowid."""
        first, parameters = self.vector()
        second = self.rng.choice(self.table.vectors)
        parameters["w"] = self.table.vector_json(second, zero=False)
        end = (
            "USING (rowid) ORDER BY a.distance + b.distance, a.rowid"
            if self.rng.random() < 0.5
            else "USING (rowid) ORDER BY a.distance, a.rowid"
        )
        select = "SELECT a.rowid, a.distance, b.distance FROM"
        searches = [
            f"(SELECT rowid, distance FROM t WHERE {self.match(v, q)})" for v, q in ((first, ":q"), (second, ":w"))
        ]
        return Pair(
            "two searches joined",
            f"{select} {searches[0]} AS a JOIN {searches[1]} AS b {end}",
            f"{select} {self.scored(first)} AS a JOIN {self.scored(second, query=':w')} AS b {end}",
            parameters,
        )

    def transformed(self):
        """A search under the column's own transform, or under one given with the query, beside the functions'."""
        vector = self.rng.choice([v for v in self.table.vectors if v.fitted])
        parameters = {"q": self.table.vector_json(vector, zero=False), "k": self.rng.choice([0, 1, 3, 20, 10000])}
        own = f"(SELECT transform FROM t WHERE {vector.name} MATCH :q AND k = 1)"
        given = self.rng.choice(["", f" AND transform = {own}"])
        pushed = self.conditions.pushed(certain=True) if self.rng.random() < 0.6 else "1"
        return Pair(
            "search under a transform" + (", given" if given else ""),
            f"SELECT rowid, distance FROM t WHERE {vector.name} MATCH :q{given} AND k = :k AND {pushed} ORDER BY distance",
            f"SELECT rowid, distance FROM (SELECT rowid AS rowid, *, {vector.distance(':q', own)} AS distance FROM u) "
            f"WHERE distance IS NOT NULL AND ({pushed}) ORDER BY distance, rowid LIMIT :k",
            parameters,
            near=1e-5,
        )

    def given(self):
        """A search under a transform that only the query knows, beside the functions' distances."""
        vector = self.rng.choice([v for v in self.table.vectors if v.fits and not v.fitted])
        specs = ["center", "standardize", "project_mean", "whiten eps=1"]
        fit = f"vec_fit({vector.wrap}({vector.name}), '{self.rng.choice(specs)}')"
        transform = f"(SELECT {fit} FROM u)"
        pushed = self.conditions.pushed(certain=True) if self.rng.random() < 0.6 else "1"
        return Pair(
            "search under a transform of its own",
            f"SELECT rowid, distance FROM t WHERE {vector.name} MATCH :q AND transform = {transform} AND k = :k AND {pushed} ORDER BY distance",
            f"SELECT rowid, distance FROM (SELECT rowid AS rowid, *, {vector.distance(':q', transform)} AS distance FROM u) "
            f"WHERE distance IS NOT NULL AND ({pushed}) ORDER BY distance, rowid LIMIT :k",
            {"q": self.table.vector_json(vector, zero=False), "k": self.rng.choice([0, 1, 3, 20, 10000])},
            near=1e-5,
        )

    def membership(self):
        """The rowids of a search as the right side of IN, and a search among the rowids of a query."""
        vector, parameters = self.vector()
        if self.rng.random() < 0.5:
            limit = self.rng.choice([1, 3, 10])
            negated = self.rng.choice(["", "NOT "])
            return Pair(
                "IN (a search)",
                f"SELECT rowid FROM u WHERE rowid {negated}IN (SELECT rowid FROM t WHERE {self.match(vector)} LIMIT {limit}) ORDER BY 1",
                f"SELECT rowid FROM u WHERE rowid {negated}IN (SELECT rowid FROM {self.scored(vector)} LIMIT {limit}) ORDER BY 1",
                parameters,
            )
        inner = f"rowid IN (SELECT rowid FROM u WHERE {self.conditions.any(1)})"
        return Pair(
            "search among rowids",
            f"SELECT rowid, distance FROM t WHERE {self.match(vector)} AND {inner}",
            f"SELECT rowid, distance FROM {self.scored(vector, inner)}",
            parameters,
        )

    def many_conditions(self):
        """More conditions than SQLite lets a table keep from being checked again (16), or hands over as a whole (32)."""
        vector, parameters = self.vector()
        column = self.conditions.column()
        many = [
            f"{column.name} IS NOT {self.conditions.constant(column)}" for _ in range(self.rng.choice([15, 18, 34]))
        ]
        many += [f"rowid NOT IN (1, 5)", f"rowid IN (SELECT rowid FROM u WHERE rowid % 3)", self.match(vector)]
        where = [*many[:-1]]
        self.rng.shuffle(many)
        return Pair(
            "many conditions",
            f"SELECT rowid, distance FROM t WHERE {' AND '.join(many)}",
            f"SELECT rowid, distance FROM {self.scored(vector, ' AND '.join(where))}",
            parameters,
        )

    def compound(self):
        """Searches on both sides of a compound SELECT."""
        vector, parameters = self.vector()
        first, second = self.conditions.any(1), self.conditions.any(1)
        operator = self.rng.choice(["UNION ALL", "UNION", "EXCEPT", "INTERSECT"])
        asked = f" {operator} ".join(
            f"SELECT rowid, distance FROM t WHERE {self.match(vector)} AND {c}" for c in (first, second)
        )
        expected = f" {operator} ".join(
            f"SELECT rowid, distance FROM {self.scored(vector, c)}" for c in (first, second)
        )
        return Pair("compound", asked, expected, parameters, ordered=False)

    def windowed(self):
        """Window functions over a search."""
        vector, parameters = self.vector()
        column = self.rng.choice(self.table.columns).name
        where = self.conditions.any(1)
        select = (
            f"SELECT rowid, row_number() OVER (PARTITION BY {column} ORDER BY distance, rowid), "
            "sum(rowid) OVER (ORDER BY distance, rowid ROWS 2 PRECEDING) FROM"
        )
        return Pair(
            "window functions",
            f"{select} t WHERE {self.match(vector)} AND {where} ORDER BY rowid",
            f"{select} {self.scored(vector, where)} AS t ORDER BY rowid",
            parameters,
        )
