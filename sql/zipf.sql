-- Weights: words by their frequency. Zipf's law gives the word of rank r a probability proportional to 1/r.
.load build/release/isovec
.mode tabs

CREATE TABLE words(id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
.import --skip 1 sql/data/words.tsv words
CREATE TABLE judgements(benchmark TEXT, word_a TEXT, word_b TEXT, score REAL);
.import --skip 1 sql/data/judgements.tsv judgements
CREATE TABLE vectors(id INTEGER PRIMARY KEY, v BLOB);
INSERT INTO vectors SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy'));

-- The words come in order of frequency, so the rank is the row number.
CREATE TABLE transforms(id INTEGER PRIMARY KEY, name TEXT, transform BLOB);
INSERT INTO transforms(name, transform) SELECT 'center, every word alike', vec_fit(v, 'center') FROM vectors;
INSERT INTO transforms(name, transform) SELECT 'center, weight 1/rank', vec_fit(v, 'center', 1.0 / (id + 1)) FROM vectors;
INSERT INTO transforms(name, transform) SELECT 'whiten, every word alike', vec_fit(v, 'whiten') FROM vectors;
INSERT INTO transforms(name, transform) SELECT 'whiten, weight 1/rank', vec_fit(v, 'whiten', 1.0 / (id + 1)) FROM vectors;

CREATE TABLE scored AS
  SELECT t.id AS transform, benchmark, row_number() OVER (PARTITION BY t.id, benchmark ORDER BY j.rowid) - 1 AS pair, score,
         vec_cosine(a.v, b.v, transform) AS cosine, vec_cosine(a.v, b.v) AS raw
    FROM transforms t, judgements j
    JOIN words wa ON wa.word = j.word_a JOIN vectors a ON a.id = wa.id
    JOIN words wb ON wb.word = j.word_b JOIN vectors b ON b.id = wb.id;
CREATE INDEX scored_pair ON scored(benchmark, pair, transform);

-- 200 bootstrap samples of the pairs of each benchmark, the same for every transform, from a linear congruential generator.
CREATE TABLE sizes AS SELECT benchmark, max(pair) + 1 AS n FROM scored GROUP BY benchmark;
CREATE TABLE draws AS
  WITH RECURSIVE generator(i, x) AS (
    SELECT 0, 12345 UNION ALL
    SELECT i + 1, (x * 1103515245 + 12345) & 0x7fffffff FROM generator WHERE i + 1 < 200 * (SELECT max(n) FROM sizes))
  SELECT benchmark, i / n AS sample, (x >> 8) % n AS pair FROM sizes JOIN generator ON i < 200 * n;
CREATE TABLE gains AS
  SELECT benchmark, transform, gain, row_number() OVER (PARTITION BY benchmark, transform ORDER BY gain) AS place
    FROM (SELECT benchmark, transform, vec_spearman(cosine, score) - vec_spearman(raw, score) AS gain
            FROM draws JOIN scored USING (benchmark, pair) GROUP BY benchmark, transform, sample);

.mode column
.print "Spearman's correlation of the cosine with human judgement, times 100, and the 95 % interval of its gain over raw."
SELECT name, s.benchmark, count(*) AS n, 'spearman' AS metric, printf('%.2f', 100 * vec_spearman(raw, score)) AS raw,
       printf('%.2f', 100 * vec_spearman(cosine, score)) AS transformed,
       printf('%+.2f .. %+.2f', 100 * (SELECT gain FROM gains g WHERE g.benchmark = s.benchmark AND g.transform = t.id AND place = 6),
              100 * (SELECT gain FROM gains g WHERE g.benchmark = s.benchmark AND g.transform = t.id AND place = 195)) AS interval
  FROM scored s JOIN transforms t ON t.id = s.transform GROUP BY s.benchmark, t.id ORDER BY s.benchmark, t.id;
--> name                      benchmark  n    metric    raw    transformed  interval
--> ------------------------  ---------  ---  --------  -----  -----------  ---------------
--> center, every word alike  men3k      828  spearman  62.33  68.40        +3.65 .. +8.66
--> center, weight 1/rank     men3k      828  spearman  62.33  66.09        +0.81 .. +7.48
--> whiten, every word alike  men3k      828  spearman  62.33  69.51        +4.20 .. +10.39
--> whiten, weight 1/rank     men3k      828  spearman  62.33  71.14        +5.63 .. +12.44
--> center, every word alike  simlex999  321  spearman  24.41  25.43        -3.17 .. +5.73
--> center, weight 1/rank     simlex999  321  spearman  24.41  24.12        -6.26 .. +6.94
--> whiten, every word alike  simlex999  321  spearman  24.41  27.13        -3.64 .. +9.43
--> whiten, weight 1/rank     simlex999  321  spearman  24.41  28.45        -3.91 .. +14.14
--> center, every word alike  ws353      167  spearman  53.37  61.56        +3.58 .. +13.21
--> center, weight 1/rank     ws353      167  spearman  53.37  65.43        +4.41 .. +19.82
--> whiten, every word alike  ws353      167  spearman  53.37  67.73        +6.87 .. +21.31
--> whiten, weight 1/rank     ws353      167  spearman  53.37  70.93        +9.41 .. +26.78
.print "Weights help where common rows should set the mean and the axes, as in text; with the centre alone they may hurt."
.print "An interval around 0 decides nothing, as with simlex999 here."
.print "They hurt where the sample is already what will be asked: then every row is to count alike."
