"""Numbers are rounded once to the type that they are for. The reference is exact: fractions of whole numbers."""

import fractions
import os
import random
import sqlite3
import struct
import subprocess
import unittest

import sqlite_shell

# Significant bits, the exponent of the least positive number, and the largest number of each type.
FORMATS = {
    "vec_f32": (24, -149, fractions.Fraction(2**24 - 1) * 2**104),
    "vec_f16": (11, -24, fractions.Fraction(65504)),
    "vec_bf16": (8, -133, fractions.Fraction(2**8 - 1) * 2**120),
}


def connect():
    connection = sqlite3.connect(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension(str(sqlite_shell.MODULE.with_suffix("")))
    return connection


def nearest(number, precision, least, largest):
    """The number of this format nearest to a fraction, ties to even; None beyond the largest one."""
    magnitude = abs(number)
    exponent = least
    while magnitude >= fractions.Fraction(2) ** (exponent + precision):
        exponent += 1
    unit = fractions.Fraction(2) ** exponent
    rounded = round(magnitude / unit) * unit  # Python rounds a fraction to an integer with ties to even
    if rounded > largest:
        return None
    return rounded if number >= 0 else -rounded


def value_of(connection, function, text):
    """What a function makes of one number in JSON text, as a fraction; None where it is refused."""
    try:
        (wide,) = connection.execute(f"SELECT vec_f32({function}(?))", (f"[{text}]",)).fetchone()
    except sqlite3.OperationalError:
        return None
    return fractions.Fraction(struct.unpack("<f", wide)[0])


def decimal_of(number):
    """All digits of a fraction whose denominator is a power of two."""
    shift = number.denominator.bit_length() - 1
    digits = str(abs(number.numerator) * 5**shift).rjust(shift + 1, "0")
    point = len(digits) - shift
    return ("-" if number < 0 else "") + digits[:point] + "." + (digits[point:] or "0")


def hard_numbers(generator, precision, least, largest):
    """Texts at, just below and just above the middle of two neighbours, and random ones."""
    greatest = largest.numerator.bit_length() - precision
    for _ in range(2000):
        exponent = generator.randint(least, greatest) if generator.random() < 0.5 else generator.randint(-14, 5)
        exponent = max(least, min(exponent, greatest))
        odd = 2 * generator.randint(0, 2**precision - 1) + 1
        middle = decimal_of(odd * fractions.Fraction(2) ** (exponent - 1) * generator.choice((1, -1)))
        below = decimal_of(fractions.Fraction(odd) * fractions.Fraction(2) ** (exponent - 1) * (1 - fractions.Fraction(1, 2**40)))
        yield middle
        yield middle + "0" * generator.randint(0, 30) + str(generator.randint(1, 9))
        yield below
    for _ in range(2000):
        yield f"{generator.uniform(-9, 9):.{generator.randint(0, 25)}f}e{generator.randint(-45, 40)}"


class Jaccard(unittest.TestCase):
    """Against sets of numbers."""

    @staticmethod
    def distance(a, b):
        a, b = ({i for i in range(8 * len(x)) if x[i // 8] >> i % 8 & 1} for x in (a, b))
        return len(a ^ b) / len(a | b) if a | b else 0.0

    def test_the_function_and_the_column(self):
        connection, generator = connect(), random.Random(5)
        for size in (1, 2, 9, 33, 130):
            rows = [bytes(size), b"\xff" * size]
            for _ in range(400):
                share = generator.random() ** 2
                rows.append(bytes(sum((generator.random() < share) << bit for bit in range(8)) for _ in range(size)))
            connection.execute(f"CREATE VIRTUAL TABLE t{size} USING isovec(id INTEGER PRIMARY KEY, b bit[{8 * size}] distance_metric=jaccard)")
            connection.executemany(f"INSERT INTO t{size}(id, b) VALUES (?, ?)", enumerate(rows))
            for query in (rows[0], rows[1], rows[7], rows[300]):
                expected = sorted((self.distance(row, query), i) for i, row in enumerate(rows))
                with self.subTest(size=size):
                    self.assertEqual(connection.execute(
                        f"SELECT vec_distance_jaccard(vec_bit(b), vec_bit(?)) AS d, id FROM t{size} ORDER BY d, id", (query,)).fetchall(), expected)
                    for condition, rest in (("", expected), ("AND k = 20", expected[:20]),
                                            ("AND distance <= 0.5", [e for e in expected if e[0] <= 0.5])):
                        found = connection.execute(f"SELECT distance, id FROM t{size} WHERE b MATCH ? {condition}", (query,)).fetchall()
                        self.assertEqual(found, rest)

    def test_other_types_and_shapes_are_refused(self):
        connection = connect()
        for arguments, message in (("'[1]', '[1]'", "takes bit vectors, and these are float32"),
                                   ("vec_bit(x'00'), vec_bit(x'0000')", "dimensions differ: 8 and 16"),
                                   ("vec_bit(x'00'), vec_int8(x'00')", "types differ")):
            with self.assertRaisesRegex(sqlite3.OperationalError, f"^vec_distance_jaccard: {message}"):
                connection.execute(f"SELECT vec_distance_jaccard({arguments})").fetchone()


class Multiply(unittest.TestCase):
    def test_products_are_rounded_once(self):
        connection = connect()
        for function, (precision, least, largest) in FORMATS.items():
            generator = random.Random(function)
            for _ in range(2000):
                a, b = (generator.choice((1, -1)) * generator.randint(0, 2**precision - 1) * 2.0 ** generator.randint(-20, -4) for _ in range(2))
                (wide,) = connection.execute(f"SELECT vec_f32(vec_mul({function}(?), {function}(?)))", (f"[{a!r}]", f"[{b!r}]")).fetchone()
                expected = nearest(fractions.Fraction(a) * fractions.Fraction(b), precision, least, largest)
                self.assertEqual(fractions.Fraction(struct.unpack("<f", wide)[0]), expected)

    def test_a_product_beyond_the_type_is_an_error(self):
        connection = connect()
        for sql, message in (("vec_mul(vec_int8('[2,100]'), vec_int8('[3,2]'))", "element 1 is 200, no integer of -128 to 127"),
                             ("vec_mul('[1,1e30]', '[1,1e30]')", "element 1 of the result is beyond float32"),
                             ("vec_mul(vec_f16('[300]'), vec_f16('[300]'))", "element 0 is 90000, beyond float16"),
                             ("vec_mul(vec_bf16('[1e38]'), vec_bf16('[3.5]'))", "element 0 .*beyond"),
                             ("vec_mul(vec_bit(x'01'), vec_bit(x'01'))", "takes vectors of numbers, and this is bit"),
                             ("vec_mul('[1,2]', '[1]')", "dimensions differ: 2 and 1")):
            with self.subTest(sql), self.assertRaisesRegex(sqlite3.OperationalError, f"^vec_mul: {message}"):
                connection.execute(f"SELECT {sql}").fetchone()
        self.assertEqual(connection.execute("SELECT vec_to_json(vec_mul(vec_int8('[-128,11]'), vec_int8('[1,11]')))").fetchone()[0], "[-128,121]")
        self.assertIsNone(connection.execute("SELECT vec_mul(NULL, '[1]')").fetchone()[0])


class Kernels(unittest.TestCase):
    def test_an_unknown_name_in_the_environment_is_reported(self):
        module = sqlite_shell.MODULE.with_suffix("")
        for name, line in (("foo", "ISOVEC_ISA: 'foo' is none of these and was passed over; in use is "), ("baseline", None), ("", None)):
            shell = subprocess.run([sqlite_shell.SQLITE3, ":memory:", f".load {module}", "SELECT vec_debug(); SELECT vec_backend();"],
                                   env={**os.environ, "ISOVEC_ISA": name}, capture_output=True, text=True, check=True)
            *report, backend = shell.stdout.splitlines()
            with self.subTest(name):
                self.assertEqual([text for text in report if "ISOVEC_ISA" in text], [line + backend] if line else [])


class Rounding(unittest.TestCase):
    def test_a_decimal_is_rounded_once(self):
        connection = connect()
        for function, shape in FORMATS.items():
            generator = random.Random(function)
            texts = [*hard_numbers(generator, *shape), "2049.0000001", "65519.999999999", "65520", "65519", "-2048.99999999",
                     "2.98023223876953125e-8", "2.98023223876953126e-8", "1e-60", "0", "-0", "3.3961775e38"]
            for text in texts:
                with self.subTest(function=function, text=text):
                    self.assertEqual(value_of(connection, function, text), nearest(fractions.Fraction(text), *shape))

    def test_a_column_of_a_table_rounds_alike(self):
        connection = connect()
        for kind, function in (("float16", "vec_f16"), ("bfloat16", "vec_bf16")):
            connection.execute(f"CREATE VIRTUAL TABLE {kind}s USING isovec(id INTEGER PRIMARY KEY, e {kind}[1] distance_metric=l2)")
            shape = FORMATS[function]
            for text in ("2049.0000001", "65519.999999999", "257.0000000001", "0.1", "1.00390625000001"):
                with self.subTest(kind=kind, text=text):
                    expected = nearest(fractions.Fraction(text), *shape)
                    connection.execute(f"INSERT OR REPLACE INTO {kind}s(id, e) VALUES (1, ?)", (f"[{text}]",))
                    (stored,) = connection.execute(f"SELECT vec_to_json(e) FROM {kind}s").fetchone()
                    self.assertEqual(nearest(fractions.Fraction(stored[1:-1]), *shape), expected)
                    (distance,) = connection.execute(f"SELECT distance FROM {kind}s WHERE e MATCH ?", (f"[{text}]",)).fetchone()
                    self.assertEqual(distance, 0)

    def test_a_scaled_vector_is_rounded_once(self):
        connection = connect()
        for function, (precision, least, largest) in FORMATS.items():
            generator = random.Random(function)
            for _ in range(3000):
                element = generator.randint(1, 2**precision - 1) * 2.0 ** generator.randint(-20, -5)
                middle = (2 * generator.randint(2 ** (precision - 1), 2**precision - 1) + 1) * 2.0 ** generator.randint(-12, 0)
                factor = middle / element * generator.choice((1, 1 + 2**-52, 1 - 2**-53, -1))
                (wide,) = connection.execute(f"SELECT vec_f32(vec_scale({function}(?), ?))", (f"[{element!r}]", factor)).fetchone()
                exact = fractions.Fraction(factor) * fractions.Fraction(element)
                with self.subTest(function=function, element=element, factor=factor):
                    scaled = fractions.Fraction(struct.unpack("<f", wide)[0])
                    self.assertEqual(scaled, nearest(exact, precision, least, largest))

    def test_bits_fill_their_bytes(self):
        connection = connect()
        for count in range(1, 17):
            text = "[" + ",".join("1" * count) + "]"
            for call in ("vec_bit(?)", "vec_bit(vec_f32(?))", "vec_bit(vec_int8(?))"):
                with self.subTest(call=call, count=count):
                    if count % 8 == 0:
                        self.assertEqual(connection.execute(f"SELECT vec_length({call})", (text,)).fetchone()[0], count)
                        continue
                    with self.assertRaisesRegex(sqlite3.OperationalError,
                                                f"^vec_bit: a bit vector has a multiple of 8 elements, and this has {count}$"):
                        connection.execute(f"SELECT {call}", (text,)).fetchone()

    def test_what_is_nearly_an_integer_is_none(self):
        connection = connect()
        for function, others in (("vec_int8", ["[127.0000000001]", "[1e-60]", "[-1.00000000000000000001]", "[127.5]"]),
                                 ("vec_bit", ["[1.0000000001,0,0,0,0,0,0,0]", "[1e-60,0,0,0,0,0,0,0]"])):
            for text in others:
                with self.subTest(function=function, text=text), self.assertRaises(sqlite3.OperationalError):
                    connection.execute(f"SELECT {function}(?)", (text,)).fetchone()
        for text in ("[127.000,-1.28e2,10e-1,0.0]",):
            self.assertEqual(connection.execute("SELECT vec_to_json(vec_int8(?))", (text,)).fetchone()[0], "[127,-128,1,0]")


if __name__ == "__main__":
    unittest.main()
