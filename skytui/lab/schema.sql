-- What the practice server keeps in its database, beside procrastinate's own tables (which come first).
-- Applied once, by a superuser, when the roles skytui_server and skytui_agent are there; rows come from
-- skytui.lab.server.holding.seed_database.

CREATE SCHEMA sky;

CREATE TABLE sky.agent (
    name text PRIMARY KEY,
    status text NOT NULL DEFAULT 'inactive' CHECK (status IN ('active', 'inactive')),
    address text NOT NULL DEFAULT '',
    last_seen timestamptz
);

CREATE TABLE sky.queue (
    name text PRIMARY KEY,
    agent text NOT NULL REFERENCES sky.agent,
    locked boolean NOT NULL DEFAULT false,  -- by an operator
    held boolean NOT NULL DEFAULT false     -- by a promotion, until an operator releases it
);

CREATE TABLE sky.job (
    name text PRIMARY KEY,
    agent text NOT NULL REFERENCES sky.agent,
    queue text NOT NULL REFERENCES sky.queue,
    cron text NOT NULL,
    command text NOT NULL,
    output boolean NOT NULL,
    -- Every tick up to this moment is in sky.run or in sky.missed; none after it is. NULL until a scheduler has
    -- looked at the job for the first time: its ticks count from then on.
    covered_until timestamptz
);

CREATE TABLE sky.scheduler (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    state text NOT NULL CHECK (state IN ('running', 'stopped')),
    since timestamptz NOT NULL DEFAULT now(),
    -- The timeline on which this database was last put to work. After a promotion it differs from the running
    -- one, and until sky.scheduler says so no job is fetched: a worker that reconnects within milliseconds of
    -- pg_promote finds the queues held, although the row that says so is written only after it.
    timeline integer NOT NULL
);

CREATE TABLE sky.run (
    id text PRIMARY KEY,                    -- job@due
    job text NOT NULL,
    agent text NOT NULL,
    queue text NOT NULL,
    due timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'ended')),
    queued_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,                 -- by the agent's clock
    ended_at timestamptz,                   -- by the agent's clock
    code integer,
    sha256 text,
    attempts integer NOT NULL DEFAULT 0,
    queued_job bigint NOT NULL UNIQUE,      -- procrastinate's id
    CHECK ((state = 'ended') = (code IS NOT NULL AND ended_at IS NOT NULL))
);
CREATE INDEX run_due ON sky.run (due DESC);
CREATE INDEX run_ended ON sky.run (ended_at);

CREATE TABLE sky.missed (
    job text NOT NULL,
    due timestamptz NOT NULL,
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job, due)
);

CREATE TABLE sky.output_file (
    run_id text PRIMARY KEY,
    bytes bigint NOT NULL,
    sha256 text NOT NULL,
    duplicated boolean NOT NULL DEFAULT false,
    stored_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX output_file_waiting ON sky.output_file (stored_at) WHERE NOT duplicated;

-- Completions of runs this master has no row for.
CREATE TABLE sky.server_history (
    run text PRIMARY KEY,
    agent text NOT NULL,
    code integer NOT NULL,
    sha256 text,
    ended_at timestamptz NOT NULL,
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sky.marker (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    id text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    position pg_lsn                         -- NULL for the moment between the two writes of a marker
);

-- The timeline this database writes on. Not for a standby: it has none of its own.
CREATE FUNCTION sky.timeline() RETURNS integer LANGUAGE sql VOLATILE AS $$
    SELECT ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::integer
$$;

-- procrastinate's own fetch (3.10), with two things added, both decided inside the fetch itself:
--   a job of a locked or held queue is no candidate, and none is while the database runs on a timeline it was
--   not put to work on;
--   the shared lock makes whoever locks queues (exclusive lock 4711) wait for the fetches under way, so that
--   a running-jobs reading after a lock misses none. It writes no WAL.
CREATE OR REPLACE FUNCTION procrastinate_fetch_job_v2(
    target_queue_names character varying[],
    p_worker_id bigint
)
    RETURNS procrastinate_jobs
    LANGUAGE plpgsql
AS $$
DECLARE
    found_jobs procrastinate_jobs;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(4711);
    WITH candidate AS (
        SELECT jobs.*
            FROM procrastinate_jobs AS jobs
            WHERE
                -- reject the job if its lock has earlier or higher priority jobs
                NOT EXISTS (
                    SELECT 1
                        FROM procrastinate_jobs AS other_jobs
                        WHERE
                            jobs.lock IS NOT NULL
                            AND other_jobs.lock = jobs.lock
                            AND (
                                -- job with same lock is already running
                                other_jobs.status = 'doing'
                                OR
                                -- job with same lock is waiting and goes first
                                (
                                    other_jobs.status = 'todo'
                                    AND (
                                        other_jobs.priority > jobs.priority
                                        OR (
                                        other_jobs.priority = jobs.priority
                                        AND other_jobs.id < jobs.id
                                        )
                                    )
                                )
                            )
                )
                AND jobs.status = 'todo'
                AND (target_queue_names IS NULL OR jobs.queue_name = ANY( target_queue_names ))
                AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
                AND NOT EXISTS (
                    SELECT 1 FROM sky.queue WHERE queue.name = jobs.queue_name AND (queue.locked OR queue.held)
                )
                AND EXISTS (SELECT 1 FROM sky.scheduler WHERE scheduler.timeline = sky.timeline())
            ORDER BY jobs.priority DESC, jobs.id ASC LIMIT 1
            FOR UPDATE OF jobs SKIP LOCKED
    )
    UPDATE procrastinate_jobs
        SET status = 'doing', worker_id = p_worker_id
        FROM candidate
        WHERE procrastinate_jobs.id = candidate.id
        RETURNING procrastinate_jobs.* INTO found_jobs;

    RETURN found_jobs;
END;
$$;

GRANT pg_monitor TO skytui_server;
GRANT USAGE ON SCHEMA sky TO skytui_server, skytui_agent;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA sky, public TO skytui_server;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO skytui_server, skytui_agent;
-- An agent fetches jobs and says that its worker is alive. Runs and results are the server's alone.
GRANT SELECT, UPDATE ON procrastinate_jobs TO skytui_agent;
GRANT SELECT, INSERT ON procrastinate_events TO skytui_agent;
GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_workers TO skytui_agent;
GRANT SELECT ON sky.queue, sky.scheduler TO skytui_agent;
