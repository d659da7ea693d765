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

-- An isovec table keeps the vectors as they are. The transform that it names is fitted when it is told to.
CREATE VIRTUAL TABLE vectors USING isovec(
  id INTEGER PRIMARY KEY, embedding float[50] transform='whiten eps=1');
INSERT INTO vectors(id, embedding) SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy'));

.mode column --wrap 0
.print
.print "The nearest neighbours of four words by plain cosine. Some, as 'at' and 'opened', are near to many words."
SELECT q.word,
       (SELECT group_concat(word, ', ')
          FROM (SELECT w.word
                  FROM vectors v JOIN words w ON w.id = v.id
                 WHERE v.embedding MATCH (SELECT embedding FROM vectors WHERE id = q.id)
                   AND v.transform = 'none' AND v.id <> q.id
                 ORDER BY v.distance LIMIT 5)) AS neighbours
  FROM words q WHERE q.word IN ('doctor', 'money', 'paris', 'physics') ORDER BY q.word;
--> word     neighbours
--> -------  ---------------------------------------------
--> doctor   nurse, physician, child, teacher, surgeon
--> money    cash, funds, pay, raise, paid
--> paris    france, french, london, opened, de
--> physics  mathematics, science, phd, studies, physicist

.print
.print "How evenly do the vectors fill their 50 dimensions? Evenly would be a mean cosine of 0 with a standard"
.print "deviation of 0.141, an effective dimension of 50 and an IsoScore of 1."
CREATE TEMP TABLE reports(vectors TEXT, report TEXT);
INSERT INTO reports SELECT 'as they are', vec_isotropy(embedding) FROM vectors;
SELECT vectors, printf('%.3f', report ->> 'mean_cosine') AS mean_cosine,
       printf('%.3f', report ->> 'sd_cosine') AS sd_cosine,
       printf('%.1f', report ->> 'effective_dimension') AS effective_dimension,
       printf('%.3f', report ->> 'iso_score') AS iso_score
  FROM reports;
--> vectors      mean_cosine  sd_cosine  effective_dimension  iso_score
--> -----------  -----------  ---------  -------------------  ---------
--> as they are  0.218        0.232      9.9                  0.530

.print
.print "Fitting the table's transform to its rows: soft whitening."
INSERT INTO vectors(vectors) VALUES ('fit');

.print
.print "The same neighbours by the cosine of the whitened vectors, and the same report on them."
SELECT q.word,
       (SELECT group_concat(word, ', ')
          FROM (SELECT w.word
                  FROM vectors v JOIN words w ON w.id = v.id
                 WHERE v.embedding MATCH (SELECT embedding FROM vectors WHERE id = q.id) AND v.id <> q.id
                 ORDER BY v.distance LIMIT 5)) AS neighbours
  FROM words q WHERE q.word IN ('doctor', 'money', 'paris', 'physics') ORDER BY q.word;
--> word     neighbours
--> -------  ------------------------------------------------
--> doctor   physician, nurse, psychiatrist, surgeon, dentist
--> money    cash, funds, pay, paid, fund
--> paris    france, french, de, london, netherlands
--> physics  mathematics, science, physicist, physicists, phd

INSERT INTO reports
  SELECT 'whitened', vec_isotropy(vec_transform(embedding, (SELECT transform FROM vectors LIMIT 1))) FROM vectors;
SELECT vectors, printf('%.3f', report ->> 'mean_cosine') AS mean_cosine,
       printf('%.3f', report ->> 'sd_cosine') AS sd_cosine,
       printf('%.1f', report ->> 'effective_dimension') AS effective_dimension,
       printf('%.3f', report ->> 'iso_score') AS iso_score
  FROM reports;
--> vectors      mean_cosine  sd_cosine  effective_dimension  iso_score
--> -----------  -----------  ---------  -------------------  ---------
--> as they are  0.218        0.232      9.9                  0.530
--> whitened     0.000        0.160      39.1                 0.809

.print
.print "Does it help? The rank correlation of the cosines with human judgements, times 100, under six transforms;"
.print "all six are fitted from the same statistics of the vectors, one value."
CREATE TABLE transforms(id INTEGER PRIMARY KEY, spec TEXT, transform BLOB);
INSERT INTO transforms(spec, transform)
  SELECT spec.value, vec_fit_stats((SELECT vec_stats(embedding) FROM vectors), spec.value)
    FROM json_each('["none", "center", "project_mean", "remove_top", "whiten", "whiten eps=1"]') AS spec;
CREATE TABLE pairs AS
  SELECT benchmark, score, a.embedding AS a, b.embedding AS b
    FROM judgements j
    JOIN words wa ON wa.word = j.word_a JOIN vectors a ON a.id = wa.id
    JOIN words wb ON wb.word = j.word_b JOIN vectors b ON b.id = wb.id;
WITH scored AS (
  SELECT t.id, spec, benchmark, score, vec_cosine(a, b, transform) AS cosine FROM transforms t, pairs)
SELECT spec,
       printf('%.2f', 100 * vec_spearman(cosine, score) FILTER (WHERE benchmark = 'ws353')) AS ws353,
       printf('%.2f', 100 * vec_spearman(cosine, score) FILTER (WHERE benchmark = 'simlex999')) AS simlex999,
       printf('%.2f', 100 * vec_spearman(cosine, score) FILTER (WHERE benchmark = 'men3k')) AS men3k
  FROM scored GROUP BY id ORDER BY id;
--> spec          ws353  simlex999  men3k
--> ------------  -----  ---------  -----
--> none          53.37  24.41      62.33
--> center        61.56  25.43      68.40
--> project_mean  63.77  26.39      68.63
--> remove_top    65.35  23.75      68.65
--> whiten        67.73  27.13      69.51
--> whiten eps=1  66.17  27.00      70.33
