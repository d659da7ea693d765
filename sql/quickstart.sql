-- isovec at work on real word vectors, in the plain sqlite3 shell. From the top of the repository:
--   bash sql/quickstart.sh                    builds isovec first
--   sqlite3 :memory: < sql/quickstart.sql     once it is built
-- A line that begins with an arrow shows what the statement above it prints.
.load build/release/isovec
.mode tabs

.print "Reading 4197 words, their vectors (GloVe, 50 dimensions) and 1316 human judgements of word pairs."
CREATE TABLE words(id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
.import --skip 1 sql/data/words.tsv words
CREATE TABLE judgements(benchmark TEXT, word_a TEXT, word_b TEXT, score REAL);
.import --skip 1 sql/data/judgements.tsv judgements

-- An isovec table keeps the vectors. It will whiten them once it is told to; until then it holds them as they are.
CREATE VIRTUAL TABLE vectors USING isovec(id INTEGER PRIMARY KEY, embedding float[50] transform='whiten eps=1');
INSERT INTO vectors(id, embedding) SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy'));

.mode column
.print "The nearest neighbours of four words by plain cosine: some are there because they are common, not alike."
CREATE VIEW neighbours_raw AS
  SELECT q.word,
         (SELECT group_concat(word, ', ')
            FROM (SELECT w.word
                    FROM vectors v JOIN words w ON w.id = v.id
                   WHERE v.embedding MATCH (SELECT embedding FROM vectors WHERE id = q.id)
                     AND v.transform = 'none' AND v.id <> q.id
                   ORDER BY v.distance LIMIT 6)) AS neighbours
    FROM words q WHERE q.word IN ('doctor', 'money', 'paris', 'physics') ORDER BY q.word;
SELECT * FROM neighbours_raw;

.print "How evenly do the vectors fill their space? Any two of them are alike, on average: the mean cosine is far from 0."
CREATE TEMP TABLE reports(vectors TEXT, report TEXT);
INSERT INTO reports SELECT 'as they are', vec_isotropy(embedding) FROM vectors;
SELECT vectors, round(report ->> 'mean_cosine', 3) AS mean_cosine, round(report ->> 'effective_dimension', 1) AS effective_dimension,
       round(report ->> 'iso_score', 3) AS iso_score, round(report ->> 'condition', 1) AS condition
  FROM reports;

.print "Fitting the table's transform to its rows: soft whitening."
INSERT INTO vectors(vectors) VALUES ('fit');

.print "The same neighbours by the cosine of the whitened vectors, and the same report on them."
SELECT q.word,
       (SELECT group_concat(word, ', ')
          FROM (SELECT w.word
                  FROM vectors v JOIN words w ON w.id = v.id
                 WHERE v.embedding MATCH (SELECT embedding FROM vectors WHERE id = q.id) AND v.id <> q.id
                 ORDER BY v.distance LIMIT 6)) AS neighbours
  FROM words q WHERE q.word IN ('doctor', 'money', 'paris', 'physics') ORDER BY q.word;

INSERT INTO reports
  SELECT 'whitened', vec_isotropy(vec_transform(embedding, (SELECT transform FROM vectors LIMIT 1))) FROM vectors;
SELECT vectors, round(report ->> 'mean_cosine', 3) AS mean_cosine, round(report ->> 'effective_dimension', 1) AS effective_dimension,
       round(report ->> 'iso_score', 3) AS iso_score, round(report ->> 'condition', 1) AS condition
  FROM reports;

.print "Does it help? The rank correlation between cosine and human judgement, times 100, for six transforms."
.print "All are fitted from one pass over the vectors, because their statistics are one value."
CREATE TABLE transforms(id INTEGER PRIMARY KEY, spec TEXT, transform BLOB);
INSERT INTO transforms(spec, transform)
  SELECT spec.value, vec_fit_stats((SELECT vec_stats(embedding) FROM vectors), spec.value)
    FROM json_each('["none", "center", "project_mean", "remove_top", "whiten", "whiten eps=1"]') AS spec;
CREATE TABLE pairs AS
  SELECT benchmark, score, a.embedding AS a, b.embedding AS b
    FROM judgements j
    JOIN words wa ON wa.word = j.word_a JOIN vectors a ON a.id = wa.id
    JOIN words wb ON wb.word = j.word_b JOIN vectors b ON b.id = wb.id;
WITH scored AS (SELECT t.id, spec, benchmark, score, vec_cosine(a, b, transform) AS cosine FROM transforms t, pairs)
SELECT spec,
       printf('%.2f', 100 * vec_spearman(cosine, score) FILTER (WHERE benchmark = 'ws353')) AS ws353,
       printf('%.2f', 100 * vec_spearman(cosine, score) FILTER (WHERE benchmark = 'simlex999')) AS simlex999,
       printf('%.2f', 100 * vec_spearman(cosine, score) FILTER (WHERE benchmark = 'men3k')) AS men3k
  FROM scored GROUP BY id ORDER BY id;
