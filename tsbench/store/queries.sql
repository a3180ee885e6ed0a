-- Every statement of the store, by name. Values are bound by psycopg2 as %(name)s and never pasted into the text;
-- a condition whose parameter is NULL lets everything pass. The loader is statements.py.

-- ---- schema ---------------------------------------------------------------------------------------------------

-- name: schema_version
-- The migration the database is at; an error when it has none of our tables.
SELECT version_num FROM tsbench_version;

-- name: schema_columns
-- The columns of the tables named, as PostgreSQL describes them.
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relname = ANY(%(tables)s) AND c.relkind = 'r' AND pg_table_is_visible(c.oid)
  AND a.attnum > 0 AND NOT a.attisdropped;

-- name: migration_lock
-- Two processes that migrate at once do it one after the other. Released with the transaction.
SELECT pg_advisory_xact_lock(7239001);

-- ---- companies ------------------------------------------------------------------------------------------------

-- name: series_of
-- Every series that passes the filters, one row each, of however many companies: the whole universe is this one
-- statement. A key is metric|frequency|basis|source.
SELECT c.symbol, c.name, c.sector, s.key, s.value
FROM company c, jsonb_each(c.series) s
WHERE (%(symbols)s::text[] IS NULL OR c.symbol = ANY(%(symbols)s))
  AND (%(sectors)s::text[] IS NULL OR c.sector = ANY(%(sectors)s))
  AND (%(metrics)s::text[] IS NULL OR split_part(s.key, '|', 1) = ANY(%(metrics)s))
  AND (%(frequency)s::text IS NULL OR split_part(s.key, '|', 2) = %(frequency)s);

-- name: spans
-- The end of every series of every company, without its values: what the funnel counts. With past_too all its times,
-- for the last one that was public on a given day.
SELECT c.symbol, c.name, c.sector, s.key, jsonb_build_object(
    'time', CASE WHEN %(past_too)s THEN s.value -> 'time' ELSE jsonb_build_array(s.value -> 'time' -> -1) END,
    'available_at', CASE WHEN %(past_too)s THEN s.value -> 'available_at' END)
FROM company c, jsonb_each(c.series) s;

-- name: companies
-- One row per company: how many series, and the end of the latest.
SELECT c.symbol, c.name, c.sector, count(s.key), max((s.value -> 'time' ->> -1)::bigint)
FROM company c LEFT JOIN LATERAL jsonb_each(c.series) s ON true
GROUP BY c.symbol ORDER BY c.symbol;

-- name: company_symbols
-- Which of these symbols are known.
SELECT symbol FROM company WHERE symbol = ANY(%(symbols)s);

-- name: company_fingerprint
-- Another one after any company was added, changed or removed: a row's xmin is the transaction that wrote it. One pass
-- over the rows; the documents are not read.
SELECT concat_ws('-', count(*), sum(hashtextextended(symbol, xmin::text::bigint))) FROM company;

-- name: companies_with_series
-- Every company, one row for each of its series of some metrics and one frequency; one row without a key where there
-- is none.
SELECT c.symbol, c.name, c.sector, s.key, s.value -> 'time', s.value -> 'value'
FROM company c LEFT JOIN LATERAL jsonb_each(c.series) s
    ON split_part(s.key, '|', 1) = ANY(%(metrics)s) AND split_part(s.key, '|', 2) = %(frequency)s;

-- name: company_with_series
-- One company, one row for each of its series, with the values of those of one metric.
SELECT c.name, c.sector, s.key,
    CASE WHEN split_part(s.key, '|', 1) = %(metric)s THEN s.value -> 'time' END,
    CASE WHEN split_part(s.key, '|', 1) = %(metric)s THEN s.value -> 'value' END
FROM company c LEFT JOIN LATERAL jsonb_each(c.series) s ON true
WHERE c.symbol = %(symbol)s;

-- name: every_symbol
SELECT symbol FROM company ORDER BY symbol;

-- name: known_names
-- What the filters of series_of may name, for an error that helps.
SELECT array(SELECT DISTINCT sector FROM company ORDER BY 1),
       array(SELECT DISTINCT split_part(k, '|', 1) FROM company, jsonb_object_keys(series) k ORDER BY 1),
       array(SELECT DISTINCT split_part(k, '|', 2) FROM company, jsonb_object_keys(series) k ORDER BY 1);

-- ---- loading --------------------------------------------------------------------------------------------------

-- name: load_lock
-- Loads take turns: a load reads what is stored, merges in memory and writes. Released with the transaction.
SELECT pg_advisory_xact_lock(7239002);

-- name: stored_companies
-- Name and sector of the companies a file names.
SELECT symbol, name, sector FROM company WHERE symbol = ANY(%(symbols)s);

-- name: stored_keys
-- The series keys of the companies a file names.
SELECT c.symbol, k FROM company c, jsonb_object_keys(c.series) k WHERE c.symbol = ANY(%(symbols)s);

-- name: stored_series
-- The stored series a file may add to.
SELECT c.symbol, c.name, c.sector, s.key, s.value
FROM company c, jsonb_each(c.series) s
WHERE c.symbol = ANY(%(symbols)s) AND s.key = ANY(%(keys)s);

-- name: stage_companies
-- Where COPY puts the changed series of the changed companies; gone with the transaction.
CREATE TEMPORARY TABLE staged (symbol text, name text, sector text, series jsonb) ON COMMIT DROP;

-- name: copy_staged
COPY staged (symbol, name, sector, series) FROM STDIN;

-- name: merge_staged
-- Series keys of the file replace those keys; all other series of the company stay.
INSERT INTO company AS c (symbol, name, sector, series)
SELECT symbol, name, sector, series FROM staged
ON CONFLICT (symbol) DO UPDATE
SET name = excluded.name, sector = excluded.sector, series = c.series || excluded.series, updated_at = clock_timestamp();

-- name: unstage
TRUNCATE staged;

-- name: log_load
INSERT INTO load_file (path, sha256, report) VALUES (%(path)s, %(sha256)s, %(report)s::jsonb);

-- ---- versions of patterns and models --------------------------------------------------------------------------

-- name: lock_version
-- The last version of a name, its row locked until the transaction ends: whoever comes next waits, and gets the next.
INSERT INTO last_version AS l (kind, name, version) VALUES (%(kind)s, %(name)s, 0)
ON CONFLICT (kind, name) DO UPDATE SET version = l.version
RETURNING version;

-- name: next_version
UPDATE last_version SET version = version + 1 WHERE kind = %(kind)s AND name = %(name)s RETURNING version;

-- name: put_pattern
INSERT INTO pattern (name, version, spec) VALUES (%(name)s, %(version)s, %(spec)s::jsonb);

-- name: get_pattern
-- One version, or the latest when none is named.
SELECT version, spec FROM pattern
WHERE name = %(name)s AND (%(version)s::int IS NULL OR version = %(version)s)
ORDER BY version DESC LIMIT 1;

-- name: delete_pattern
DELETE FROM pattern WHERE name = %(name)s;

-- name: pattern_names
SELECT DISTINCT name FROM pattern ORDER BY name;

-- name: put_model
INSERT INTO model_version
    (name, version, kind, layout, meta, arrays, metrics, data_hash, library_versions, seed)
VALUES (%(name)s, %(version)s, %(kind)s, %(layout)s, %(meta)s::jsonb, %(arrays)s, %(metrics)s::jsonb, %(data_hash)s,
        %(library_versions)s::jsonb, %(seed)s)
RETURNING created_at;

-- name: get_model
-- One version, or the latest when none is named.
SELECT version, kind, layout, meta, arrays, metrics, data_hash, library_versions, seed, created_at
FROM model_version
WHERE name = %(name)s AND (%(version)s::int IS NULL OR version = %(version)s)
ORDER BY version DESC LIMIT 1;

-- name: pattern_asked
-- What an answer about a pattern rests on: the version of its detector (the one named or the latest, NULL where there
-- is none), how many drawings were tried under its name, and the fingerprint of the companies.
SELECT (SELECT max(version) FROM model_version
        WHERE name = %(pattern)s AND version = coalesce(%(version)s, version)),
    (SELECT count(*) FROM drawing WHERE pattern = %(pattern)s),
    (SELECT concat_ws('-', count(*), sum(hashtextextended(symbol, xmin::text::bigint))) FROM company);

-- name: list_models
SELECT name, version, kind, metrics, data_hash, library_versions, seed, created_at
FROM model_version ORDER BY name, version DESC;

-- ---- scans ----------------------------------------------------------------------------------------------------

-- name: begin_scan
-- A second begin with the same id changes nothing.
INSERT INTO scan (id, pattern, parameters, data_hash, status)
VALUES (%(id)s, %(pattern)s::jsonb, %(parameters)s::jsonb, %(data_hash)s, 'running')
ON CONFLICT (id) DO NOTHING;

-- name: get_scan
SELECT id, pattern, parameters, data_hash, status, started_at, finished_at FROM scan WHERE id = %(id)s;

-- name: lock_scan
SELECT status FROM scan WHERE id = %(id)s FOR UPDATE;

-- name: scan_turn
-- A lock of the session, not of the transaction: it lasts while the scan runs, and no longer than its process. Who comes
-- meanwhile waits.
SELECT pg_advisory_lock(7239004, hashtext(%(id)s));

-- name: leave_scan_turn
SELECT pg_advisory_unlock(7239004, hashtext(%(id)s));

-- name: done_chunks
SELECT chunk FROM scan_chunk WHERE scan_id = %(id)s;

-- name: put_matches
-- The rows of one chunk; a chunk that is done again replaces its own rows.
INSERT INTO match AS m (scan_id, entity, name, sector, status, metric, channels, start_at, end_at, last_at, length,
    complete, score, p_value, q_value, null_name, p_by_null, flagged, evidence)
SELECT %(id)s, entity, name, sector, status, metric, channels, start_at, end_at, last_at, length, complete, score,
    p_value, q_value, null_name, p_by_null, flagged, evidence
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(entity text, name text, sector text, status text, metric text,
    channels text[], start_at timestamptz, end_at timestamptz, last_at timestamptz, length int,
    complete float8, score float8, p_value float8, q_value float8, null_name text, p_by_null jsonb, flagged int,
    evidence jsonb)
ON CONFLICT (scan_id, entity) DO UPDATE SET
    name = excluded.name, sector = excluded.sector, status = excluded.status, metric = excluded.metric,
    channels = excluded.channels, start_at = excluded.start_at, end_at = excluded.end_at, last_at = excluded.last_at,
    length = excluded.length, complete = excluded.complete, score = excluded.score, p_value = excluded.p_value,
    q_value = excluded.q_value, null_name = excluded.null_name, p_by_null = excluded.p_by_null,
    flagged = excluded.flagged, evidence = excluded.evidence;

-- name: mark_chunk
INSERT INTO scan_chunk (scan_id, chunk) VALUES (%(id)s, %(chunk)s) ON CONFLICT DO NOTHING;

-- name: set_q_values
-- What only the whole family tells: q-values, and p-values of further nulls beside those that are there.
UPDATE match m SET q_value = r.q_value, p_by_null = m.p_by_null || r.p_by_null
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(entity text, q_value float8, p_by_null jsonb)
WHERE m.scan_id = %(id)s AND m.entity = r.entity;

-- name: finish_scan
UPDATE scan SET status = 'done', finished_at = clock_timestamp() WHERE id = %(id)s;

-- name: matches
-- Best first: tested rows by p-value, then the rest by name.
SELECT entity, name, sector, status, metric, channels, start_at, end_at, length, complete, score, p_value, q_value,
    null_name, p_by_null, flagged, last_at, evidence
FROM match WHERE scan_id = %(id)s ORDER BY p_value NULLS LAST, score DESC NULLS LAST, entity;

-- name: list_scans
-- Newest first, of one pattern or of all.
SELECT s.id, s.pattern ->> 'name', s.parameters ->> 'where', s.parameters ->> 'as_of', s.parameters ->> 'sector',
    s.status, s.started_at, s.finished_at, count(m.entity), count(m.p_value), min(m.q_value)
FROM scan s LEFT JOIN match m ON m.scan_id = s.id
WHERE %(pattern)s::text IS NULL OR s.pattern ->> 'name' = %(pattern)s
GROUP BY s.id ORDER BY s.started_at DESC;

-- name: previous_scan
-- The last scan before this one that asked the same question and was told: a report of it ended well. The same is
-- pattern, where, sector, half, frequency and picture of chance. One that looked from a day in the past is compared
-- with such ones only.
SELECT before.id
FROM scan this JOIN scan before ON before.started_at < this.started_at
WHERE this.id = %(id)s AND before.status = 'done' AND before.pattern = this.pattern
  AND before.parameters -> 'where' IS NOT DISTINCT FROM this.parameters -> 'where'
  AND before.parameters -> 'sector' IS NOT DISTINCT FROM this.parameters -> 'sector'
  AND before.parameters -> 'half' IS NOT DISTINCT FROM this.parameters -> 'half'
  AND before.parameters -> 'frequency' IS NOT DISTINCT FROM this.parameters -> 'frequency'
  AND before.parameters -> 'null' IS NOT DISTINCT FROM this.parameters -> 'null'
  AND (before.parameters ->> 'as_of' IS NULL) = (this.parameters ->> 'as_of' IS NULL)
  AND EXISTS (SELECT FROM run r WHERE r.record ->> 'scan_id' = before.id AND r.record ->> 'status' = 'done')
ORDER BY before.started_at DESC LIMIT 1;

-- ---- labels and drawings --------------------------------------------------------------------------------------

-- name: put_label
-- A new verdict on the same stretch replaces the old one, with all that was kept beside it.
INSERT INTO label (pattern, entity, channels, start_at, end_at, verdict, scan_id, score, rank)
VALUES (%(pattern)s, %(entity)s, %(channels)s::text[], %(start)s, %(end)s, %(verdict)s, %(scan_id)s, %(score)s,
        %(rank)s)
ON CONFLICT (pattern, entity, channels, start_at, end_at) DO UPDATE SET
    verdict = excluded.verdict, scan_id = excluded.scan_id, score = excluded.score, rank = excluded.rank,
    made_at = clock_timestamp();

-- name: labels_of
SELECT entity, channels, start_at, end_at, verdict, score, rank, scan_id, made_at
FROM label WHERE pattern = %(pattern)s ORDER BY entity, start_at, end_at, channels;

-- name: delete_label
DELETE FROM label
WHERE pattern = %(pattern)s AND entity = %(entity)s AND channels = %(channels)s::text[]
  AND start_at = %(start)s AND end_at = %(end)s;

-- name: put_drawing
INSERT INTO drawing AS d (pattern, spec_hash, times) VALUES (%(pattern)s, %(spec_hash)s, 1)
ON CONFLICT (pattern, spec_hash) DO UPDATE SET times = d.times + 1, last_at = clock_timestamp();

-- name: count_drawings
SELECT count(*) FROM drawing WHERE pattern = %(pattern)s;

-- name: list_drawings
SELECT pattern, spec_hash, first_at, last_at, times FROM drawing ORDER BY pattern, first_at, spec_hash;

-- ---- versions of series ---------------------------------------------------------------------------------------

-- name: put_series_versions
-- Numbers, rows and words to the listeners of any number of fits in one statement. A series' counter is its lock: who
-- fits the same series meanwhile waits for this commit and takes the numbers after it. Counters are taken in the order
-- of names, so that two such statements never wait for each other.
WITH given AS (
    SELECT * FROM unnest(
        %(series_ids)s::text[], %(kinds)s::text[], %(layouts)s::int[], %(metas)s::text[], %(arrays)s::bytea[],
        %(points)s::int[], %(times)s::bytea[], %(vals)s::bytea[]
    ) WITH ORDINALITY AS g (series_id, kind, layout, meta, arrays, points, times, vals, place)
), counted AS (
    SELECT series_id, count(*)::int AS number FROM given GROUP BY series_id
), next AS (
    INSERT INTO last_version AS l (kind, name, version)
    SELECT 'series', series_id, number FROM counted ORDER BY series_id COLLATE "C"
    ON CONFLICT (kind, name) DO UPDATE SET version = l.version + excluded.version
    RETURNING name, version
), kept AS (
    INSERT INTO series_version (series_id, version, kind, layout, meta, arrays, points, times, vals)
    SELECT g.series_id, n.version - c.number + row_number() OVER (PARTITION BY g.series_id ORDER BY g.place),
        g.kind, g.layout, g.meta::jsonb, g.arrays, g.points, g.times, g.vals
    FROM given g JOIN counted c USING (series_id) JOIN next n ON n.name = g.series_id
    RETURNING series_id, version, created_at
)
SELECT series_id, version, created_at, pg_notify(%(channel)s, series_id || ' ' || version)
FROM kept ORDER BY series_id COLLATE "C", version;

-- name: get_series_version
-- One version, or the latest when none is named.
SELECT series_id, version, kind, points, created_at, layout, meta, arrays FROM series_version
WHERE series_id = %(series_id)s AND version = coalesce(%(version)s, version)
ORDER BY version DESC LIMIT 1;

-- name: get_training_series
SELECT series_id, version, kind, points, created_at, times, vals FROM series_version
WHERE series_id = %(series_id)s AND version = coalesce(%(version)s, version)
ORDER BY version DESC LIMIT 1;

-- name: versions_of_series
SELECT series_id, version, kind, points, created_at FROM series_version
WHERE series_id = %(series_id)s ORDER BY version DESC;

-- name: latest_of_series
SELECT DISTINCT ON (series_id) series_id, version, kind, points, created_at FROM series_version
WHERE series_id > %(after)s ORDER BY series_id, version DESC LIMIT %(limit)s;

-- name: count_series
SELECT count(DISTINCT series_id) FROM series_version;

-- name: delete_series_versions
WITH gone AS (
    DELETE FROM series_version WHERE series_id = %(series_id)s AND version = coalesce(%(version)s, version)
    RETURNING version
), told AS (SELECT count(*) AS number FROM gone)
SELECT number FROM told, LATERAL (SELECT CASE WHEN number > 0 THEN pg_notify(%(channel)s, %(series_id)s) END) AS word;

-- ---- requests for jobs ----------------------------------------------------------------------------------------

-- name: put_job_request
INSERT INTO job_request (kind, series_id, model, points, times, vals, status, stage, progress, attempts)
VALUES (%(kind)s, %(series_id)s, %(model)s, %(points)s, %(times)s, %(vals)s, 'pending', 'queued', 0, 0)
RETURNING id;

-- name: use_queue
-- Until the transaction ends, procrastinate's statements find its tables.
SELECT set_config('search_path', concat_ws(', ', 'tsbench_queue', nullif(current_setting('search_path'), '')), true);

-- name: job_requests
-- Newest first, a page at a time, or the one named; without what they work on. The last column: whether a worker lives
-- that may take it.
SELECT id, kind, series_id, model, points, status, stage, progress, attempts, version, reason, queued_at, started_at,
    finished_at, EXISTS (
        SELECT FROM tsbench_queue.procrastinate_workers
        WHERE last_heartbeat > clock_timestamp() - make_interval(secs => %(dead_after)s)
    )
FROM job_request
WHERE (%(id)s::bigint IS NULL OR id = %(id)s) AND (%(status)s::text IS NULL OR status = %(status)s)
  AND (%(after)s::bigint IS NULL OR id < %(after)s)
ORDER BY id DESC LIMIT %(limit)s::bigint;

-- name: begin_job_request
-- The next attempt, which ends every other: what follows is done for the last attempt alone. No row when the request
-- has ended.
UPDATE job_request SET status = 'running', stage = 'reading', progress = 0, started_at = clock_timestamp(),
    attempts = attempts + 1
WHERE id = %(id)s AND status IN ('pending', 'running')
RETURNING id, attempts, kind, series_id, model, points;

-- name: read_job_request
SELECT times, vals FROM job_request WHERE id = %(id)s AND status = 'running' AND attempts = %(attempt)s;

-- name: advance_job_request
UPDATE job_request SET stage = %(stage)s, progress = %(progress)s
WHERE id = %(id)s AND status = 'running' AND attempts = %(attempt)s;

-- name: complete_job_request
UPDATE job_request SET status = 'completed', stage = 'done', progress = 1, version = %(version)s,
    finished_at = clock_timestamp(), times = NULL, vals = NULL
WHERE id = %(id)s;

-- name: lock_job_request
-- Nobody ends the request until the transaction does. No row when it has ended, or is another attempt's.
SELECT id FROM job_request WHERE id = %(id)s AND status = 'running' AND attempts = %(attempt)s FOR UPDATE;

-- name: fail_job_request
UPDATE job_request SET status = 'failed', reason = %(reason)s, finished_at = clock_timestamp(), times = NULL,
    vals = NULL
WHERE id = %(id)s AND status = 'running' AND attempts = %(attempt)s;

-- name: cancel_job_request
-- One that runs too: its version is written only while its status is still running.
UPDATE job_request SET status = 'cancelled', finished_at = clock_timestamp(), times = NULL, vals = NULL
WHERE id = %(id)s AND status IN ('pending', 'running');

-- name: forget_job_requests
DELETE FROM job_request WHERE finished_at < clock_timestamp() - make_interval(days => %(days)s);

-- ---- watchlists -----------------------------------------------------------------------------------------------

-- name: put_watchlist
INSERT INTO watchlist (name, symbols) VALUES (%(name)s, %(symbols)s::text[])
ON CONFLICT (name) DO UPDATE SET symbols = excluded.symbols, changed_at = clock_timestamp();

-- name: get_watchlist
SELECT symbols FROM watchlist WHERE name = %(name)s;

-- name: delete_watchlist
DELETE FROM watchlist WHERE name = %(name)s;

-- name: watchlist_names
SELECT name FROM watchlist ORDER BY name;

-- ---- schedules ------------------------------------------------------------------------------------------------

-- name: put_schedule
-- No row when the name is taken and the schedule is not to be replaced.
INSERT INTO schedule (name, cron, timezone, notebook, parameters, deadline, changed_at)
VALUES (%(name)s, %(cron)s, %(timezone)s, %(notebook)s, %(parameters)s::jsonb, %(deadline)s, %(changed_at)s)
ON CONFLICT (name) DO UPDATE SET
    cron = excluded.cron, timezone = excluded.timezone, notebook = excluded.notebook,
    parameters = excluded.parameters, deadline = excluded.deadline, changed_at = excluded.changed_at
WHERE %(replace)s;

-- name: list_schedules
SELECT name, cron, timezone, notebook, changed_at, parameters, deadline FROM schedule ORDER BY name;

-- name: delete_schedule
DELETE FROM schedule WHERE name = %(name)s;

-- name: take_turn
-- A lock of the session, not of the transaction: it lasts while the report runs, and no longer than its process.
SELECT pg_try_advisory_lock(7239003, hashtext(%(name)s));

-- name: leave_turn
SELECT pg_advisory_unlock(7239003, hashtext(%(name)s));

-- name: lose_schedule_runs
-- Whoever has the turn knows that no other run of the schedule is alive.
UPDATE schedule_run SET status = 'lost' WHERE schedule = %(name)s AND status = 'running';

-- name: begin_schedule_run
INSERT INTO schedule_run (schedule, due_at, started_at, status, error)
VALUES (%(name)s, %(due_at)s, %(started_at)s, 'running', '') RETURNING id;

-- name: finish_schedule_run
UPDATE schedule_run
SET status = %(status)s, finished_at = %(finished_at)s, run_id = %(run_id)s, error = %(error)s
WHERE id = %(id)s;

-- name: schedule_runs
-- Newest first, with the answer of the report. A run whose turn nobody holds is lost, though nobody said so.
SELECT s.id, s.schedule, s.due_at, s.started_at, s.finished_at,
    CASE WHEN s.status = 'running' AND NOT EXISTS (
        SELECT FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND l.classid = 7239003::oid AND l.objid = hashtext(s.schedule)::oid
    ) THEN 'lost' ELSE s.status END,
    s.run_id, s.error, coalesce(r.record ->> 'headline', '')
FROM schedule_run s LEFT JOIN run r ON r.id = s.run_id
WHERE (%(name)s::text IS NULL OR s.schedule = %(name)s) AND (s.due_at IS NOT NULL OR NOT %(by_clock)s)
ORDER BY s.started_at DESC, s.id DESC LIMIT %(limit)s::bigint;

-- ---- report runs ----------------------------------------------------------------------------------------------

-- name: put_run
INSERT INTO run (id, record) VALUES (%(id)s, %(record)s::jsonb)
ON CONFLICT (id) DO UPDATE SET record = excluded.record;

-- name: list_runs
SELECT record FROM run ORDER BY created_at DESC, id;
