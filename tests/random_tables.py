"""Random isovec tables, each beside an ordinary table of the same columns, rowids and rows, and random conditions that
mean the same on both. Everything follows from one random.Random, so a seed names a table."""

import json

VALUE_TYPES = {
    "text": "text",
    "int": "integer",
    "integer": "integer",
    "int64": "integer",
    "bool": "boolean",
    "boolean": "boolean",
    "float": "real",
    "double": "real",
    "real": "real",
    "numeric": "numeric",
    "blob": "blob",
}
WORDS = ["a", "B", "ab", "b", "", "12", "3", "Ab_c", "100%", "é", "-1", "2.5"]
COMPARISONS = ["=", "==", "<>", "!=", "<", "<=", ">", ">=", "IS", "IS NOT"]
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


FITTED = ("cosine", "l2", "dot")  # the metrics that take a transform
WRAPS = {"float": "vec_f32", "float16": "vec_f16", "bfloat16": "vec_bf16", "int8": "vec_int8", "bit": "vec_bit"}
TYPE_WORDS = {
    "float": ["float", "f32", "FLOAT32"],
    "float16": ["float16", "F16"],
    "bfloat16": ["bfloat16", "bf16"],
    "int8": ["int8", "I8"],
    "bit": ["bit", "BIT"],
}


class Vector:
    """A vector column and how plain SQL computes what a search of it returns."""

    def __init__(self, name, kind, dimension, metric):
        self.name, self.kind, self.dimension, self.metric = name, kind, dimension, metric
        self.wrap = WRAPS[kind]
        self.usual_metric = "hamming" if kind == "bit" else "cosine"
        self.fits = self.fitted = self.nullable = False
        self.filled = 0  # rows that have a vector

    def declaration(self, rng):
        metric = f" distance_metric={self.metric}" if self.metric != self.usual_metric or rng.random() < 0.5 else ""
        null = " not null" if not self.nullable and rng.random() < 0.2 else ""
        return f"{self.name} {rng.choice(TYPE_WORDS[self.kind])}[{self.dimension}]{metric}{null}"

    def distance(self, query, transform=""):
        """The distance of a row of the ordinary table to an SQL expression for JSON text or an untyped BLOB."""
        arguments = f"{self.wrap}({self.name}), {self.wrap}({query}){transform and ', ' + transform}"
        function = f"-vec_dot({arguments})" if self.metric == "dot" else f"vec_distance_{self.metric}({arguments})"
        return f"CAST({function} AS REAL)"

    def similarity(self, query):
        if self.metric not in ("cosine", "dot"):
            return "NULL"
        return f"CAST(vec_{self.metric}({self.wrap}({self.name}), {self.wrap}({query})) AS REAL)"


class Column:
    """A column of ordinary values. role: key, partition, metadata, auxiliary or rowid."""

    def __init__(self, name, declared, role):
        self.name, self.declared, self.role = name, declared, role
        self.type = VALUE_TYPES[declared.lower()]

    @property
    def pushable(self):
        return self.role != "auxiliary"


class Table:
    """t is the isovec table's name, u the ordinary one's; run(sql, parameters) makes and fills both."""

    def __init__(self, rng, run, rows):
        self.rng = rng
        self.vectors = [self.random_vector(i) for i in range(rng.choice([1, 1, 2, 3]))]
        for vector in self.vectors:
            vector.nullable = rng.random() < 0.4
        self.key = rng.choice(["none", "integer", "text"])
        self.columns = self.random_columns()
        self.create(run)
        self.fill(run, rows)
        self.fit(run, rows)
        self.churn(run)

    def random_vector(self, i):
        rng = self.rng
        kind = rng.choice(["float", "float", "float16", "bfloat16", "int8", "bit"])
        dimension = rng.choice([1, 2, 3, 4, 7, 8, 33]) if rng.random() < 0.9 else 700
        if kind == "bit":
            return Vector(f"v{i}", kind, rng.choice([8, 16, 40]), rng.choice(["hamming", "jaccard"]))
        return Vector(f"v{i}", kind, dimension, rng.choice(["cosine", "l2", "dot", "cosine", "l2", "dot", "l1"]))

    def random_columns(self):
        rng = self.rng
        columns = [Column("rowid", "integer", "rowid")]
        if self.key != "none":
            columns.append(Column("id", self.key, "key"))
        columns += [
            Column(f"p{i}", rng.choice(["text", "integer", "int"]), "partition")
            for i in range(rng.choice([0, 0, 1, 2]))
        ]
        columns += [Column(f"m{i}", rng.choice(list(VALUE_TYPES)), "metadata") for i in range(rng.randrange(5))]
        columns += [Column(f"x{i}", rng.choice(list(VALUE_TYPES)), "auxiliary") for i in range(rng.randrange(3))]
        return columns

    @property
    def named(self):
        return [column for column in self.columns if column.role != "rowid"]

    def create(self, run):
        rng = self.rng
        forms, plain = [], []
        for vector in self.vectors:
            forms.append(vector.declaration(rng))
            plain.append(vector.name)
        for column in self.named:
            kind = rng.choice([column.declared, column.declared.upper()])
            suffix = {"key": " primary key", "partition": " PARTITION KEY"}.get(column.role, "")
            if column.role == "metadata" and rng.random() < 0.4:
                suffix = " indexed"
            forms.append(("+" if column.role == "auxiliary" else "") + f"{column.name} {kind}{suffix}")
            plain.append(f"{column.name} {column.declared}" + (" primary key" if column.role == "key" else ""))
        rng.shuffle(forms)
        self.sql = f"CREATE VIRTUAL TABLE t USING isovec({', '.join(forms)})"
        run(self.sql)
        run(f"CREATE TABLE u({', '.join(plain)})")
        run(
            "CREATE TABLE o(n INTEGER PRIMARY KEY, k INTEGER, y, s TEXT, r INTEGER, "
            + ", ".join(f"q{i} TEXT" for i in range(len(self.vectors)))
            + ")"
        )

    def value(self, column):
        rng = self.rng
        if column.role in ("metadata", "auxiliary", "partition") and rng.random() < 0.2:
            return None
        if rng.random() < 0.05 and column.role != "key":
            return rng.choice(WORDS)
        return {
            "text": lambda: rng.choice(WORDS),
            "integer": lambda: rng.randrange(-3, 9),
            "boolean": lambda: rng.randrange(2),
            "real": lambda: rng.randrange(-6, 12) / 2,
            "numeric": lambda: rng.choice([1, 2.5, "3", "x", 7]),
            "blob": lambda: rng.choice([b"\0", b"ab", 5, "ab", 2.5]),
        }[column.type]()

    def element(self, kind):
        if kind == "bit":
            return self.rng.randrange(2)
        if kind == "int8":
            return self.rng.choice([self.rng.randrange(-3, 4), self.rng.randrange(-128, 128)])
        if self.rng.random() < 0.3:
            return self.rng.gauss(0, 2)
        return self.rng.randrange(-4, 5) / 2  # a coarse grid, so that distances tie

    def vector_json(self, vector, zero=True):
        if zero and self.rng.random() < 0.04:
            return json.dumps([0] * vector.dimension)
        if vector.dimension > 100:  # few different ones: making them is dear
            scale = self.rng.randrange(1, 9)
            shift = 0 if vector.kind == "int8" else scale / 4
            return json.dumps([(i * scale) % 7 - 3 + shift for i in range(vector.dimension)])
        elements = [self.element(vector.kind) for _ in range(vector.dimension)]
        if not any(elements):
            elements[0] = 1
        return json.dumps(elements)

    def vector_or_null(self, vector):
        if vector.nullable and self.rng.random() < 0.25:
            return None
        vector.filled += 1
        return self.vector_json(vector)

    def query_json(self, vector):
        """A query: a vector, or now and then NULL or zeros, which have no neighbours under cosine."""
        draw = self.rng.random()
        if draw < 0.02:
            return None
        return json.dumps([0] * vector.dimension) if draw < 0.04 else self.vector_json(vector, zero=False)

    def fill(self, run, rows):
        rng = self.rng
        stored = ", ".join(f"{v.wrap}(:{v.name})" for v in self.vectors)
        names = [v.name for v in self.vectors] + [c.name for c in self.named]
        values = ", ".join([stored] + [f":{c.name}" for c in self.named])
        rowid = 0
        run("BEGIN")
        for i in range(rows):
            row = {v.name: self.vector_or_null(v) for v in self.vectors}
            row.update({c.name: self.value(c) for c in self.named})
            # Rowids leave gaps, start below zero, and are the table's own where the key is text.
            rowid = rowid + 1 if self.key == "text" else (-rows if i == 0 else rowid + rng.choice([1, 1, 2, 5]))
            row["rowid"] = rowid
            if self.key == "text":
                row["id"] = f"{rng.choice('abcXYZ')}{i}"
            elif self.key == "integer":
                row["id"] = rowid
            first = [] if self.key == "text" else ["rowid"]
            run(
                f"INSERT INTO t({', '.join(first + names)}) VALUES ({', '.join([':rowid'] * len(first) + [values])})",
                row,
            )
            run(f"INSERT INTO u({', '.join(['rowid'] + names)}) VALUES (:rowid, {values})", row)
        for n in range(1, 5):
            run(
                "INSERT INTO o VALUES (?, ?, ?, ?, (SELECT rowid FROM u ORDER BY (rowid * ?) % 17 LIMIT 1)"
                + ", ?" * len(self.vectors)
                + ")",
                [n, rng.choice([0, 1, 2, 3, 5, 1000]), rng.choice([None, 1, 2, "3", 2.5]), rng.choice(WORDS), n]
                + [self.query_json(v) for v in self.vectors],
            )
        run("COMMIT")

    def fit(self, run, rows):
        """Gives some vector columns a transform."""
        for vector in self.vectors:
            vector.fits = vector.filled > (20 if vector.nullable else 2) and vector.dimension > 1 and vector.metric in FITTED
            if vector.fits and self.rng.random() < 0.3:
                spec = self.rng.choice(["center", "standardize", "project_mean", "whiten eps=1"])
                run(f"INSERT INTO t(t) VALUES ('fit column={vector.name} {spec}')")
                vector.fitted = True

    def churn(self, run):
        """Deletes and changes rows, so that slots are free, used again and out of order."""
        if self.rng.random() < 0.4:
            return
        for table in "tu":
            run(f"DELETE FROM {table} WHERE rowid % 7 IN (2, 3)")
        for vector in self.vectors:
            row = {"v": self.vector_json(vector)}
            for table in "tu":
                run(f"UPDATE {table} SET {vector.name} = {vector.wrap}(:v) WHERE rowid % 11 = 4", row)
                if vector.nullable:
                    run(f"UPDATE {table} SET {vector.name} = NULL WHERE rowid % 9 = 1")
        for column in self.named:
            if column.role == "key":
                continue
            row = {"v": self.value(column)}
            for table in "tu":
                run(f"UPDATE {table} SET {column.name} = :v WHERE rowid % 13 = 5", row)
        if self.rng.random() < 0.3:
            run("INSERT INTO t(t) VALUES ('optimize')")


def literal(value):
    """A value as SQL text."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return "x'" + value.hex() + "'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


class Conditions:
    """Random conditions on a table's ordinary columns, as SQL that t and u both understand."""

    def __init__(self, table, prefix=""):
        self.table, self.rng, self.prefix = table, table.rng, prefix

    def constant(self, column, certain=False):
        """A constant to compare a column with. `certain`: of a type with which there is one way to compare. Where text
        meets a number, that hangs on the constant's affinity, which SQLite tells no table; it checks such rows itself.
        """
        rng = self.rng
        if certain and column.type in ("text", "blob"):
            return literal(
                rng.choice([None, b"ab", b"\0"] if column.type == "blob" else [None, *WORDS, "a", "b3", "X1", "c20"])
            )
        if column.role == "rowid" or (column.role == "key" and column.type == "integer"):
            return literal(
                rng.choice([rng.randrange(-120, 300), rng.randrange(-9, 9), 1.0, 2.5, "7", None, -(2**63), 2**63 - 1])
            )
        if column.role == "key":
            return literal(rng.choice(["a", "b3", "X1", "c20", "Y", None, 5]))
        if rng.random() < 0.15:
            return literal(rng.choice([None, 2, "2", 2.5, "b", b"ab"]))
        return literal(self.table.value(column))

    def column(self, roles=None):
        return self.rng.choice([c for c in self.table.columns if roles is None or c.role in roles])

    def pushed(self, certain=False):
        """A condition that the table takes; if `certain`, one that it can decide, so that k counts the rows that pass."""
        rng = self.rng
        column = self.rng.choice([c for c in self.table.columns if c.pushable])
        name = self.prefix + column.name
        form = rng.randrange(10)
        if form < 4:
            operator, constant = rng.choice(COMPARISONS), self.constant(column, certain)
            if rng.random() < 0.2 and not operator.startswith("IS"):
                return f"{constant} {MIRRORED.get(operator, operator)} {name}"
            # Beside <> and IS NOT, SQLite offers no column with a COLLATE.
            offered = operator not in ("<>", "!=", "IS NOT")
            collation = " COLLATE NOCASE" if offered and column.type == "text" and rng.random() < 0.1 else ""
            return f"{name}{collation} {operator} {constant}"
        if form == 4:
            return f"{name} BETWEEN {self.constant(column, certain)} AND {self.constant(column, certain)}"
        if form == 5:
            if rng.random() < 0.4:
                name = self.prefix + rng.choice(self.table.vectors).name
            return f"{name} {rng.choice(['IS NULL', 'IS NOT NULL', 'NOTNULL', 'ISNULL'])}"
        if form == 6:
            return f"{name} {rng.choice(['LIKE', 'GLOB'])} {literal(rng.choice(['a%', '%b', '_', 'a*', '*', '[a-c]?', '%', '1%']))}"
        if form == 7 and not (certain and column.type in ("text", "blob")):
            source = rng.choice(
                ["SELECT y FROM o", "SELECT s FROM o", "SELECT r FROM o", "SELECT rowid FROM u WHERE rowid % 3 = 0"]
            )
            return f"{name} IN ({source})"
        if form == 8 and not (certain and column.type in ("text", "blob")) and rng.random() < 0.5:
            return f"{name} IN ({self.mixed_values(column)})"
        constants = [self.constant(column, certain) for _ in range(rng.choice([0, 1, 2, 3, 8]))]
        return f"{name} IN ({', '.join(constants)})"

    def mixed_values(self, column):
        """Many values that differ in type only, or a subquery with a collation of its own."""
        rng = self.rng
        if rng.random() < 0.3:
            collation = rng.choice(["NOCASE", "RTRIM", "BINARY"])
            values = ", ".join(f"({literal(value)})" for value in rng.sample(WORDS, 4))
            return f"SELECT column1 COLLATE {collation} FROM (VALUES {values})"
        numbers = range(rng.choice([-5, 1]), rng.choice([20, 450, 1300]))
        values = [str(n) for n in numbers] + [f"'{n}'" for n in rng.sample(range(9), 4)]
        values += [literal(value) for value in [1.0, "1.0", b"ab", "ab", None][: rng.randrange(6)]]
        rng.shuffle(values)
        return ", ".join(values)

    def kept(self):
        """A condition that SQLite keeps to itself, so that k counts rows before it."""
        rng = self.rng
        column = self.column()
        name, constant = self.prefix + column.name, self.constant(column)
        auxiliary = [c for c in self.table.columns if c.role == "auxiliary"]
        forms = [
            f"+{name} {rng.choice(COMPARISONS)} {constant}",
            f"{name} % 3 > {rng.randrange(-2, 3)}",
            f"coalesce({name}, 1) = {constant}",
            f"length({name}) < {rng.randrange(4)}",
            f"{name} NOT BETWEEN {self.constant(column)} AND {self.constant(column)}",
            f"{name} NOT IN ({constant}, {self.constant(column)})",
            f"CASE WHEN {name} > {constant} THEN 0 ELSE 1 END",
            f"{name} || 'x' > {literal(rng.choice(WORDS))}",
            f"typeof({name}) = {literal(rng.choice(['integer', 'text', 'null', 'real']))}",
            f"EXISTS (SELECT 1 FROM o WHERE o.y = {name})",
            f"({name}, {self.prefix}rowid) IN (VALUES ({constant}, 3), ({self.constant(column)}, 4), (1, 1), (2, 7))",
            f"({name}, {self.prefix}rowid % 3) IN (SELECT {constant}, 1 UNION ALL SELECT y, 2 FROM o)",
        ]
        if auxiliary:
            other = self.prefix + rng.choice(auxiliary).name
            forms += [f"{other} {rng.choice(COMPARISONS)} {constant}", f"{other} IS NULL", f"{other} LIKE 'a%'"]
        return rng.choice(forms)

    def any(self, depth=2):
        """Any condition, nested."""
        rng = self.rng
        if depth == 0 or rng.random() < 0.5:
            return self.pushed() if rng.random() < 0.65 else self.kept()
        if rng.random() < 0.2:
            return f"NOT ({self.any(depth - 1)})"
        parts = [self.any(depth - 1) for _ in range(rng.choice([2, 2, 3]))]
        return "(" + rng.choice([" AND ", " OR "]).join(parts) + ")"
