-- Near-duplicates, with a threshold that says how often chance would reach it.
.load build/release/isovec
.mode tabs

CREATE TABLE words(id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
.import --skip 1 sql/data/words.tsv words
CREATE TABLE vectors(id INTEGER PRIMARY KEY, v BLOB);
INSERT INTO vectors SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy'));
-- Center first: a chance level for cosines is only meaningful where the mean is 0.
CREATE TABLE z AS SELECT id, vec_transform(v, (SELECT vec_fit(v, 'whiten') FROM vectors)) AS v FROM vectors;

.mode column
-- 4197 vectors have 8.8 million pairs. In the vectors' effective dimension, which cosine is so large that chance would
-- reach it for one pair in all of them?
CREATE TEMP TABLE level AS
  SELECT vec_isotropy(v) ->> 'effective_dimension' AS d, count(*) AS n,
         vec_cosine_quantile(2.0 / (count(*) * (count(*) - 1)), vec_isotropy(v) ->> 'effective_dimension') AS threshold
    FROM z;
SELECT n, printf('%.1f', d) AS effective_dimension, printf('%.3f', threshold) AS threshold FROM level;
--> n     effective_dimension  threshold
--> ----  -------------------  ---------
--> 4197  49.4                 0.654

CREATE VIRTUAL TABLE index_of_z USING isovec(id INTEGER PRIMARY KEY, v float[50]);
INSERT INTO index_of_z(id, v) SELECT id, v FROM z;
.print "Pairs above the threshold, the nearest first."
SELECT a.word, b.word AS other, printf('%.3f', similarity) AS cosine
  FROM z JOIN index_of_z i ON i.v MATCH z.v AND i.k = 3
  JOIN words a ON a.id = z.id JOIN words b ON b.id = i.id
 WHERE z.id < i.id AND similarity > (SELECT threshold FROM level)
 ORDER BY similarity DESC, z.id LIMIT 10;
--> word      other     cosine
--> --------  --------  ------
--> (         )         0.978
--> 22        26        0.977
--> tuesday   thursday  0.972
--> kong      hong      0.970
--> 7         8         0.969
--> july      april     0.967
--> 16        17        0.965
--> november  february  0.964
--> four      six       0.961
--> june      july      0.961
.print "It helps as a floor: below the threshold a pair is no evidence. It hurts as a verdict: names of months are near, not equal,"
.print "so look at the pairs above it and choose a level of your own."
