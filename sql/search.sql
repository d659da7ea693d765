-- The isovec table: exact search, with what SQL adds to it.
.load build/release/isovec

.print "A table may hold several vectors per row, each with a distance of its own: cosine, l2 or dot."
CREATE VIRTUAL TABLE items USING isovec(
  id INTEGER PRIMARY KEY, meaning float[3], place float[2] distance_metric=l2);
INSERT INTO items(id, meaning, place) VALUES
  (1, '[1, 0, 0]', '[0, 0]'), (2, '[1, 1, 0]', '[3, 4]'), (3, '[0, 1, 0]', '[6, 8]'), (4, '[0, 0, 1]', '[0, 2]');
SELECT id, round(distance, 4), round(similarity, 4) FROM items
 WHERE meaning MATCH '[1, 0.5, 0]' ORDER BY distance LIMIT 2;
--> 2|0.0513|0.9487
--> 1|0.1056|0.8944
SELECT id, distance FROM items WHERE place MATCH '[0, 0]' ORDER BY distance LIMIT 2;
--> 1|0.0
--> 4|2.0

.print "MATCH gives rows nearest first and never stops early, so joins, conditions and OFFSET are right."
CREATE TABLE labels(id INTEGER PRIMARY KEY, label TEXT);
INSERT INTO labels VALUES (1, 'red'), (2, 'red'), (3, 'red'), (4, 'blue');
SELECT id, distance FROM items JOIN labels USING (id)
 WHERE place MATCH '[0, 0]' AND label = 'red' ORDER BY distance LIMIT 2 OFFSET 1;
--> 2|5.0
--> 3|10.0

.print "k instead counts before conditions that SQLite keeps to itself: of the two nearest, one is red."
SELECT id, label FROM items JOIN labels USING (id)
 WHERE place MATCH '[0, 0]' AND k = 2 AND label = 'red' ORDER BY distance;
--> 1|red

.print "Rows change like those of any table, also within a transaction that is rolled back."
BEGIN;
UPDATE items SET place = '[0, 1]' WHERE id = 3;
DELETE FROM items WHERE id = 4;
INSERT INTO items(meaning, place) VALUES ('[2, 2, 2]', '[9, 9]');
SELECT id, distance FROM items WHERE place MATCH '[0, 0]' ORDER BY distance LIMIT 2;
--> 1|0.0
--> 3|1.0
ROLLBACK;
SELECT count(*), max(id) FROM items;
--> 4|4

.print "A vector of another dimension is refused, and nothing is lost."
INSERT INTO items(id, meaning, place) VALUES (5, '[1, 2]', '[0, 0]');
--! items: column meaning: dimensions differ: the column has 3 and the vector has 2
SELECT count(*) FROM items;
--> 4

.print "A query of another dimension is an error, and so is a search before the transform was fitted."
SELECT id FROM items WHERE meaning MATCH '[1, 2]';
--! items: column meaning: dimensions differ: the column has 3 and the vector has 2
CREATE VIRTUAL TABLE white USING isovec(embedding float[3] transform='center');
INSERT INTO white(embedding) SELECT meaning FROM items;
SELECT rowid FROM white WHERE embedding MATCH '[1, 0, 0]';
--! white: column embedding is declared with transform='center', which is not fitted: run INSERT INTO "white"("white") VALUES ('fit'), or add AND transform = 'none' to search the raw vectors
INSERT INTO white(white) VALUES ('fit');
SELECT rowid, round(distance, 4) FROM white WHERE embedding MATCH '[1, 0, 1]' ORDER BY distance LIMIT 2;
--> 4|0.4706
--> 1|0.5958
