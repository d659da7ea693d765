-- Vectors, similarities and distances, without any table of isovec's.
-- A vector is a BLOB of little-endian float32 numbers, or JSON text. Functions take either.
.load build/release/isovec

.print "Text to a vector and back, the shortest text that reads back as the same number:"
SELECT hex(vec_f32('[1, 2.5]')), vec_to_json(vec_f32('[1, 0.1]')), vec_length('[1, 2, 3]');
--> 0000803F00002040|[1,0.1]|3

.print "Cosine, dot product, and the distances: smaller is nearer."
SELECT vec_dot('[1, 2, 3]', '[4, 5, 6]') AS dot, round(vec_cosine('[1, 2, 3]', '[4, 5, 6]'), 6) AS cosine;
--> 32.0|0.974632
SELECT round(vec_distance_cosine('[1, 2, 3]', '[4, 5, 6]'), 6), round(vec_distance_l2('[1, 2, 3]', '[4, 5, 6]'), 6),
       vec_distance_l1('[1, 2, 3]', '[4, 5, 6]');
--> 0.025368|5.196152|9.0

.print "NULL in, NULL out. A zero vector has no direction, so its cosine is NULL."
SELECT vec_dot('[1, 2]', NULL) IS NULL, vec_cosine('[1, 2]', '[0, 0]') IS NULL;
--> 1|1

.print "The five words nearest to 'winter' in an ordinary table: every row scored, then sorted."
CREATE TABLE words(id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
.mode tabs
.import --skip 1 sql/data/words.tsv words
.mode list
CREATE TABLE vectors(id INTEGER PRIMARY KEY, embedding BLOB NOT NULL CHECK (vec_length(embedding) = 50));
INSERT INTO vectors SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy'));
WITH query AS (SELECT embedding FROM vectors JOIN words USING (id) WHERE word = 'winter')
SELECT word, round(vec_cosine(embedding, (SELECT embedding FROM query)), 3) AS cosine
  FROM vectors JOIN words USING (id) WHERE word <> 'winter' ORDER BY cosine DESC LIMIT 5;
--> summer|0.92
--> spring|0.862
--> rainy|0.771
--> snow|0.741
--> weather|0.726

.print "Sums: what is to 'woman' as 'king' is to 'man'? (The three words themselves are left out.)"
WITH v AS (SELECT word, embedding FROM vectors JOIN words USING (id)),
     query(embedding) AS (SELECT vec_add(vec_sub((SELECT embedding FROM v WHERE word = 'king'),
                                                 (SELECT embedding FROM v WHERE word = 'man')),
                                         (SELECT embedding FROM v WHERE word = 'woman')))
SELECT word FROM v WHERE word NOT IN ('king', 'man', 'woman')
 ORDER BY vec_cosine(embedding, (SELECT embedding FROM query)) DESC LIMIT 1;
--> queen

.print "Errors say what was expected, what came, and what to do."
SELECT vec_dot('[1, 2, 3]', '[1, 2]');
--! vec_dot: dimensions differ: 3 and 2
SELECT vec_norm('[1, 2');
--! vec_norm: not a JSON array of numbers: expected ',' or ']' at byte 5, where the text ends
