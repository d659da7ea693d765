-- Which transform suits my vectors? Judge them on pairs that people have scored, with an honest interval.
-- Your own data: fill `pairs` with (id, a, b, score), where a and b are vectors, and `vectors` with what to fit on.
.load build/release/isovec
.mode tabs

CREATE TABLE words(id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
.import --skip 1 sql/data/words.tsv words
CREATE TABLE judgements(benchmark TEXT, word_a TEXT, word_b TEXT, score REAL);
.import --skip 1 sql/data/judgements.tsv judgements
CREATE TABLE vectors(id INTEGER PRIMARY KEY, v BLOB);
INSERT INTO vectors SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy'));
CREATE TABLE pairs AS
  SELECT row_number() OVER (ORDER BY j.rowid) - 1 AS id, a.v AS a, b.v AS b, score
    FROM judgements j
    JOIN words wa ON wa.word = j.word_a JOIN vectors a ON a.id = wa.id
    JOIN words wb ON wb.word = j.word_b JOIN vectors b ON b.id = wb.id
   WHERE benchmark = 'men3k';

-- Every transform comes from one pass over the vectors: their statistics are one value.
CREATE TABLE transforms(id INTEGER PRIMARY KEY, spec TEXT, transform BLOB);
INSERT INTO transforms(spec, transform)
  SELECT value, vec_fit_stats((SELECT vec_stats(v) FROM vectors), value)
    FROM json_each('["none", "center", "project_mean", "remove_top", "remove_top drop=3", "standardize", "whiten",
                     "whiten eps=0.1", "whiten eps=1", "whiten shrinkage=oas", "whiten power=0.25"]');
-- Even pairs are for choosing, odd ones for judging the choice: a winner judged on the pairs that chose it looks too good.
CREATE TABLE scored AS
  SELECT t.id AS spec_id, spec, p.id AS pair, p.id % 2 AS held_out, score, vec_cosine(a, b, transform) AS cosine
    FROM transforms t, pairs p;
CREATE INDEX scored_pair ON scored(pair, spec_id);

-- 200 bootstrap samples of the pairs for choosing. Every transform sees the same samples, so the interval is of the
-- difference. The numbers come from a linear congruential generator: the same on every machine.
CREATE TABLE draws AS
  WITH RECURSIVE generator(i, x) AS (
    SELECT 0, 12345
    UNION ALL
    SELECT i + 1, (x * 1103515245 + 12345) & 0x7fffffff FROM generator
     WHERE i + 1 < 200 * (SELECT count(*) FROM pairs WHERE id % 2 = 0))
  SELECT i / (SELECT count(*) FROM pairs WHERE id % 2 = 0) AS sample,
         2 * ((x >> 8) % (SELECT count(*) FROM pairs WHERE id % 2 = 0)) AS pair
    FROM generator;
CREATE TABLE resampled AS
  SELECT sample, spec_id, vec_spearman(cosine, score) AS rho
    FROM draws JOIN scored USING (pair) GROUP BY sample, spec_id;
CREATE TABLE ranked AS
  SELECT r.spec_id, r.rho - raw.rho AS difference,
         row_number() OVER (PARTITION BY r.spec_id ORDER BY r.rho - raw.rho) AS place
    FROM resampled r JOIN resampled raw ON raw.sample = r.sample AND raw.spec_id = 1;

.mode column
.print "Spearman's correlation with the judgements, times 100, best first; and the 95 % interval of its gain over the raw cosine."
SELECT spec, (SELECT count(*) FROM pairs WHERE id % 2 = 0) AS n, 'spearman' AS metric,
       printf('%.2f', 100 * (SELECT vec_spearman(cosine, score) FROM scored s WHERE s.spec_id = 1 AND NOT held_out)) AS raw,
       printf('%.2f', 100 * (SELECT vec_spearman(cosine, score) FROM scored s WHERE s.spec_id = t.id AND NOT held_out)) AS transformed,
       printf('%+.2f', 100 * (SELECT difference FROM ranked r WHERE r.spec_id = t.id AND place = 6)) || ' .. ' ||
       printf('%+.2f', 100 * (SELECT difference FROM ranked r WHERE r.spec_id = t.id AND place = 195)) AS interval
  FROM transforms t ORDER BY transformed DESC, t.id;
--> spec                  n    metric    raw    transformed  interval
--> --------------------  ---  --------  -----  -----------  ---------------
--> whiten eps=1          414  spearman  62.68  70.91        +5.15 .. +11.73
--> whiten shrinkage=oas  414  spearman  62.68  70.85        +5.04 .. +11.47
--> whiten eps=0.1        414  spearman  62.68  70.81        +5.03 .. +11.64
--> whiten power=0.25     414  spearman  62.68  70.75        +5.00 .. +11.33
--> remove_top drop=3     414  spearman  62.68  70.16        +4.33 .. +11.17
--> whiten                414  spearman  62.68  70.07        +3.61 .. +11.13
--> remove_top            414  spearman  62.68  69.76        +4.06 .. +10.87
--> project_mean          414  spearman  62.68  69.75        +3.26 .. +11.38
--> standardize           414  spearman  62.68  69.61        +3.70 .. +10.70
--> center                414  spearman  62.68  69.05        +3.17 .. +10.13
--> none                  414  spearman  62.68  62.68        +0.00 .. +0.00

.print "The winner on the pairs that had no say in choosing it."
WITH winner AS (
  SELECT spec_id FROM scored WHERE NOT held_out GROUP BY spec_id ORDER BY vec_spearman(cosine, score) DESC LIMIT 1)
SELECT spec, count(*) AS n, 'spearman' AS metric,
       printf('%.2f', 100 * (SELECT vec_spearman(cosine, score) FROM scored WHERE spec_id = 1 AND held_out)) AS raw,
       printf('%.2f', 100 * vec_spearman(cosine, score)) AS transformed
  FROM scored WHERE held_out AND spec_id = (SELECT spec_id FROM winner);
--> spec          n    metric    raw    transformed
--> ------------  ---  --------  -----  -----------
--> whiten eps=1  414  spearman  62.23  69.89

.print "It helps where the interval lies above 0, and hurts where it lies below. On vectors of a contrastive model expect no help."
