-- Which transform suits a retrieval task? nDCG@10 over judged queries, with an interval from resampled queries.
-- Here a query is a word, and the relevant documents are the words that people judged to be related to it. With your
-- own data, fill `queries` (id, v), `documents` (id, v) and `relevance` (query, document, gain).
.load build/release/isovec
.mode tabs
CREATE TABLE words(id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
.import --skip 1 sql/data/words.tsv words
CREATE TABLE judgements(benchmark TEXT, word_a TEXT, word_b TEXT, score REAL);
.import --skip 1 sql/data/judgements.tsv judgements
CREATE TABLE documents(id INTEGER PRIMARY KEY, v BLOB NOT NULL);
INSERT INTO documents SELECT rowid, vector FROM vec_npy(readfile('sql/data/glove50.npy'));
CREATE TABLE relevance AS
  SELECT a.id AS query, b.id AS document, score - 25 AS gain
    FROM (SELECT word_a AS word, word_b AS other, score FROM judgements WHERE benchmark = 'men3k' AND score > 25
          UNION SELECT word_b, word_a, score FROM judgements WHERE benchmark = 'men3k' AND score > 25) j
    JOIN words a ON a.word = j.word JOIN words b ON b.word = j.other;
CREATE TABLE queries AS
  SELECT query AS id, (SELECT v FROM documents d WHERE d.id = query) AS v
    FROM relevance GROUP BY query HAVING count(*) >= 4 ORDER BY query;
CREATE INDEX relevance_pair ON relevance(query, document);

CREATE TABLE transforms(id INTEGER PRIMARY KEY, spec TEXT NOT NULL, transform BLOB NOT NULL);
INSERT INTO transforms(spec, transform)
  SELECT value, vec_fit_stats((SELECT vec_stats(v) FROM documents), value)
    FROM json_each('["none", "center", "project_mean", "remove_top", "whiten", "whiten eps=1"]');

-- Each document is transformed once, not once a query.
CREATE TABLE transformed(spec INTEGER, document INTEGER, z BLOB NOT NULL, PRIMARY KEY(spec, document));
INSERT INTO transformed SELECT t.id, d.id, vec_transform(d.v, transform) FROM transforms t, documents d;
CREATE TABLE asked AS SELECT t.id AS spec, q.id AS query, vec_transform(q.v, transform) AS z FROM transforms t, queries q;
CREATE TABLE scored AS
  SELECT a.spec, a.query,
         (SELECT vec_ndcg(vec_cosine(a.z, d.z), coalesce(gain, 0), 10)
            FROM transformed d LEFT JOIN relevance r ON r.query = a.query AND r.document = d.document
           WHERE d.spec = a.spec AND d.document <> a.query) AS ndcg
    FROM asked a;

-- 400 samples of the queries, the same for every transform, from a linear congruential generator.
CREATE TABLE numbered AS SELECT row_number() OVER (ORDER BY id) - 1 AS place, id AS query FROM queries;
CREATE TABLE draws AS
  WITH RECURSIVE generator(i, x) AS (
    SELECT 0, 12345 UNION ALL
    SELECT i + 1, (x * 1103515245 + 12345) & 0x7fffffff FROM generator WHERE i + 1 < 400 * (SELECT count(*) FROM queries))
  SELECT i / (SELECT count(*) FROM queries) AS sample, (x >> 8) % (SELECT count(*) FROM queries) AS place FROM generator;
CREATE TABLE differences AS
  SELECT spec, sample, difference, row_number() OVER (PARTITION BY spec ORDER BY difference) AS position
    FROM (SELECT s.spec, sample, avg(s.ndcg - raw.ndcg) AS difference
            FROM draws JOIN numbered USING (place)
            JOIN scored s USING (query) JOIN scored raw ON raw.query = s.query AND raw.spec = 1
           GROUP BY s.spec, sample);

.mode column
.print "nDCG@10 times 100, best first, with the 95 % interval of its gain over the raw cosine:"
SELECT t.spec, count(*) AS n, 'ndcg@10' AS metric,
       printf('%.1f', 100 * (SELECT avg(ndcg) FROM scored WHERE spec = 1)) AS raw, printf('%.1f', 100 * avg(ndcg)) AS transformed,
       printf('%+.1f .. %+.1f', 100 * (SELECT difference FROM differences d WHERE d.spec = t.id AND position = 11),
                                100 * (SELECT difference FROM differences d WHERE d.spec = t.id AND position = 390)) AS interval
  FROM transforms t JOIN scored s ON s.spec = t.id GROUP BY t.id ORDER BY avg(ndcg) DESC;
--> spec          n   metric   raw   transformed  interval
--> ------------  --  -------  ----  -----------  ------------
--> remove_top    92  ndcg@10  37.2  38.6         -0.1 .. +3.2
--> whiten eps=1  92  ndcg@10  37.2  38.1         -0.7 .. +2.8
--> none          92  ndcg@10  37.2  37.2         +0.0 .. +0.0
--> project_mean  92  ndcg@10  37.2  36.6         -1.9 .. +1.1
--> center        92  ndcg@10  37.2  36.4         -2.2 .. +0.5
--> whiten        92  ndcg@10  37.2  32.4         -7.1 .. -2.7
.print "An interval above 0 helps, one below 0 hurts, one around 0 decides nothing: then keep the raw vectors."
