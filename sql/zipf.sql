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

.mode column
.print "Spearman's correlation of the cosine with human judgement, times 100."
WITH scored AS (
  SELECT t.id, name, benchmark, score, vec_cosine(a.v, b.v, transform) AS cosine, vec_cosine(a.v, b.v) AS raw
    FROM transforms t, judgements j
    JOIN words wa ON wa.word = j.word_a JOIN vectors a ON a.id = wa.id
    JOIN words wb ON wb.word = j.word_b JOIN vectors b ON b.id = wb.id)
SELECT name, benchmark, count(*) AS n, 'spearman' AS metric, printf('%.2f', 100 * vec_spearman(raw, score)) AS raw,
       printf('%.2f', 100 * vec_spearman(cosine, score)) AS transformed
  FROM scored GROUP BY benchmark, id ORDER BY benchmark, id;
--> name                      benchmark  n    metric    raw    transformed
--> ------------------------  ---------  ---  --------  -----  -----------
--> center, every word alike  men3k      828  spearman  62.33  68.40
--> center, weight 1/rank     men3k      828  spearman  62.33  66.09
--> whiten, every word alike  men3k      828  spearman  62.33  69.51
--> whiten, weight 1/rank     men3k      828  spearman  62.33  71.14
--> center, every word alike  simlex999  321  spearman  24.41  25.43
--> center, weight 1/rank     simlex999  321  spearman  24.41  24.12
--> whiten, every word alike  simlex999  321  spearman  24.41  27.13
--> whiten, weight 1/rank     simlex999  321  spearman  24.41  28.45
--> center, every word alike  ws353      167  spearman  53.37  61.56
--> center, weight 1/rank     ws353      167  spearman  53.37  65.43
--> whiten, every word alike  ws353      167  spearman  53.37  67.73
--> whiten, weight 1/rank     ws353      167  spearman  53.37  70.93
